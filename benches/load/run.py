#!/usr/bin/env python3
"""Measures decisions over HTTP and looks for stale decisions; prints Markdown.

    benches/load/run.py [--seconds 4] [--rounds 5] [--stale 10000]

The server and PostgreSQL share one core, the load generator has another. Each round measures
constant responses and decisions one after the other, with few and with many connections, so that
noise affects both alike. The medians of all rounds are printed. Needs the Debian packages wrk and
postgresql, and two cores. All files are in a temporary directory.
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
from stage import BASE, K1, Server, build, machine, need, token_of, wrk  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.service import Client  # noqa: E402

SERVER_CORE, CLIENT_CORE = "0", "1"
CONNECTIONS = (32, 128)
DECISION = f"{BASE}/decisions/ticket-visibility"
# the benchmark routes are in src/main.rs
PATHS = {
    "constant": "/bench/v1/constants/answer-to-a-get",
    "same request": "/bench/v1/constants/answer-to-posts",
    "decision": DECISION,
}


def condition(field, operator, *values):
    return {"type": "condition", "field": field, "operator": operator, "values": list(values)}


def rule(dice, number):
    """Returns a rule with three conditions, the first of which is on the area."""
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
    return {
        "name": f"Rule {number}",
        "filter": {"type": "all", "filters": [area, *dice.sample(pool, 2)]},
    }


def seed(client):
    """Creates a partner with 10 areas and 10 rules (3 of them global), and two accesses.

    Returns their ids.
    """
    dice = random.Random(7)
    for n in range(6):
        client.must(
            "PUT", f"{BASE}/catalog/ticket-types/T-{n}", {"name": f"Type {n}", "kind": "standard"}
        )
    for n in range(10):
        client.must("PUT", f"{BASE}/catalog/areas/A-{n}", {"name": f"Area {n}", "color": "#1F77B4"})
    client.must(
        "PUT", f"{BASE}/catalog/business-partners/K-1", {"name": "Partner", "search_name": "P"}
    )
    client.must("PATCH", K1, {"active": True})
    for n in range(10):
        client.must("PUT", f"{K1}/areas/A-{n}")
    client.must("PUT", f"{K1}/ticket-types/T-0")
    for n in range(10):
        client.must(
            "POST", f"{BASE}/exclusion-rules" if n < 3 else f"{K1}/exclusion-rules", rule(dice, n)
        )
    access = {
        "first_name": "Änne",
        "last_name": "Schäfer",
        "ticket_visibility": "partner",
        "contact_id": "P-1",
    }
    return [
        client.must(
            "POST", f"{K1}/accesses", {**access, "email": f"a{n}@b.example", "contact_id": f"P-{n}"}
        )["id"]
        for n in range(2)
    ]


def ticket(dice, number):
    return {
        "ticket_id": f"INC-{10_000 + number}",
        "business_partner_id": "K-1",
        "area_id": f"A-{dice.randrange(10)}",
        "ticket_type_id": f"T-{dice.randrange(6)}",
        "status": dice.choice(["open", "in_progress", "closed"]),
        "closure": None,
        "internal": False,
        "confidential": False,
        "released": True,
        "main_contact_id": f"P-{dice.randrange(50)}",
        "created_by_access_id": None,
        "tags": [f"Tag {dice.randrange(20)}", "VPN"],
        "urgency": dice.choice(["low", "medium"]),
        "impact": "high",
        "entry_channel": "email",
        "project_id": None,
        "service_contract_id": "S-1",
        "subject": f"Einwahl bricht ab, word{dice.randrange(60)} in Größe {dice.randrange(9)}",
        "reference_number": f"R-{number}",
        "created_at": "2026-11-20T08:15:00Z",
    }


def decision_request(access, tickets):
    return {"access_id": access, "tickets": tickets}


def post_script(body, script):
    """Writes a script for wrk that posts the body."""
    script.write_text(
        "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"
        f"wrk.body = [==[{json.dumps(body, ensure_ascii=False)}]==]\n"
    )
    return script


def check_comparable(client, one):
    """Checks that the responses to all kinds of requests have the same headers and length."""
    bodies = {"constant": None, "same request": one, "decision": one}
    responses = {
        kind: client.call("POST" if bodies[kind] else "GET", path, bodies[kind])
        for kind, path in PATHS.items()
    }
    assert len(responses["decision"].json["decisions"]) == 1, responses
    shapes = {
        kind: {**response.headers, "x-request-id": "", "date": "", "body": len(response.text)}
        for kind, response in responses.items()
    }
    assert len({len(path) for path in PATHS.values()}) == 1, PATHS
    assert shapes["constant"] == shapes["same request"] == shapes["decision"], shapes


def measure(server, token, options, directory):
    client = Client(server, token)
    access = seed(client)[0]
    dice = random.Random(11)
    one = decision_request(access, [ticket(dice, 0)])
    check_comparable(client, one)
    get = directory / "get.lua"
    post = post_script(one, directory / "post.lua")
    get.write_text("wrk.method = 'GET'\n")
    scripts = {"constant": get, "same request": post, "decision": post}
    results = {connections: {kind: [] for kind in PATHS} for connections in CONNECTIONS}
    for _ in range(options.rounds):
        for connections, measured in results.items():
            for kind, path in PATHS.items():
                url = f"{server.origin}{path}"
                script = ["-s", str(scripts[kind])]
                pinned = ["taskset", "-c", CLIENT_CORE]
                measured[kind].append(
                    wrk(url, token, connections, options.seconds, *script, prefix=pinned)
                )
    # the previous connection exceeded the idle timeout
    client = Client(server, token)
    batch = decision_request(access, [ticket(dice, n) for n in range(1000)])
    for _ in range(20):
        decided = client.must("POST", DECISION, batch)["decisions"]
    visible = sum(decision["visible"] for decision in decided)
    count = 500
    before = server.cpu_seconds()
    for _ in range(count):
        client.must("POST", DECISION, batch)
    return (
        results,
        1000 * (server.cpu_seconds() - before) / count,
        len(json.dumps(batch)) // 1024,
        visible,
    )


def ratio(results, name):
    """Returns the median ratio of decisions to constants, each pair from the same round."""
    return statistics.median(
        decision[0] / constant[0] for constant, decision in zip(results[name], results["decision"])
    )


def find_stale(binary, url, token, options, directory):
    """Writes to one of two instances under load and requests a decision from the other immediately.

    Returns the number of stale decisions, and the seconds.
    """
    writer, other = (Server([binary], url, directory) for _ in range(2))
    write, read = Client(writer, token), Client(other, token)
    first, second = seed(write)
    ticket = {
        "ticket_id": "1",
        "business_partner_id": "K-1",
        "area_id": "A-0",
        "internal": False,
        "confidential": False,
    }
    attributes = {
        "status": "open",
        "urgency": "medium",
        "ticket_type_id": "T-0",
        "tags": [],
        "released": True,
        "entry_channel": "email",
        "subject": "",
        "created_at": "2026-11-20T08:15:00Z",
    }
    one = decision_request(first, [{**ticket, **attributes}])
    is_visible = lambda: read.must("POST", DECISION, one)["decisions"][0]["visible"]
    assert is_visible()
    script = post_script(one, directory / "stale.lua")
    loads = [
        subprocess.Popen(
            [
                "wrk",
                "-t1",
                "-c4",
                "-d3600s",
                "-s",
                str(script),
                "-H",
                f"Authorization: Bearer {token}",
                f"{server.origin}{DECISION}",
            ],
            stdout=subprocess.DEVNULL,
        )
        for server in (writer, other)
    ]
    set_area = lambda active: write.must(
        "PUT", f"{BASE}/catalog/areas/A-0", {"name": "Area 0", "color": "#1F77B4", "active": active}
    )
    hides = {"name": "hides", "filter": condition("area", "in", "A-0")}
    rules = []
    create_rule = lambda path: rules.append(f"{path}/{write.must('POST', path, hides)['id']}")
    delete_rule = lambda: write.must("DELETE", rules.pop())
    set_access = lambda active: write.must("PATCH", f"{K1}/accesses/{first}", {"active": active})
    # each write, and whether the ticket is visible after it
    writes = [
        (lambda: set_access(False), False),
        (lambda: set_access(True), True),
        (lambda: create_rule(f"{K1}/exclusion-rules"), False),
        (delete_rule, True),
        (lambda: create_rule(f"{BASE}/exclusion-rules"), False),
        (delete_rule, True),
        (lambda: set_area(False), False),
        (lambda: set_area(True), True),
    ]
    stale = 0
    started = time.monotonic()
    try:
        for number in range(options.stale):
            change, expected = writes[number % len(writes)]
            change()
            stale += is_visible() != expected
    finally:
        for load in loads:
            load.kill()
        writer.stop()
        other.stop()
    return stale, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stale", type=int, default=10_000)
    options = parser.parse_args()
    need("wrk", "taskset")
    target = build()
    binary, token = target / "load-bench", token_of(target)
    print(
        f"{machine()}; server and database on core {SERVER_CORE}, `wrk -t1` on core {CLIENT_CORE}; median of {options.rounds} rounds of {options.seconds} s\n"
    )
    print(
        "| engine | connections | constant response to GET, requests/s (p99) | constant response to the same request | one decision | "
        "ratio to GET | ratio to the same request |"
    )
    print("|---|---|---|---|---|---|---|")
    batches = []
    with tempfile.TemporaryDirectory(prefix="load-") as temporary, contextlib.ExitStack() as stack:
        directory = pathlib.Path(temporary)
        # durable, as in production
        postgres = Postgres(directory / "pg", "bench", prefix=["taskset", "-c", SERVER_CORE])
        stack.callback(postgres.stop)
        postgres.create_database("stale")
        for engine, url in (
            ("SQLite", f"sqlite://{directory}/bench.db"),
            ("PostgreSQL", postgres.url),
        ):
            server = Server([binary], url, directory, SERVER_CORE, "1")
            try:
                results, cpu_ms, kib, visible = measure(server, token, options, directory)
            finally:
                server.stop()
            for connections, measured in results.items():
                medians = [
                    [statistics.median(column) for column in zip(*runs)]
                    for runs in measured.values()
                ]
                cells = [f"{requests:,.0f} ({p99:.1f} ms)" for requests, p99 in medians]
                cells += [
                    f"{100 * ratio(measured, name):.0f} %" for name in ("constant", "same request")
                ]
                print(f"| {engine} | {connections} | {' | '.join(cells)} |", flush=True)
            batches.append(f"{engine} {cpu_ms:.2f} ms of CPU")
        print(f"\n1,000 tickets ({kib} KiB, {visible} visible): {', '.join(batches)}")
        stale, seconds = find_stale(binary, postgres.url_of("stale"), token, options, directory)
        print(
            f"\nTwo instances on one PostgreSQL: {options.stale:,} writes to one, each followed by a decision of the other: "
            f"{stale} stale decisions ({seconds:.0f} s)"
        )
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
