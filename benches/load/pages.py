#!/usr/bin/env python3
"""Measures the service over HTTP beside what PostgreSQL can do without it; prints Markdown.

    benches/load/pages.py [--seconds 5] [--rounds 3] [--partners 100000]

A page of one partner's tags, read from the database and kept from an earlier reading; the same page when the caller has it
(304); and the change of one tag of any of a hundred partners. And what it costs to read a page with a thousand partners and
with many. Each round measures everything once, so that a noisy moment harms all sides alike; the medians of all rounds are
told. First as many requests as go, by few connections and by many: reads with wrk, because the machine is shared and wrk, like pgbench,
takes little of it for itself; writes, of which each is another one, with oha. Then the latencies at 70 % of that with oha, corrected
for coordinated omission. Beside the requests of so many connections stand the transactions of as many clients of pgbench.
Nothing is pinned to a core: service, PostgreSQL and load generator share the machine. Needs Debian's packages postgresql and wrk, and oha: `cargo install --locked --root target/tools oha`.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
import types

sys.dont_write_bytecode = True
import ceiling  # noqa: E402
import partners  # noqa: E402
from stage import BASE, K1, ROOT, SETTINGS, Server, build, machine, need, sh, token_of, wrk  # noqa: E402
from support.addresses import own_loopback  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.processes import memory_mib  # noqa: E402
from support.service import Client, clean_environment  # noqa: E402

FEW_CONNECTIONS, MANY_CONNECTIONS = 32, 128
# as many as pgbench's clients and the services need
MAX_CONNECTIONS = 250
# with it, every page is read from the database
NOTHING_KEPT = {"PAGE_CACHE_MIB": "0"}
READS = ("page", "kept page", "304")
# of the greatest throughput
SHARE = 0.7
WRITERS = 100
TAGS = 10
# requests per second for a page's latency, whatever the number of partners: far below what goes
CALM = 200
FEW = 1000
# a name as it is captured, and the text that pgbench makes other ones of
CAPTURED = "captured-name"


def oha(urls, token, seconds, *more, connections=FEW_CONNECTIONS, rate=None, expected="200"):
    """Requests per second, and the latencies' percentiles in milliseconds."""
    command = ["oha", "--no-tui", "--output-format", "json", "-w", "-z", f"{seconds}s", "-c", str(connections)]
    command += ["--latency-correction", "-q", str(rate)] if rate else []
    told = json.loads(sh(*command, "-H", f"Authorization: Bearer {token}", *more, *urls))
    wrong = {code: count for code, count in told["statusCodeDistribution"].items() if code != expected}
    if wrong or told["errorDistribution"]:
        sys.exit(f"{urls}: {wrong} {told['errorDistribution']}")
    percentiles = {name: 1000 * value for name, value in told["latencyPercentiles"].items() if value is not None}
    return told["summary"]["requestsPerSec"], percentiles


def most_of(url, token, seconds, *more, connections, expected):
    """Requests per second; wrk does not tell a 200 from a 304, so that is looked at beforehand."""
    status = sh("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}", *more, url)
    if status != expected:
        sys.exit(f"{url}: {status}")
    return wrk(url, token, connections, seconds, *more)[0]


def ready_after(binary, url, directory):
    """Milliseconds from the start of the process to the first 200 of /health/ready, and MiB of memory a while later."""
    at = types.SimpleNamespace(host=own_loopback(), port=8080)
    settings = {**SETTINGS, "DATABASE_URL": url, "BIND_ADDRESS": f"{at.host}:{at.port}"}
    started = time.monotonic()
    with (directory / "start.log").open("wb") as log:
        process = subprocess.Popen([binary, "serve"], env=clean_environment(settings), stdout=log, stderr=log)
    try:
        while not is_ready(at):
            if process.poll() is not None or time.monotonic() - started > 30:
                sys.exit("it does not start: " + (directory / "start.log").read_text())
            time.sleep(0.001)
        took = 1000 * (time.monotonic() - started)
        time.sleep(2)
        return took, memory_mib(process.pid)
    finally:
        process.terminate()
        process.wait()


def is_ready(at):
    client = Client(at, timeout=5)
    try:
        return client.call("GET", "/health/ready").status == 200
    except OSError:
        return False
    finally:
        client.close()


def seed(client):
    """K-1 with ten tags, which is read, and as many others with one tag each as are written to; the paths of those tags."""
    paths = []
    for number in range(1, WRITERS + 2):
        client.must("PUT", f"{BASE}/catalog/business-partners/K-{number}", {"name": f"Partner {number}", "search_name": "P"})
        client.must("PATCH", f"{BASE}/customer-integrations/K-{number}", {"active": True})
        tags = f"{BASE}/customer-integrations/K-{number}/tags"
        made = [client.must("POST", tags, {"name": f"Tag {n}"})["id"] for n in range(TAGS if number == 1 else 1)]
        paths.append(f"{tags}/{made[0]}")
    return paths[1:]


class Engine:
    """The service on one engine, with what is measured there."""

    def __init__(self, name, binary, url, token, directory, **settings):
        self.name, self.token = name, token
        self.server = Server([binary], url, directory, **settings)
        client = Client(self.server, token)
        self.paths = seed(client)
        self.page = f"{K1}/tags?limit={TAGS}"
        tag = client.call("GET", self.page).headers["etag"]
        urls, names = directory / f"{name}-urls", directory / f"{name}-names"
        urls.write_text("".join(f"{self.server.origin}{it}\n" for it in self.paths))
        names.write_text("".join(json.dumps({"name": f"Name {random.randrange(10**9)}"}) + "\n" for _ in range(10_000)))
        page = [f"{self.server.origin}{self.page}"]
        self.kinds = {"page": (page, [])} if settings == NOTHING_KEPT else {
            "kept page": (page, []),
            "304": (page, ["-H", f"If-None-Match: {tag}"]),
            "write": ([str(urls)], ["--urls-from-file", "-m", "PATCH", "-T", "application/json", "-Z", str(names)]),
        }
        self.measured = collections.defaultdict(list)

    def measure(self, kind, connections, seconds):
        urls, more = self.kinds[kind]
        how = {"connections": connections, "expected": "304" if kind == "304" else "200"}
        before = self.server.cpu_seconds()
        most = oha(urls, self.token, seconds, *more, **how)[0] if kind == "write" else most_of(*urls, self.token, seconds, *more, **how)
        cpu = self.server.cpu_seconds() - before
        _, latency = oha(urls, self.token, seconds, *more, rate=int(SHARE * most), **how)
        told = most, latency["p50"], latency["p99"], 1e6 * cpu / (most * seconds), self.server.memory_mib()
        self.measured[kind, connections].append(told)

    def medians(self, *what):
        return [statistics.median(column) for column in zip(*self.measured[what])]


def throughput(target, token, options, directory, cluster):
    """The table of pages and writes."""
    limits = ceiling.Ceiling(cluster)
    binary = target / "load-bench"
    engines = [
        Engine("SQLite", binary, f"sqlite://{directory}/unkept.db", token, directory, **NOTHING_KEPT),
        Engine("PostgreSQL", binary, cluster.url_of("unkept"), token, directory, **NOTHING_KEPT),
        Engine("SQLite", binary, f"sqlite://{directory}/pages.db", token, directory),
        Engine("PostgreSQL", binary, cluster.url_of("pages"), token, directory),
    ]
    scripts = write_scripts(limits, engines[-1], directory)
    # what is compared is measured one after the other; writes come last, since the disk has to do with them for a while
    writes = lambda clients, seconds: limits.writes("pages", scripts, clients, seconds)
    # with what pgbench does, how it does that, and how often it did
    groups = [
        (READS, FEW_CONNECTIONS, "`pgbench -S`", limits.reads, []),
        (READS, MANY_CONNECTIONS, "`pgbench -S`", limits.reads, []),
        (["write"], FEW_CONNECTIONS, "the statements of a write in pgbench", writes, []),
    ]
    try:
        for _ in range(options.rounds):
            for kinds, connections, _, ceiling_of, ceilings in groups:
                ceilings.append(ceiling_of(connections, options.seconds))
                for kind in kinds:
                    for engine in having(engines, kind):
                        engine.measure(kind, connections, options.seconds)
    finally:
        for engine in engines:
            engine.server.stop()
    print("| | requests/s | p50 at 70 % | p99 at 70 % | CPU per request | memory | of the ceiling |\n|---|--:|--:|--:|--:|--:|--:|")
    for kinds, connections, ceiling_name, _, ceilings in groups:
        print(f"| **{connections} connections: {ceiling_name}** | {statistics.median(ceilings):,.0f} | | | | | |")
        tell(engines, kinds, connections, ceilings)


def tell(engines, kinds, connections, ceilings):
    """The rows of what is compared with one ceiling."""
    for kind in kinds:
        for engine in having(engines, kind):
            most, p50, p99, cpu, memory = engine.medians(kind, connections)
            ratio = statistics.median(it[0] / most for it, most in zip(engine.measured[kind, connections], ceilings))
            print(f"| {engine.name}, {kind} | {most:,.0f} | {p50:.2f} ms | {p99:.2f} ms | {cpu:.0f} µs | {memory:.0f} MiB | {100 * ratio:.0f} % |")


def having(engines, kind):
    return [engine for engine in engines if kind in engine.kinds]


def write_scripts(limits, engine, directory):
    """For each partner the statements of a change of its tag."""
    client = Client(engine.server, engine.token)
    statements = limits.capture("pages", lambda: client.must("PATCH", engine.paths[0], {"name": CAPTURED}))
    scripts = []
    for number, path in enumerate(engine.paths, start=2):
        replaced = {engine.paths[0].split("/")[-1]: path.split("/")[-1], "'K-2'": f"'K-{number}'", CAPTURED: "Name ' || :number || '"}
        script = directory / f"write-{number}.sql"
        script.write_text(ceiling.script(statements, replaced))
        scripts.append(script)
    return scripts


def scale(target, token, options, directory, cluster):
    """The table of few and many partners."""
    print(f"\n| p50 of a page at {CALM:,} requests/s | {FEW:,} partners | {options.partners:,} partners | times |\n|---|--:|--:|--:|")
    for name in ("SQLite", "PostgreSQL"):
        served = []
        for count in (FEW, options.partners):
            url = f"sqlite://{directory}/{count}.db" if name == "SQLite" else cluster.url_of(f"many_{count}")
            server = Server([target / "load-bench"], url, directory, **NOTHING_KEPT)
            seed(Client(server, token))
            server.stop()
            database = partners.Sqlite(directory / f"{count}.db") if name == "SQLite" else partners.Postgresql(cluster, f"many_{count}")
            partners.multiply(database, WRITERS + 2, count)
            server.start()
            served.append(server)
        for what, path in (("tags of any partner", "customer-integrations/K-{number}/tags?limit=10"), ("list of integrations", "customer-integrations?limit=50")):
            rounds = []
            for _ in range(options.rounds):
                pair = []
                for count, server in zip((FEW, options.partners), served):
                    urls = directory / "pages-urls"
                    urls.write_text("".join(f"{server.origin}{BASE}/{path.format(number=random.randint(WRITERS + 2, count))}\n" for _ in range(5000)))
                    pair.append(oha([str(urls)], token, options.seconds, "--urls-from-file", rate=CALM)[1]["p50"])
                rounds.append(pair)
            few, many = (statistics.median(it) for it in zip(*rounds))
            print(f"| {name}, {what} | {few:.2f} ms | {many:.2f} ms | {statistics.median(b / a for a, b in rounds):.2f} |", flush=True)
        for server in served:
            server.stop()


def starts(target, directory, cluster, options):
    print("\n| | start to ready | idle memory |\n|---|--:|--:|")
    for name, url in (("SQLite", f"sqlite://{directory}/pages.db"), ("PostgreSQL", cluster.url_of("pages"))):
        runs = [ready_after(target / "customer-integration", url, directory) for _ in range(options.rounds)]
        took, memory = (statistics.median(it) for it in zip(*runs))
        print(f"| {name} | {took:.0f} ms | {memory:.0f} MiB |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--partners", type=int, default=100_000)
    options = parser.parse_args()
    os.environ["PATH"] += f":{ROOT / 'target/tools/bin'}"
    need("oha", "wrk", "curl")
    target = build()
    token = token_of(target)
    print(f"{machine()}; median of {options.rounds} rounds of {options.seconds} s\n")
    with tempfile.TemporaryDirectory(prefix="load-") as temporary, contextlib.ExitStack() as stack:
        directory = pathlib.Path(temporary)
        cluster = Postgres(directory / "pg", "bench", options=[f"max_connections={MAX_CONNECTIONS}"])
        stack.callback(cluster.stop)
        for database in ("pages", "unkept", f"many_{FEW}", f"many_{options.partners}"):
            cluster.create_database(database)
        throughput(target, token, options, directory, cluster)
        starts(target, directory, cluster, options)
        scale(target, token, options, directory, cluster)


if __name__ == "__main__":
    main()
