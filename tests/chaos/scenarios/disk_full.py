"""The database's disk fills up under load: writes are refused clearly, reads go on, and all is well once there is room
again.
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
SECONDS = 120
# an SQLite file needs little; a cluster has 40 MiB when new
SIZES = {"sqlite": "6m", "postgres": "72m"}
# small segments of the log, so that a new one is soon needed and cannot be had
SMALL_LOG = ["max_wal_size=4MB", "min_wal_size=2MB", "checkpoint_timeout=30s"]
# how long the disk stays full, after the first refusal
FULL = 8
RECOVERY = 5


class Ballast(threading.Thread):
    """Takes every byte of a disk, also those that become free."""

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
        postgres = stage.postgres("data", SMALL_LOG, parent=disk, initdb=initdb, log=stage.directory / "postgres.log")
    service = stage.service(postgres.url if postgres else stage.sqlite_url(disk))
    load = Load(stage, service, writers=3, readers=2).start()
    wait_for_success(load)
    process, first = service.process, len(load.ledger.told)
    ballast = Ballast(disk)
    ballast.start()
    stage.callback(ballast.halt.set)
    try:
        until(
            lambda: any(is_write(it) and it.status not in it.wanted for it in load.ledger.told[first:]),
            "a full disk",
            30,
        )
        time.sleep(FULL)
        if postgres:
            exhaust_log(stage, postgres)
            time.sleep(FULL)
    finally:
        ballast.remove()
    full = load.ledger.told[first:]
    recovery = recover(stage, postgres, service, load)
    load.stop()
    judge(stage, full)
    stage.criterion(
        f"writes succeed within {RECOVERY} s after there is room, without a restart of the service",
        recovery <= RECOVERY and service.process is process and service.is_running(), f"{recovery:.2f} s",
    )  # fmt: skip
    audit.audit(stage, stage.client(service), load.ledger)
    service.stop()
    if not postgres:
        integrity(stage, disk / "faults.db")


def exhaust_log(stage, postgres):
    """Fills what is left of PostgreSQL's log. When that cannot go on, PostgreSQL gives up at once: what it cannot log
    it must not do.
    """
    fill = "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 100000)); SELECT pg_switch_wal()"
    for _ in range(100):
        try:
            postgres.sql(fill)
        except Failed:
            break
    panicked = "PANIC" in postgres.log.read_text(errors="replace")
    stage.criterion("PostgreSQL's log is full as well, and it gave up", panicked, f"it panicked: {panicked}")


def recover(stage, postgres, service, load):
    """How long it takes until writes succeed. PostgreSQL that cannot write its log gives up; whoever runs it starts it
    again.
    """
    if postgres and not until_settled(postgres):
        stage.note("PostgreSQL had stopped, and is started again")
        postgres.start()
    began = time.monotonic()
    if time_to_ready(service) == float("inf"):
        return float("inf")
    told = load.ledger.told
    try:
        until(
            lambda: any(it.began > began and is_write(it) and it.status in (200, 201) for it in told[-200:]),
            "a write",
            30,
        )
    except Failed:
        return float("inf")
    return time.monotonic() - began


def until_settled(postgres):
    """Whether PostgreSQL is there, once it has made up its mind: it may be recovering, or on its way out."""
    try:
        postgres.wait_until_ready(30)
    except Failed:
        return False
    return True


def is_write(told):
    return told.method != "GET" and "/decisions/" not in told.text.split(":")[0]


def judge(stage, told):
    writes, reads = [it for it in told if is_write(it)], [it for it in told if not is_write(it)]
    refused = [it for it in writes if it.status in (STORAGE_FULL, 503)]
    bad = [it for it in writes if it.status not in it.wanted and not is_clear(it)]
    stage.criterion(
        "writes on a full disk: 507, or 503 with Retry-After, as problems", refused and not bad,
        f"{counted(writes)}, {len(bad)} others{examples(bad)}",
    )  # fmt: skip
    # a PostgreSQL that gave up answers no reads either
    bad = [it for it in reads if it.status not in it.wanted and not (stage.engine == "postgres" and is_clear(it))]
    stage.criterion("reads go on meanwhile", reads and not bad, f"{counted(reads)}, {len(bad)} others{examples(bad)}")


def is_clear(told):
    return told.problem and (told.status == STORAGE_FULL or told.status == 503 and told.retry_after)


def counted(told):
    return dict(sorted(collections.Counter(str(it.status) for it in told).items()))


def examples(bad):
    return audit.examples([f"{it.method} {it.status} {it.text}" for it in bad])
