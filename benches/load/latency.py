#!/usr/bin/env python3
"""Measures how much the largest decision requests of one caller delay another caller.

    benches/load/latency.py [--seconds 4] [--rounds 5] [--binary PATH] [QUESTION...]

The service has one worker thread. One caller repeats a question that is as expensive as the limits
allow, each in its own process. Another caller alternates between a small decision about another
partner and /health/ready. Every round measures both without and with load. Prints Markdown: the
percentiles over all rounds, and how much the 99th grows under load. Needs the Debian package
postgresql. All files are in a temporary directory.
"""

import argparse
import collections
import contextlib
import http.client
import json
import multiprocessing
import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from stage import BASE, SCOPES, SETTINGS, Server, build, machine  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.service import Client, mint  # noqa: E402

VISIBILITY = f"{BASE}/decisions/ticket-visibility"
PREVIEW = f"{BASE}/decisions/exclusion-rule-preview"
READY = "/health/ready"
# The measuring caller pauses, because its own requests must not be the load.
PAUSE = 0.004
# A caller that gets no response for this long fails.
TIMEOUT = 60
MAX_BODY = 4 * 1024 * 1024


def condition(field, operator, values):
    return {"type": "condition", "field": field, "operator": operator, "values": values}


def tag_filter(rule):
    """Returns 50 conditions with 100 tags each."""
    values = lambda number: [f"{rule}-{number}-{tag}" for tag in range(100)]
    return {"type": "any", "filters": [condition("tag", "any_of", values(n)) for n in range(50)]}


def text_filter(rule):
    """Returns 50 conditions on the subject."""
    texts = [f"{'a' * (number + 1)}{rule}" for number in range(50)]
    return {"type": "any", "filters": [condition("subject", "contains", [text]) for text in texts]}


def status_filter(rule):
    return condition("status", "in", ["open"])


# The rules of each partner, K-0 being that of the measuring caller.
RULES = {
    "K-0": (10, status_filter),
    "K-tags": (20, tag_filter),
    "K-texts": (31, text_filter),
    "K-steps": (400, status_filter),
    "K-reload": (100, tag_filter),
}


def ticket(number, partner, **more):
    return {
        "ticket_id": str(number),
        "business_partner_id": partner,
        "area_id": "A-1",
        "internal": False,
        "confidential": False,
        **more,
    }


def visibility(partner, tickets, **more):
    return {"access_email": f"{partner.lower()}@b.example", "tickets": tickets, **more}


def questions():
    """Returns for each question its path, its body, and the requests to send before each time."""
    known = {"status": "closed", "tags": [], "subject": ""}
    tickets = lambda count, partner, **more: [
        ticket(number, partner, **{**known, **more}) for number in range(count)
    ]
    text = "ä" * 1000
    deactivate = [("PATCH", "K-reload", {"active": active}) for active in (False, True)]
    return {
        "tags": (VISIBILITY, visibility("K-tags", tickets(1000, "K-tags", tags=["x"])), []),
        "one ticket": (
            VISIBILITY,
            visibility("K-tags", tickets(1, "K-tags", tags=[f"t{n}" for n in range(1000)])),
            [],
        ),
        "texts": (VISIBILITY, visibility("K-texts", tickets(1000, "K-texts", subject=text)), []),
        "explanations, small": (
            VISIBILITY,
            visibility("K-steps", tickets(300, "K-steps", status="open"), explain=True),
            [],
        ),
        "explanations, large": (
            VISIBILITY,
            visibility("K-steps", tickets(1000, "K-steps", status="open"), explain=True),
            [],
        ),
        "preview": (
            PREVIEW,
            {
                "business_partner_id": "K-texts",
                "filter": tag_filter(0),
                "tickets": tickets(200, "K-texts", subject=text, tags=["x"] * 90),
            },
            [],
        ),
        "changed rules": (VISIBILITY, visibility("K-reload", tickets(1, "K-reload")), deactivate),
    }


def seed(client):
    """Creates a partner with an access for each entry of `RULES`. Returns a rule of each."""
    client.must("PUT", f"{BASE}/catalog/ticket-types/T-1", {"name": "Type", "kind": "standard"})
    client.must("PUT", f"{BASE}/catalog/areas/A-1", {"name": "Area", "color": "#1F77B4"})
    rules = {}
    for partner, (count, filter_of) in RULES.items():
        path = f"{BASE}/customer-integrations/{partner}"
        names = {"name": partner, "search_name": partner}
        client.must("PUT", f"{BASE}/catalog/business-partners/{partner}", names)
        client.must("PATCH", path, {"active": True})
        client.must("PUT", f"{path}/areas/A-1")
        client.must("PUT", f"{path}/ticket-types/T-1")
        person = {"first_name": "Änne", "last_name": "Schäfer", "ticket_visibility": "partner"}
        email = f"{partner.lower()}@b.example"
        client.must("POST", f"{path}/accesses", {**person, "email": email})
        for number in range(count):
            rule = {"name": f"Rule {number}", "filter": filter_of(number)}
            created = client.must("POST", f"{path}/exclusion-rules", rule)
        rules[partner] = f"{path}/exclusion-rules/{created['id']}"
    return rules


class Caller:
    """A persistent connection."""

    def __init__(self, host, port, token):
        self.connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        """Returns the status and the seconds."""
        started = time.perf_counter()
        self.connection.request(method, path, body, self.headers)
        response = self.connection.getresponse()
        response.read()
        return response.status, time.perf_counter() - started


def load(host, port, token, requests, statuses):
    """Repeats requests until the process is ended, and counts the status of the last one."""
    caller = Caller(host, port, token)
    while True:
        for method, path, body in requests:
            status, seconds = caller.call(method, path, body)
        statuses.put((status, seconds))


def measure(caller, seconds, samples):
    """Adds latencies of small decisions and of /health/ready to `samples`, in milliseconds."""
    body = json.dumps(visibility("K-0", [ticket(1, "K-0", status="closed")]))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name, request in (
            ("decision", ("POST", VISIBILITY, body)),
            ("ready", ("GET", READY)),
        ):
            status, elapsed = caller.call(*request)
            assert status == 200, (name, status)
            samples[name].append(1000 * elapsed)
            time.sleep(PAUSE)


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def compare(server, token, requests, options):
    """Returns the samples without and with load, and the load's statuses and seconds."""
    address = server.host, server.port
    idle, loaded = collections.defaultdict(list), collections.defaultdict(list)
    statuses = multiprocessing.Queue()
    for _ in range(options.rounds):
        measure(Caller(*address, token), options.seconds, idle)
        process = multiprocessing.Process(target=load, args=(*address, token, requests, statuses))
        process.start()
        try:
            # the first question loads the policy
            first = [statuses.get(timeout=TIMEOUT)]
            measure(Caller(*address, token), options.seconds, loaded)
        finally:
            process.terminate()
            process.join()
    answered = first
    while not statuses.empty():
        answered.append(statuses.get())
    return idle, loaded, answered


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--binary", type=pathlib.Path, help="the service; default: build it")
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"))
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help="default: all")
    options = parser.parse_args()
    binary = options.binary or build() / "customer-integration"
    token = mint(binary, SETTINGS, SCOPES, ttl="6h")
    chosen = {name: q for name, q in questions().items() if name in (options.questions or [name])}
    print(f"{machine()}; one worker thread; {options.rounds} rounds of 2 × {options.seconds} s\n")
    print("| engine | question | status, seconds | caller | p50 | p99 | p50, load | p99, load | p99 grows by |")
    print("|---|---|---|---|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="latency-") as temporary, contextlib.ExitStack() as stack:
        directory = pathlib.Path(temporary)
        postgres = Postgres(directory / "pg", "bench")
        stack.callback(postgres.stop)
        for engine, url in (
            ("SQLite", f"sqlite://{directory}/bench.db"),
            ("PostgreSQL", postgres.url),
        ):
            if engine != (options.engine or engine):
                continue
            # the line with the address has the level info
            log = {"RUST_LOG": "warn,customer_integration=info,customer_integration::http=warn"}
            server = Server([binary, "serve"], url, directory, workers="1", **log)
            stack.callback(server.stop)
            rules = seed(Client(server, token))
            for name, (path, body, before) in chosen.items():
                text = json.dumps(body, ensure_ascii=False).encode()
                assert len(text) <= MAX_BODY, name
                requests = [
                    (method, rules[partner], json.dumps(change)) for method, partner, change in before
                ]
                requests.append(("POST", path, text))
                idle, loaded, answered = compare(server, token, requests, options)
                status, seconds = answered[-1]
                for caller in idle:
                    cells = [percentile(s[caller], p) for s in (idle, loaded) for p in (50, 99)]
                    cells.append(cells[3] - cells[1])
                    print(
                        f"| {engine} | {name} | {status}, {seconds:.2f} s | {caller} | "
                        + " | ".join(f"{cell:.1f} ms" for cell in cells)
                        + " |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
