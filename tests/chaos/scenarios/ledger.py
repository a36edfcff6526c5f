"""Kills the service at random moments during writes: acknowledged writes persist, and no write is
partial.
"""

import sqlite3
import time

import audit
from bookkeeping import Load
from support.waiting import until

ENGINES = ("sqlite", "postgres")
TIME_LIMIT = 240
ROUNDS = 20
# seconds between two kills; each round waits for at least one acknowledged write
KILL_AFTER = (0.05, 1.5)


def run(stage):
    url = stage.sqlite_url() if stage.engine == "sqlite" else stage.postgres().url
    service = stage.service(url)
    load = Load(stage, service, writers=4).start()
    auditor = stage.client(service)
    ledger = load.ledger
    known = {}
    lost, restarts = [], []
    for _ in range(ROUNDS):
        until(lambda: len(ledger.promised()) > len(known), "a first write of the round", 30)
        time.sleep(stage.rng.uniform(*KILL_AFTER))
        service.kill()
        auditor.close()
        new = {id: promise for id, promise in ledger.promised().items() if id not in known}
        known.update(new)
        began = time.monotonic()
        service.start()
        service.wait_until_ready()
        restarts.append(time.monotonic() - began)
        lost += audit.missing(auditor, new)
    load.stop()
    stage.criterion(
        "after each kill, all writes acknowledged before exist",
        not lost,
        f"{ROUNDS} kills, {len(known)} acknowledged before the last one, {len(lost)} missing; ready again after "
        f"{max(restarts):.2f} s at most",
    )
    audit.audit(stage, auditor, ledger)
    auditor.close()
    service.stop()
    if stage.engine == "sqlite":
        integrity(stage, stage.directory / "chaos.db")


def integrity(stage, path):
    """Runs SQLite's own checks of its file."""
    with sqlite3.connect(path) as database:
        result = [row[0] for row in database.execute("PRAGMA integrity_check")]
        foreign = database.execute("PRAGMA foreign_key_check").fetchall()
    database.close()
    stage.criterion(
        "SQLite's integrity_check and foreign_key_check",
        result == ["ok"] and not foreign,
        f"{result}, {foreign}",
    )
