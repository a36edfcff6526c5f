"""Fills the database's disk under load: writes are rejected, reads succeed, and writes succeed
after space is freed.
"""

import collections
import errno
import os
import threading
import time

import audit
from bookkeeping import STORAGE_FULL, Load
from scenarios.database_away import time_to_ready, wait_for_success
from scenarios.ledger import integrity
from support.waiting import Failed, until

ENGINES = ("sqlite", "postgres")
TIME_LIMIT = 120
# an SQLite file is small; a new cluster has 40 MiB
SIZES = {"sqlite": "6m", "postgres": "72m"}
# small WAL segments, so that a new one is needed soon
SMALL_LOG = ["max_wal_size=4MB", "min_wal_size=2MB", "checkpoint_timeout=30s"]
# seconds that the disk stays full after the first rejected write
FULL = 8
RECOVERY = 5


class Ballast(threading.Thread):
    """Fills a disk, including space that becomes free."""

    def __init__(self, disk):
        super().__init__(daemon=True)
        self.path, self.halt = disk / "ballast", threading.Event()

    def run(self):
        with self.path.open("ab", buffering=0) as file:
            while not self.halt.is_set():
                for size in (1 << 16, 1 << 12, 1):
                    self.fill(file, size)
                self.halt.wait(0.02)

    @staticmethod
    def fill(file, size):
        try:
            while True:
                file.write(bytes(size))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    def remove(self):
        self.halt.set()
        self.join()
        os.unlink(self.path)


def run(stage):
    disk = stage.disk("disk", SIZES[stage.engine])
    postgres = None
    if stage.engine == "postgres":
        initdb = ["--locale=C", "--wal-segsize=1"]
        postgres = stage.postgres(
            "data", SMALL_LOG, parent=disk, initdb=initdb, log=stage.directory / "postgres.log"
        )
    service = stage.service(postgres.url if postgres else stage.sqlite_url(disk))
    load = Load(stage, service, writers=3, readers=2).start()
    wait_for_success(load)
    process = service.process
    first = len(load.ledger.outcomes)
    ballast = Ballast(disk)
    ballast.start()
    stage.callback(ballast.halt.set)
    try:
        until(
            lambda: any(
                is_write(outcome) and outcome.status not in outcome.wanted
                for outcome in load.ledger.outcomes[first:]
            ),
            "a full disk",
            30,
        )
        time.sleep(FULL)
        if postgres:
            exhaust_log(stage, postgres)
            time.sleep(FULL)
    finally:
        ballast.remove()
    full = load.ledger.outcomes[first:]
    recovery = recover(stage, postgres, service, load)
    load.stop()
    check(stage, full)
    stage.criterion(
        f"writes succeed within {RECOVERY} s after space is freed, without a restart of the service",
        recovery <= RECOVERY and service.process is process and service.is_running(),
        f"{recovery:.2f} s",
    )
    audit.audit(stage, stage.client(service), load.ledger)
    service.stop()
    if not postgres:
        integrity(stage, disk / "chaos.db")


def exhaust_log(stage, postgres):
    """Fills the rest of PostgreSQL's WAL. PostgreSQL panics if it cannot write the WAL."""
    fill = (
        "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 100000)); SELECT pg_switch_wal()"
    )
    for _ in range(100):
        try:
            postgres.sql(fill)
        except Failed:
            break
    panicked = "PANIC" in postgres.log.read_text(errors="replace")
    stage.criterion(
        "PostgreSQL's WAL is full too, and it panicked", panicked, f"panicked: {panicked}"
    )


def recover(stage, postgres, service, load):
    """Returns the seconds until writes succeed; restarts a PostgreSQL that has panicked."""
    if postgres and not until_settled(postgres):
        stage.note("PostgreSQL had stopped and is restarted")
        postgres.start()
    began = time.monotonic()
    if time_to_ready(service) == float("inf"):
        return float("inf")
    outcomes = load.ledger.outcomes
    try:
        until(
            lambda: any(
                outcome.began > began and is_write(outcome) and outcome.status in (200, 201)
                for outcome in outcomes[-200:]
            ),
            "a write",
            30,
        )
    except Failed:
        return float("inf")
    return time.monotonic() - began


def until_settled(postgres):
    """Waits until PostgreSQL has recovered or stopped; returns whether it runs."""
    try:
        postgres.wait_until_ready(30)
    except Failed:
        return False
    return True


def is_write(outcome):
    return outcome.method != "GET" and "/decisions/" not in outcome.text.split(":")[0]


def check(stage, outcomes):
    writes = [outcome for outcome in outcomes if is_write(outcome)]
    reads = [outcome for outcome in outcomes if not is_write(outcome)]
    refused = [outcome for outcome in writes if outcome.status in (STORAGE_FULL, 503)]
    bad = [
        outcome
        for outcome in writes
        if outcome.status not in outcome.wanted and not is_clear(outcome)
    ]
    stage.criterion(
        "writes on a full disk: 507, or 503 with Retry-After, as problems",
        refused and not bad,
        f"{counted(writes)}, {len(bad)} others{examples(bad)}",
    )
    # after PostgreSQL has panicked, reads fail too
    bad = [
        outcome
        for outcome in reads
        if outcome.status not in outcome.wanted
        and not (stage.engine == "postgres" and is_clear(outcome))
    ]
    stage.criterion(
        "reads succeed meanwhile",
        reads and not bad,
        f"{counted(reads)}, {len(bad)} others{examples(bad)}",
    )


def is_clear(outcome):
    return outcome.problem and (
        outcome.status == STORAGE_FULL or outcome.status == 503 and outcome.retry_after
    )


def counted(outcomes):
    return dict(sorted(collections.Counter(str(outcome.status) for outcome in outcomes).items()))


def examples(bad):
    return audit.examples([f"{outcome.method} {outcome.status} {outcome.text}" for outcome in bad])
