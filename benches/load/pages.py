#!/usr/bin/env python3
"""Measures the service over HTTP and compares it with PostgreSQL alone; prints Markdown.

    benches/load/pages.py [--seconds 5] [--rounds 3] [--partners 100000]

Reads of a page of a partner's tags, from the database and from the page cache; the same page with a
current ETag (304); and updates of a tag of one of a hundred partners. Also reads with a thousand
and with many partners. Each round measures everything once, so that noise affects all alike; the
medians are printed.

First at full load, with few and with many connections: reads with wrk, which like pgbench uses
little CPU, and writes, which all differ, with oha. Then the latencies at 70 % of that with oha,
corrected for coordinated omission. pgbench runs with the same number of clients. Nothing is pinned
to a core.

Needs the Debian packages postgresql and wrk, and oha:
`cargo install --locked --root target/tools oha`.
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
# of PostgreSQL, for pgbench and the services
MAX_CONNECTIONS = 250
# reads every page from the database
NO_CACHE = {"PAGE_CACHE_MIB": "0"}
READS = ("page", "cached page", "304")
# of the maximum throughput
LOAD_SHARE = 0.7
WRITERS = 100
TAGS = 10
# requests per second for latencies by number of partners, far below the maximum
LOW_RATE = 200
FEW = 1000
# the name in the captured statements, replaced by unique ones for pgbench
CAPTURED = "captured-name"


def oha(urls, token, seconds, *more, connections=FEW_CONNECTIONS, rate=None, expected="200"):
    """Runs oha; returns requests per second and latency percentiles in milliseconds."""
    command = [
        "oha",
        "--no-tui",
        "--output-format",
        "json",
        "-w",
        "-z",
        f"{seconds}s",
        "-c",
        str(connections),
    ]
    command += ["--latency-correction", "-q", str(rate)] if rate else []
    report = json.loads(sh(*command, "-H", f"Authorization: Bearer {token}", *more, *urls))
    wrong = {
        code: count for code, count in report["statusCodeDistribution"].items() if code != expected
    }
    if wrong or report["errorDistribution"]:
        sys.exit(f"{urls}: {wrong} {report['errorDistribution']}")
    percentiles = {
        name: 1000 * value
        for name, value in report["latencyPercentiles"].items()
        if value is not None
    }
    return report["summary"]["requestsPerSec"], percentiles


def maximum(url, token, seconds, *more, connections, expected):
    """Returns requests per second at full load.

    Checks the status first, because wrk does not report it.
    """
    status = sh(
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-H",
        f"Authorization: Bearer {token}",
        *more,
        url,
    )
    if status != expected:
        sys.exit(f"{url}: {status}")
    return wrk(url, token, connections, seconds, *more)[0]


def measure_start(binary, url, directory):
    """Returns milliseconds until /health/ready is 200, and MiB of memory after two more seconds."""
    server = types.SimpleNamespace(host=own_loopback(), port=8080)
    settings = {**SETTINGS, "DATABASE_URL": url, "BIND_ADDRESS": f"{server.host}:{server.port}"}
    started = time.monotonic()
    with (directory / "start.log").open("wb") as log:
        process = subprocess.Popen(
            [binary, "serve"], env=clean_environment(settings), stdout=log, stderr=log
        )
    try:
        while not is_ready(server):
            if process.poll() is not None or time.monotonic() - started > 30:
                sys.exit("the service does not start: " + (directory / "start.log").read_text())
            time.sleep(0.001)
        took = 1000 * (time.monotonic() - started)
        time.sleep(2)
        return took, memory_mib(process.pid)
    finally:
        process.terminate()
        process.wait()


def is_ready(server):
    client = Client(server, timeout=5)
    try:
        return client.call("GET", "/health/ready").status == 200
    except OSError:
        return False
    finally:
        client.close()


def seed(client):
    """Creates K-1 with ten tags, for reads, and others with one tag, for writes.

    Returns the paths of those.
    """
    paths = []
    for number in range(1, WRITERS + 2):
        client.must(
            "PUT",
            f"{BASE}/catalog/business-partners/K-{number}",
            {"name": f"Partner {number}", "search_name": "P"},
        )
        client.must("PATCH", f"{BASE}/customer-integrations/K-{number}", {"active": True})
        tags = f"{BASE}/customer-integrations/K-{number}/tags"
        ids = [
            client.must("POST", tags, {"name": f"Tag {n}"})["id"]
            for n in range(TAGS if number == 1 else 1)
        ]
        paths.append(f"{tags}/{ids[0]}")
    return paths[1:]


class Engine:
    """The service on one database engine, with its measurements."""

    def __init__(self, name, binary, url, token, directory, **settings):
        self.name, self.token = name, token
        self.server = Server([binary], url, directory, **settings)
        client = Client(self.server, token)
        self.paths = seed(client)
        self.page = f"{K1}/tags?limit={TAGS}"
        etag = client.call("GET", self.page).headers["etag"]
        urls = directory / f"{name}-urls"
        names = directory / f"{name}-names"
        urls.write_text("".join(f"{self.server.origin}{path}\n" for path in self.paths))
        names.write_text(
            "".join(
                json.dumps({"name": f"Name {random.randrange(10**9)}"}) + "\n"
                for _ in range(10_000)
            )
        )
        page = [f"{self.server.origin}{self.page}"]
        self.kinds = (
            {"page": (page, [])}
            if settings == NO_CACHE
            else {
                "cached page": (page, []),
                "304": (page, ["-H", f"If-None-Match: {etag}"]),
                "write": (
                    [str(urls)],
                    ["--urls-from-file", "-m", "PATCH", "-T", "application/json", "-Z", str(names)],
                ),
            }
        )
        self.measured = collections.defaultdict(list)

    def measure(self, kind, connections, seconds):
        urls, more = self.kinds[kind]
        how = {"connections": connections, "expected": "304" if kind == "304" else "200"}
        before = self.server.cpu_seconds()
        if kind == "write":
            most = oha(urls, self.token, seconds, *more, **how)[0]
        else:
            most = maximum(*urls, self.token, seconds, *more, **how)
        cpu = self.server.cpu_seconds() - before
        _, latency = oha(urls, self.token, seconds, *more, rate=int(LOAD_SHARE * most), **how)
        row = (
            most,
            latency["p50"],
            latency["p99"],
            1e6 * cpu / (most * seconds),
            self.server.memory_mib(),
        )
        self.measured[kind, connections].append(row)

    def medians(self, *key):
        return [statistics.median(column) for column in zip(*self.measured[key])]


def throughput(target, token, options, directory, cluster):
    """Prints the table of reads and writes."""
    limits = ceiling.Ceiling(cluster)
    binary = target / "load-bench"
    engines = [
        Engine("SQLite", binary, f"sqlite://{directory}/uncached.db", token, directory, **NO_CACHE),
        Engine("PostgreSQL", binary, cluster.url_of("uncached"), token, directory, **NO_CACHE),
        Engine("SQLite", binary, f"sqlite://{directory}/pages.db", token, directory),
        Engine("PostgreSQL", binary, cluster.url_of("pages"), token, directory),
    ]
    scripts = write_scripts(limits, engines[-1], directory)
    # compared values are measured one after the other; writes come last, because the disk stays
    # busy after them
    writes = lambda clients, seconds: limits.writes("pages", scripts, clients, seconds)
    # each with the name, the function and the results of its pgbench run
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
    print(
        "| | requests/s | p50 at 70 % | p99 at 70 % | CPU per request | memory | of PostgreSQL alone |\n|---|--:|--:|--:|--:|--:|--:|"
    )
    for kinds, connections, ceiling_name, _, ceilings in groups:
        print(
            f"| **{connections} connections: {ceiling_name}** | {statistics.median(ceilings):,.0f} | | | | | |"
        )
        print_rows(engines, kinds, connections, ceilings)


def print_rows(engines, kinds, connections, ceilings):
    """Prints the rows that are compared with one pgbench run."""
    for kind in kinds:
        for engine in having(engines, kind):
            most, p50, p99, cpu, memory = engine.medians(kind, connections)
            ratio = statistics.median(
                row[0] / limit for row, limit in zip(engine.measured[kind, connections], ceilings)
            )
            print(
                f"| {engine.name}, {kind} | {most:,.0f} | {p50:.2f} ms | {p99:.2f} ms | {cpu:.0f} µs | {memory:.0f} MiB | {100 * ratio:.0f} % |"
            )


def having(engines, kind):
    return [engine for engine in engines if kind in engine.kinds]


def write_scripts(limits, engine, directory):
    """Writes a pgbench script for each partner that updates its tag."""
    client = Client(engine.server, engine.token)
    statements = limits.capture(
        "pages", lambda: client.must("PATCH", engine.paths[0], {"name": CAPTURED})
    )
    scripts = []
    for number, path in enumerate(engine.paths, start=2):
        replaced = {
            engine.paths[0].split("/")[-1]: path.split("/")[-1],
            "'K-2'": f"'K-{number}'",
            CAPTURED: "Name ' || :number || '",
        }
        script = directory / f"write-{number}.sql"
        script.write_text(ceiling.script(statements, replaced))
        scripts.append(script)
    return scripts


def scale(target, token, options, directory, cluster):
    """Prints the table of latencies with few and with many partners."""
    print(
        f"\n| p50 of a page at {LOW_RATE:,} requests/s | {FEW:,} partners | {options.partners:,} partners | times |\n|---|--:|--:|--:|"
    )
    for name in ("SQLite", "PostgreSQL"):
        served = []
        for count in (FEW, options.partners):
            url = (
                f"sqlite://{directory}/{count}.db"
                if name == "SQLite"
                else cluster.url_of(f"many_{count}")
            )
            server = Server([target / "load-bench"], url, directory, **NO_CACHE)
            seed(Client(server, token))
            server.stop()
            database = (
                partners.Sqlite(directory / f"{count}.db")
                if name == "SQLite"
                else partners.Postgresql(cluster, f"many_{count}")
            )
            partners.multiply(database, WRITERS + 2, count)
            server.start()
            served.append(server)
        for name_of_page, path in (
            ("tags of any partner", "customer-integrations/K-{number}/tags?limit=10"),
            ("list of integrations", "customer-integrations?limit=50"),
        ):
            rounds = []
            for _ in range(options.rounds):
                pair = []
                for count, server in zip((FEW, options.partners), served):
                    urls = directory / "pages-urls"
                    urls.write_text(
                        "".join(
                            f"{server.origin}{BASE}/{path.format(number=random.randint(WRITERS + 2, count))}\n"
                            for _ in range(5000)
                        )
                    )
                    pair.append(
                        oha([str(urls)], token, options.seconds, "--urls-from-file", rate=LOW_RATE)[
                            1
                        ]["p50"]
                    )
                rounds.append(pair)
            few, many = (statistics.median(column) for column in zip(*rounds))
            print(
                f"| {name}, {name_of_page} | {few:.2f} ms | {many:.2f} ms | {statistics.median(b / a for a, b in rounds):.2f} |",
                flush=True,
            )
        for server in served:
            server.stop()


def starts(target, directory, cluster, options):
    print("\n| | start to ready | idle memory |\n|---|--:|--:|")
    for name, url in (
        ("SQLite", f"sqlite://{directory}/pages.db"),
        ("PostgreSQL", cluster.url_of("pages")),
    ):
        runs = [
            measure_start(target / "customer-integration", url, directory)
            for _ in range(options.rounds)
        ]
        took, memory = (statistics.median(column) for column in zip(*runs))
        print(f"| {name} | {took:.0f} ms | {memory:.0f} MiB |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
        cluster = Postgres(
            directory / "pg", "bench", options=[f"max_connections={MAX_CONNECTIONS}"]
        )
        stack.callback(cluster.stop)
        for database in ("pages", "uncached", f"many_{FEW}", f"many_{options.partners}"):
            cluster.create_database(database)
        throughput(target, token, options, directory, cluster)
        starts(target, directory, cluster, options)
        scale(target, token, options, directory, cluster)


if __name__ == "__main__":
    main()
