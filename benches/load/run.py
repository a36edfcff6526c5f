#!/usr/bin/env python3
"""Measures decisions over HTTP on this machine, and hunts for stale answers; prints Markdown.

    benches/load/run.py [--seconds 4] [--rounds 5] [--stale 10000]

One core is the server's (and PostgreSQL's), the other one the load generator's. Each round measures the constant answer and the
decision one after the other, on both engines, by few connections and by many; the medians of all rounds are told, so that a noisy
moment harms both sides alike.
Needs Debian's packages wrk and postgresql, and two cores. Everything it makes is in a temporary directory.
"""

import argparse
import contextlib
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from stage import BASE, K1, Server, build, machine, need, token_of, wrk  # noqa: E402 (its modules write no bytecode either)
from support.postgres import Postgres  # noqa: E402
from support.service import Client  # noqa: E402

SERVER_CORE, CLIENT_CORE = "0", "1"
CONNECTIONS = (32, 128)
DECISION = f"{BASE}/decisions/ticket-visibility"
# what each kind of request asks for: see src/main.rs
PATHS = {"constant": "/bench/v1/constants/answer-to-a-get", "same request": "/bench/v1/constants/answer-to-posts", "decision": DECISION}


def condition(field, operator, *values):
    return {"type": "condition", "field": field, "operator": operator, "values": list(values)}


def rule(dice, number):
    """Three conditions, the first one on the area."""
    pool = [
        condition("status", "in", dice.choice(["closed", "parked"])),
        condition("urgency", "in", dice.choice(["low", "high"])),
        condition("ticket_type", "in", f"T-{dice.randrange(6)}"),
        condition("tag", "any_of", f"tag {dice.randrange(20)}"),
        condition("released", "is", "false"),
        condition("entry_channel", "not_in", "email", "phone"),
        condition("subject", "contains", f"word{dice.randrange(30)}"),
        condition("created_at", "older_than", "P2Y"),
    ]
    area = condition("area", "in", *(f"A-{n}" for n in dice.sample(range(10), 3)))
    return {"name": f"Rule {number}", "filter": {"type": "all", "filters": [area, *dice.sample(pool, 2)]}}


def seed(client):
    """A partner with 10 areas, 10 rules of three conditions (three of them global), and an access that sees all its tickets."""
    dice = random.Random(7)
    for n in range(6):
        client.must("PUT", f"{BASE}/catalog/ticket-types/T-{n}", {"name": f"Type {n}", "kind": "standard"})
    for n in range(10):
        client.must("PUT", f"{BASE}/catalog/areas/A-{n}", {"name": f"Area {n}", "color": "#1F77B4"})
    client.must("PUT", f"{BASE}/catalog/business-partners/K-1", {"name": "Partner", "search_name": "P"})
    client.must("PATCH", K1, {"active": True})
    for n in range(10):
        client.must("PUT", f"{K1}/areas/A-{n}")
    client.must("PUT", f"{K1}/ticket-types/T-0")
    for n in range(10):
        client.must("POST", f"{BASE}/exclusion-rules" if n < 3 else f"{K1}/exclusion-rules", rule(dice, n))
    people = {"first_name": "Änne", "last_name": "Schäfer", "ticket_visibility": "partner", "contact_id": "P-1"}
    return [client.must("POST", f"{K1}/accesses", {**people, "email": f"a{n}@b.example", "contact_id": f"P-{n}"})["id"] for n in range(2)]


def ticket(dice, number):
    return {
        "ticket_id": f"INC-{10_000 + number}", "business_partner_id": "K-1", "area_id": f"A-{dice.randrange(10)}",
        "ticket_type_id": f"T-{dice.randrange(6)}", "status": dice.choice(["open", "in_progress", "closed"]), "closure": None,
        "internal": False, "confidential": False, "released": True, "main_contact_id": f"P-{dice.randrange(50)}",
        "created_by_access_id": None, "tags": [f"Tag {dice.randrange(20)}", "VPN"], "urgency": dice.choice(["low", "medium"]),
        "impact": "high", "entry_channel": "email", "project_id": None, "service_contract_id": "S-1",
        "subject": f"Einwahl bricht ab, word{dice.randrange(60)} in Größe {dice.randrange(9)}",
        "reference_number": f"R-{number}", "created_at": "2026-11-20T08:15:00Z",
    }


def question(access, tickets):
    return {"access_id": access, "tickets": tickets}


def posting(body, script):
    """The script with which wrk posts this body."""
    script.write_text("wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"
                      f"wrk.body = [==[{json.dumps(body, ensure_ascii=False)}]==]\n")
    return script


def must_be_alike(client, one):
    """The constants are measured beside a decision, so they have to be as long, head and body."""
    bodies = {"constant": None, "same request": one, "decision": one}
    answers = {kind: client.call("POST" if bodies[kind] else "GET", path, bodies[kind]) for kind, path in PATHS.items()}
    assert len(answers["decision"].json["decisions"]) == 1, answers
    shapes = {kind: {**answer.headers, "x-request-id": "", "date": "", "body": len(answer.text)} for kind, answer in answers.items()}
    assert len({len(path) for path in PATHS.values()}) == 1, PATHS
    assert shapes["constant"] == shapes["same request"] == shapes["decision"], shapes


def measure(server, token, options, directory):
    client = Client(server, token)
    access = seed(client)[0]
    dice = random.Random(11)
    one = question(access, [ticket(dice, 0)])
    must_be_alike(client, one)
    get, post = directory / "get.lua", posting(one, directory / "post.lua")
    get.write_text("wrk.method = 'GET'\n")
    scripts = {"constant": get, "same request": post, "decision": post}
    results = {connections: {kind: [] for kind in PATHS} for connections in CONNECTIONS}
    for _ in range(options.rounds):
        for connections, measured in results.items():
            for kind, path in PATHS.items():
                url, pinned = f"{server.origin}{path}", ["taskset", "-c", CLIENT_CORE]
                measured[kind].append(wrk(url, token, connections, options.seconds, "-s", str(scripts[kind]), prefix=pinned))
    # the one before was idle for too long, and is closed
    client = Client(server, token)
    batch = question(access, [ticket(dice, n) for n in range(1000)])
    for _ in range(20):
        decided = client.must("POST", DECISION, batch)["decisions"]
    visible = sum(it["visible"] for it in decided)
    before, count = server.cpu_seconds(), 500
    for _ in range(count):
        client.must("POST", DECISION, batch)
    return results, 1000 * (server.cpu_seconds() - before) / count, len(json.dumps(batch)) // 1024, visible


def ratio(results, name):
    """Decisions to constant answers, each pair measured one right after the other."""
    return statistics.median(decision[0] / constant[0] for constant, decision in zip(results[name], results["decision"]))


def hunt(binary, url, token, options, directory):
    """Two instances on one database: one writes, the other one is asked at once, while both are asked all the time."""
    writer, other = (Server([binary], url, directory) for _ in range(2))
    write, ask = Client(writer, token), Client(other, token)
    first, second = seed(write)
    asked = {"ticket_id": "1", "business_partner_id": "K-1", "area_id": "A-0", "internal": False, "confidential": False}
    facts = {"status": "open", "urgency": "medium", "ticket_type_id": "T-0", "tags": [], "released": True,
             "entry_channel": "email", "subject": "", "created_at": "2026-11-20T08:15:00Z"}
    one = question(first, [{**asked, **facts}])
    sees = lambda: ask.must("POST", DECISION, one)["decisions"][0]["visible"]
    assert sees()
    script = posting(one, directory / "hunt.lua")
    loads = [subprocess.Popen(["wrk", "-t1", "-c4", "-d3600s", "-s", str(script), "-H", f"Authorization: Bearer {token}",
                               f"{it.origin}{DECISION}"],
                              stdout=subprocess.DEVNULL) for it in (writer, other)]
    area = lambda active: write.must("PUT", f"{BASE}/catalog/areas/A-0", {"name": "Area 0", "color": "#1F77B4", "active": active})
    hides = {"name": "hides", "filter": condition("area", "in", "A-0")}
    rules, stale, started = [], 0, time.monotonic()
    made = lambda path: rules.append(f"{path}/{write.must('POST', path, hides)['id']}")
    gone = lambda: write.must("DELETE", rules.pop())
    access = lambda active: write.must("PATCH", f"{K1}/accesses/{first}", {"active": active})
    writes = [
        (lambda: access(False), False), (lambda: access(True), True),
        (lambda: made(f"{K1}/exclusion-rules"), False), (gone, True),
        (lambda: made(f"{BASE}/exclusion-rules"), False), (gone, True),
        (lambda: area(False), False), (lambda: area(True), True),
    ]
    try:
        for number in range(options.stale):
            change, expected = writes[number % len(writes)]
            change()
            stale += sees() != expected
    finally:
        for load in loads:
            load.kill()
        writer.stop()
        other.stop()
    return stale, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stale", type=int, default=10_000)
    options = parser.parse_args()
    need("wrk", "taskset")
    target = build()
    binary, token = target / "load-bench", token_of(target)
    print(f"{machine()}; server and database on core {SERVER_CORE}, `wrk -t1` on core {CLIENT_CORE}; median of {options.rounds} rounds of {options.seconds} s\n")
    print("| engine | connections | constant answer to a GET, requests/s (p99) | constant answer to the decision's request | one decision | "
          "ratio to the GET | ratio to the same request |")
    print("|---|---|---|---|---|---|---|")
    batches = []
    with tempfile.TemporaryDirectory(prefix="load-") as temporary, contextlib.ExitStack() as stack:
        directory = pathlib.Path(temporary)
        # as durable as a real one
        postgres = Postgres(directory / "pg", "bench", prefix=["taskset", "-c", SERVER_CORE])
        stack.callback(postgres.stop)
        postgres.create_database("hunt")
        for engine, url in (("SQLite", f"sqlite://{directory}/bench.db"), ("PostgreSQL", postgres.url)):
            server = Server([binary], url, directory, SERVER_CORE, "1")
            try:
                results, cpu_ms, kib, visible = measure(server, token, options, directory)
            finally:
                server.stop()
            for connections, measured in results.items():
                median = {name: (statistics.median(it[0] for it in runs), statistics.median(it[1] for it in runs)) for name, runs in measured.items()}
                told = [f"{requests:,.0f} ({p99:.1f} ms)" for requests, p99 in median.values()]
                told += [f"{100 * ratio(measured, name):.0f} %" for name in ("constant", "same request")]
                print(f"| {engine} | {connections} | {' | '.join(told)} |", flush=True)
            batches.append(f"{engine} {cpu_ms:.2f} ms of CPU")
        print(f"\n1,000 tickets ({kib} KiB, {visible} visible): {', '.join(batches)}")
        stale, seconds = hunt(binary, postgres.url_of("hunt"), token, options, directory)
        print(f"\nTwo instances on one PostgreSQL: {options.stale:,} writes through one, each followed by a question to the other: "
              f"{stale} stale answers ({seconds:.0f} s)")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
