"""The primary dies under load and a standby takes over: the service finds it by itself, and nothing acknowledged is
lost.

Once forth and once back. The standby confirms every commit before the primary does (synchronous replication), so what
was acknowledged is on both.
"""

import time

import audit
from bookkeeping import Load
from scenarios.database_away import MARGIN, REQUEST_LIMIT, is_good, wait_for_success
from support.addresses import own_loopback
from support.postgres import PORT
from support.waiting import Failed, until

ENGINES = ("postgres",)
SECONDS = 120
# after the standby was promoted
RECOVERY = 5


def run(stage):
    host = own_loopback()
    ports = [PORT, PORT + 1]
    primary = stage.postgres("first", ["synchronous_commit=on"], host=host, port=ports[0])
    standby = follow(stage, primary, "second", host, ports[1])
    both = ",".join(f"{host}:{port}" for port in ports)
    service = stage.service(f"postgres://faults@{both}/postgres?target_session_attrs=read-write&sslmode=disable")
    load, process = Load(stage, service, writers=4, readers=2).start(), service.process
    recoveries = [fail_over(stage, primary, standby, load)]
    # a new standby in place of the one that died, and back
    primary, standby = standby, follow(stage, standby, "third", host, ports[0])
    recoveries.append(fail_over(stage, primary, standby, load))
    load.stop()
    stage.criterion(
        f"the service writes to the new primary within {RECOVERY} s after its promotion, without a restart",
        max(recoveries) <= RECOVERY and service.process is process and service.is_running(),
        f"{', '.join(f'{it:.2f} s' for it in recoveries)}",
    )  # fmt: skip
    told = load.ledger.told
    bad = [it for it in told if not is_good(it, load.ledger)]
    slowest = max(it.seconds for it in told)
    stage.criterion(
        f"only 2xx, or 503 with Retry-After, none slower than {REQUEST_LIMIT} s (and {MARGIN} s of margin)",
        not bad and slowest <= REQUEST_LIMIT + MARGIN,
        f"{len(told)} requests {dict(sorted(load.ledger.statuses().items(), key=str))}, {slowest:.2f} s at most, "
        f"{len(bad)} others"
        f"{audit.examples([f'{it.method} {it.status} {it.text}' for it in bad])}",
    )  # fmt: skip
    audit.audit(stage, stage.client(service), load.ledger)


def follow(stage, primary, name, host, port):
    """A standby without which the primary acknowledges nothing any more."""
    standby = stage.postgres(name, host=host, port=port, copy_of=primary)
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.sql("SELECT pg_reload_conf()")
    synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
    until(lambda: primary.sql(synchronous) == "1", "synchronous replication", 30)
    return standby


def fail_over(stage, primary, standby, load):
    """How long after the promotion it takes until a write is acknowledged."""
    wait_for_success(load)
    time.sleep(stage.dice.uniform(1, 2))
    acknowledged = len(load.ledger.promised())
    primary.stop_immediately()
    died = time.monotonic()
    # a standby alone has nobody to wait for
    standby.promote()
    promoted, told = time.monotonic(), load.ledger.told
    first = lambda: next(
        (it for it in told[-500:] if it.began > died and it.method != "GET" and it.status == 201), None
    )
    try:
        write = until(first, "a write to the new primary", 60)
    except Failed:
        return float("inf")
    ended = write.began + write.seconds
    stage.note(
        f"{acknowledged} writes acknowledged before; promoted {promoted - died:.2f} s after the primary died, a write "
        f"acknowledged {ended - died:.2f} s after it"
    )
    return max(0.0, ended - promoted)
