"""The service is killed at random moments while it writes: what it has acknowledged is there, and nothing is half
there.
"""

import sqlite3
import time

import audit
from bookkeeping import Load
from support.waiting import until

ENGINES = ("sqlite", "postgres")
SECONDS = 240
ROUNDS = 20
# between two kills, in seconds; and at least one write is acknowledged in each round
MOMENTS = (0.05, 1.5)


def run(stage):
    url = stage.sqlite_url() if stage.engine == "sqlite" else stage.postgres().url
    service = stage.service(url)
    load = Load(stage, service, writers=4).start()
    auditor = stage.client(service)
    ledger, lost, known, restarts = load.ledger, [], {}, []
    for _ in range(ROUNDS):
        until(lambda: len(ledger.promised()) > len(known), "a first write of the round", 30)
        time.sleep(stage.dice.uniform(*MOMENTS))
        service.kill()
        auditor.close()
        new = {id: it for id, it in ledger.promised().items() if id not in known}
        known.update(new)
        began = time.monotonic()
        service.start()
        service.wait_until_ready()
        restarts.append(time.monotonic() - began)
        lost += audit.missing(auditor, new)
    load.stop()
    stage.criterion(
        "after each of the kills, what was acknowledged before it is there", not lost,
        f"{ROUNDS} kills, {len(known)} acknowledged until the last one, {len(lost)} missing; ready again after "
        f"{max(restarts):.2f} s at most",
    )  # fmt: skip
    audit.audit(stage, auditor, ledger)
    auditor.close()
    service.stop()
    if stage.engine == "sqlite":
        integrity(stage, stage.directory / "faults.db")


def integrity(stage, path):
    """What SQLite itself says of its file."""
    with sqlite3.connect(path) as database:
        said = [row[0] for row in database.execute("PRAGMA integrity_check")]
        foreign = database.execute("PRAGMA foreign_key_check").fetchall()
    database.close()
    stage.criterion(
        "SQLite's integrity_check and foreign_key_check", said == ["ok"] and not foreign, f"{said}, {foreign}"
    )
