"""PostgreSQL is stopped and restarted under load, and then hangs: the service says 503, soon, and recovers by itself.
"""

import collections
import http.client
import statistics
import threading
import time

import audit
from bookkeeping import Load
from support.service import Client
from support.waiting import Failed, until

ENGINES = ("postgres",)
SECONDS = 180
ROUNDS = 10
FROZEN = 20
# the service's own limits (README), and what a busy machine may add
REQUEST_LIMIT, READINESS_LIMIT, MARGIN = 12, 2, 1.5
RECOVERY = 5


class Probe(threading.Thread):
    """Asks for readiness as a platform does, all the time."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.client, self.halt, self.slowest, self.others = Client(service, timeout=30), threading.Event(), 0.0, []

    def run(self):
        while not self.halt.wait(0.05):
            began = time.monotonic()
            try:
                answer = self.client.call("GET", "/health/ready")
                if answer.status not in (200, 503):
                    self.others.append(str(answer))
            except (OSError, http.client.HTTPException) as error:
                self.others.append(repr(error))
            self.slowest = max(self.slowest, time.monotonic() - began)
        self.client.close()


def run(stage):
    postgres = stage.postgres()
    service = stage.service(postgres.url)
    load = Load(stage, service, writers=4, readers=3).start()
    probe = Probe(service)
    probe.start()
    stage.callback(probe.halt.set)
    recoveries = [stop_and_start(stage, postgres, service, load) for _ in range(ROUNDS)]
    told(stage, f"stopped immediately and restarted, {ROUNDS} times", load, probe, recoveries)
    seen = len(load.ledger.told)
    postgres.freeze()
    try:
        time.sleep(FROZEN)
    finally:
        postgres.thaw()
    recoveries = [time_to_ready(service)]
    # whatever was under way comes to its end, and new requests succeed
    wait_for_success(load)
    load.stop()
    told(stage, f"frozen for {FROZEN} s", load, probe, recoveries, seen)
    probe.halt.set()
    audit.audit(stage, stage.client(service), load.ledger)


def stop_and_start(stage, postgres, service, load):
    wait_for_success(load)
    time.sleep(stage.dice.uniform(0.1, 1.0))
    postgres.stop_immediately()
    time.sleep(stage.dice.uniform(0.1, 1.5))
    postgres.start()
    return time_to_ready(service)


def wait_for_success(load):
    """Until requests that begin now succeed: the next fault strikes a service that works."""
    began, told = time.monotonic(), load.ledger.told
    until(
        lambda: any(it.began > began and it.status in (200, 201) for it in told[-200:]), "a success after a fault", 30
    )


def time_to_ready(service):
    """How long readiness takes to come back, once the database is back."""
    began = time.monotonic()
    try:
        until(lambda: service.is_ready(timeout=READINESS_LIMIT + MARGIN), "readiness", 4 * RECOVERY, service.is_running)
    except Failed:
        return float("inf")
    return time.monotonic() - began


def told(stage, what, load, probe, recoveries, first=0):
    """States the criteria for all requests since the `first`."""
    answers = load.ledger.told[first:]
    statuses = collections.Counter(it.status for it in answers)
    bad = [it for it in answers if not is_good(it, load.ledger)]
    sample = [f"{it.method} {it.status} {it.text} after {it.seconds:.2f} s" for it in bad]
    stage.criterion(
        f"{what}: only 2xx, or 503 with Retry-After", not bad and not probe.others and statuses.get(503),
        f"{len(answers)} requests {dict(sorted(statuses.items(), key=str))}, {len(bad)} others"
        f"{audit.examples(sample)}{audit.examples(probe.others)}",
    )  # fmt: skip
    slowest = max(it.seconds for it in answers)
    stage.criterion(
        f"{what}: no request takes longer than {REQUEST_LIMIT} s, readiness {READINESS_LIMIT} s (and {MARGIN} s more)",
        slowest <= REQUEST_LIMIT + MARGIN and probe.slowest <= READINESS_LIMIT + MARGIN,
        f"requests {slowest:.2f} s, readiness {probe.slowest:.2f} s at most",
    )
    stage.criterion(
        f"{what}: ready within {RECOVERY} s after the database is back", max(recoveries) <= RECOVERY,
        f"median {statistics.median(recoveries):.2f} s, {max(recoveries):.2f} s at most",
    )  # fmt: skip


def is_good(told, ledger):
    """412 tells a writer that an earlier write of its own, which got 503, was kept after all: true, and what it asked
    for.
    """
    if told.status == 412:
        return bool(ledger.open)
    return told.status in told.wanted or (told.status == 503 and told.retry_after and told.problem)
