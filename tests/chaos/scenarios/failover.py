"""Fails over to a standby under load and back: the service finds the new primary, and no
acknowledged write is lost.

Replication is synchronous: the standby confirms each commit before the primary does, so both have
all acknowledged writes.
"""

import time

import audit
from bookkeeping import Load
from scenarios.database_away import MARGIN, REQUEST_LIMIT, is_good, wait_for_success
from support.addresses import own_loopback
from support.postgres import PORT
from support.waiting import Failed, until

ENGINES = ("postgres",)
TIME_LIMIT = 120
# seconds after the promotion of the standby
RECOVERY = 5


def run(stage):
    host = own_loopback()
    ports = [PORT, PORT + 1]
    primary = stage.postgres("first", ["synchronous_commit=on"], host=host, port=ports[0])
    standby = follow(stage, primary, "second", host, ports[1])
    both = ",".join(f"{host}:{port}" for port in ports)
    service = stage.service(
        f"postgres://chaos@{both}/postgres?target_session_attrs=read-write&sslmode=disable"
    )
    load = Load(stage, service, writers=4, readers=2).start()
    process = service.process
    recoveries = [fail_over(stage, primary, standby, load)]
    # a new standby replaces the failed primary; then fail over again
    primary, standby = standby, follow(stage, standby, "third", host, ports[0])
    recoveries.append(fail_over(stage, primary, standby, load))
    load.stop()
    stage.criterion(
        f"the service writes to the new primary within {RECOVERY} s after its promotion, without a restart",
        max(recoveries) <= RECOVERY and service.process is process and service.is_running(),
        f"{', '.join(f'{seconds:.2f} s' for seconds in recoveries)}",
    )
    outcomes = load.ledger.outcomes
    bad = [outcome for outcome in outcomes if not is_good(outcome, load.ledger)]
    slowest = max(outcome.seconds for outcome in outcomes)
    stage.criterion(
        f"only 2xx, or 503 with Retry-After, none slower than {REQUEST_LIMIT} s (and {MARGIN} s of margin)",
        not bad and slowest <= REQUEST_LIMIT + MARGIN,
        f"{len(outcomes)} requests {dict(sorted(load.ledger.statuses().items(), key=str))}, {slowest:.2f} s at most, "
        f"{len(bad)} others"
        f"{audit.examples([f'{outcome.method} {outcome.status} {outcome.text}' for outcome in bad])}",
    )
    audit.audit(stage, stage.client(service), load.ledger)


def follow(stage, primary, name, host, port):
    """Starts a synchronous standby: the primary waits for it at each commit."""
    standby = stage.postgres(name, host=host, port=port, copy_of=primary)
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.sql("SELECT pg_reload_conf()")
    synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
    until(lambda: primary.sql(synchronous) == "1", "synchronous replication", 30)
    return standby


def fail_over(stage, primary, standby, load):
    """Returns the seconds from the promotion until a write is acknowledged."""
    wait_for_success(load)
    time.sleep(stage.rng.uniform(1, 2))
    acknowledged = len(load.ledger.promised())
    primary.stop_immediately()
    died = time.monotonic()
    # the new primary has no standby, so it does not wait for one
    standby.promote()
    promoted = time.monotonic()
    try:
        write = until(lambda: first_write(load, died), "a write to the new primary", 60)
    except Failed:
        return float("inf")
    ended = write.began + write.seconds
    stage.note(
        f"{acknowledged} writes acknowledged before; promoted {promoted - died:.2f} s after the primary died, a write "
        f"acknowledged {ended - died:.2f} s after it"
    )
    return max(0.0, ended - promoted)


def first_write(load, moment):
    """Returns the first successful write that started after a moment."""
    for outcome in load.ledger.outcomes[-500:]:
        if outcome.began > moment and outcome.method != "GET" and outcome.status == 201:
            return outcome
    return None
