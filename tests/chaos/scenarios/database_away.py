"""Stops and restarts PostgreSQL under load, then suspends it: the service returns 503 quickly and
recovers.
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
TIME_LIMIT = 180
ROUNDS = 10
FROZEN = 20
# timeouts of the service, with a margin for a busy machine
REQUEST_LIMIT, READINESS_LIMIT, MARGIN = 12, 2, 1.5
RECOVERY = 5


class Probe(threading.Thread):
    """Polls readiness like a platform."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.client, self.halt, self.slowest, self.others = (
            Client(service, timeout=30),
            threading.Event(),
            0.0,
            [],
        )

    def run(self):
        while not self.halt.wait(0.05):
            began = time.monotonic()
            try:
                response = self.client.call("GET", "/health/ready")
                if response.status not in (200, 503):
                    self.others.append(str(response))
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
    state_criteria(
        stage, f"stopped immediately and restarted, {ROUNDS} times", load, probe, recoveries
    )
    seen = len(load.ledger.outcomes)
    postgres.freeze()
    try:
        time.sleep(FROZEN)
    finally:
        postgres.thaw()
    recoveries = [time_to_ready(service)]
    # pending requests complete, and new ones succeed
    wait_for_success(load)
    load.stop()
    state_criteria(stage, f"frozen for {FROZEN} s", load, probe, recoveries, seen)
    probe.halt.set()
    audit.audit(stage, stage.client(service), load.ledger)


def stop_and_start(stage, postgres, service, load):
    wait_for_success(load)
    time.sleep(stage.rng.uniform(0.1, 1.0))
    postgres.stop_immediately()
    time.sleep(stage.rng.uniform(0.1, 1.5))
    postgres.start()
    return time_to_ready(service)


def wait_for_success(load):
    """Waits until new requests succeed, so that the next failure hits a working service."""
    began = time.monotonic()
    outcomes = load.ledger.outcomes
    until(
        lambda: any(
            outcome.began > began and outcome.status in (200, 201) for outcome in outcomes[-200:]
        ),
        "a success after the failure",
        30,
    )


def time_to_ready(service):
    """Returns the seconds until the service is ready after the database is available."""
    began = time.monotonic()
    try:
        until(
            lambda: service.is_ready(timeout=READINESS_LIMIT + MARGIN),
            "readiness",
            4 * RECOVERY,
            service.is_running,
        )
    except Failed:
        return float("inf")
    return time.monotonic() - began


def state_criteria(stage, what, load, probe, recoveries, first=0):
    """States the criteria for all requests since number `first`."""
    outcomes = load.ledger.outcomes[first:]
    statuses = collections.Counter(outcome.status for outcome in outcomes)
    bad = [outcome for outcome in outcomes if not is_good(outcome, load.ledger)]
    sample = [
        f"{outcome.method} {outcome.status} {outcome.text} after {outcome.seconds:.2f} s"
        for outcome in bad
    ]
    stage.criterion(
        f"{what}: only 2xx, or 503 with Retry-After",
        not bad and not probe.others and statuses.get(503),
        f"{len(outcomes)} requests {dict(sorted(statuses.items(), key=str))}, {len(bad)} others"
        f"{audit.examples(sample)}{audit.examples(probe.others)}",
    )
    slowest = max(outcome.seconds for outcome in outcomes)
    stage.criterion(
        f"{what}: no request takes longer than {REQUEST_LIMIT} s, readiness {READINESS_LIMIT} s (and {MARGIN} s more)",
        slowest <= REQUEST_LIMIT + MARGIN and probe.slowest <= READINESS_LIMIT + MARGIN,
        f"requests {slowest:.2f} s, readiness {probe.slowest:.2f} s at most",
    )
    stage.criterion(
        f"{what}: ready within {RECOVERY} s after the database is available",
        max(recoveries) <= RECOVERY,
        f"median {statistics.median(recoveries):.2f} s, {max(recoveries):.2f} s at most",
    )


def is_good(outcome, ledger):
    """Whether a response is acceptable.

    412 is, if an earlier write of the same writer got 503 but was committed.
    """
    if outcome.status == 412:
        return bool(ledger.open)
    return outcome.status in outcome.wanted or (
        outcome.status == 503 and outcome.retry_after and outcome.problem
    )
