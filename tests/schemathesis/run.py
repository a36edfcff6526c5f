"""Fuzzes the service by its document with schemathesis: on SQLite, and on PostgreSQL with serializable transactions.

First request by request, right ones and wrong ones; then step by step, along the links of the document, so that ids and tags of one
answer go into the next request. Fails when schemathesis finds anything, when an answer is a 5xx, or when an operation never succeeds.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from support.postgres import Postgres  # noqa: E402
from support.service import BASE, SCOPES, Client, Service, binary_of, clean_environment, mint  # noqa: E402
from support.waiting import Failed  # noqa: E402

DOCUMENT = json.loads((ROOT / "openapi/openapi.json").read_text())
OPERATIONS = {(method.upper(), path): it for path, item in DOCUMENT["paths"].items() for method, it in item.items()}
OPERATIONS_BY_ID = {it["operationId"]: it for it in OPERATIONS.values()}
# the tags within which answers lead on
LINKED = list(dict.fromkeys(it["tags"][0] for it in OPERATIONS.values() if any("links" in answer for answer in it["responses"].values())))
MOST_ROUNDS = 10
SETTINGS = {
    "JWT_ISSUER": "https://fuzz.example",
    "JWT_AUDIENCE": "fuzz",
    "JWT_HS256_SECRET": "a key that only this fuzzing knows, long enough",
    "RUST_LOG": "warn,customer_integration=info",
}


class Server(Service):
    """The service, with a token for everything, and a world to act in."""

    def __init__(self, binary, url, directory, **more):
        super().__init__([binary, "serve"], {**SETTINGS, "DATABASE_URL": url, **more}, directory / "server.log")
        self.token = mint(binary, self.settings, SCOPES, subject="fuzz")

    def furnish(self):
        """Three partners with four areas, four ticket types and three plan boards each; their ids stand in schemathesis.toml."""
        areas, boards = ["netz", "server", "erp", "service-desk"], ["rollout", "wartung", "umzug"]
        types = ["anomalie", "rueckruf", "aufgabe", "aenderung"]
        send = Client(self, self.token, timeout=20).must
        for area in areas:
            send("PUT", f"{BASE}/catalog/areas/{area}", {"name": area.title(), "color": "#1F77B4"})
        for kind in types:
            send("PUT", f"{BASE}/catalog/ticket-types/{kind}", {"name": kind.title(), "kind": "standard"})
        for board in boards:
            send("PUT", f"{BASE}/catalog/plan-boards/{board}", {"name": board.title()})
        for partner in ["K-1001", "K-1002", "K-1003"]:
            named = {"name": f"Müller & Söhne {partner}", "search_name": "MUELLER"}
            send("PUT", f"{BASE}/catalog/business-partners/{partner}", named)
            at = f"{BASE}/customer-integrations/{partner}"
            send("PATCH", at, {"active": True})
            for kind, ids in [("areas", areas), ("ticket-types", types), ("plan-boards", boards)]:
                for id in ids:
                    send("PUT", f"{at}/{kind}/{id}", {})


class Fuzzing:
    """Runs schemathesis, and keeps account of what its requests came to."""

    def __init__(self, server, directory, times):
        self.server, self.directory = server, directory
        self.requests, self.reached, self.with_tag, self.broken = 0, collections.Counter(), collections.Counter(), []
        # what is generated, more often
        more = lambda match: f"{match[1]}{int(match[2]) * times}"
        self.settings = directory / "schemathesis.toml"
        self.settings.write_text(re.sub(r"(max-examples = )(\d+)", more, (HERE / "schemathesis.toml").read_text()))

    def run(self, phases, seed, tag=None):
        what = f"{phases} with the seed {seed}" + (f" within {tag}" if tag else "")
        report = self.directory / f"{what}.ndjson"
        command = [
            pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", self.settings, "run", ROOT / "openapi/openapi.json",
            "--url", self.server.origin, "--checks", "all", "--phases", phases, "--seed", seed,
            "--report", "ndjson", "--report-ndjson-path", report, *(["--include-tag", tag] if tag else []),
        ]
        environment = {**clean_environment(self.server.settings), "TOKEN": self.server.token, "BASE": self.server.origin, "NO_PROXY": "127.0.0.1"}
        environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(self.directory / "hypothesis")
        ran = subprocess.run(list(map(str, command)), cwd=HERE, env=environment, capture_output=True, text=True)
        if ran.returncode or not report.exists():
            raise Failed(f"{what}:\n{ran.stdout}{ran.stderr}\nthe service's log ends with:\n{self.server.tail()}")
        self.account(report)
        if self.broken:
            raise Failed("\n".join([f"{what}:", *self.broken, self.server.tail()]))

    def account(self, report):
        for line in report.open():
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for id, interaction in recorder.get("interactions", {}).items():
                case, answer = recorder["cases"][id]["value"], interaction.get("response")
                operation = OPERATIONS.get((case["method"], case["path"]))
                self.requests += 1
                if answer is None or answer["status_code"] >= 500:
                    self.broken.append(f"{case['method']} {interaction['request']['uri']}: {answer and answer['status_code']}")
                elif operation and answer["status_code"] < 300:
                    self.reached[operation["operationId"]] += 1
                    sent = {name.lower() for name in interaction["request"]["headers"]}
                    self.with_tag[operation["operationId"]] += "if-match" in sent

    def unreached(self):
        """Operations that never succeeded, and those that never did so with a condition they take."""
        all = {it["operationId"]: {parameter["name"] for parameter in it["parameters"]} for it in OPERATIONS.values()}
        never = [(id, "") for id in all if not self.reached[id]]
        return never + [(id, " with If-Match") for id, takes in all.items() if "If-Match" in takes and not self.with_tag[id]]


def run(engine, binary, seed, times):
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="schemathesis-")))
        url = f"sqlite://{directory}/fuzz.db"
        if engine == "postgres":
            # every transaction is serializable
            options = ["fsync=off", "default_transaction_isolation=serializable"]
            postgres = Postgres(directory / "data", "fuzz", options, ["--locale=C", "--no-sync"])
            stack.callback(postgres.stop)
            url = postgres.url
        server = Server(binary, url, directory)
        stack.callback(server.stop)
        server.furnish()
        fuzzing = Fuzzing(server, directory, times)
        fuzzing.run("examples,coverage,fuzzing", seed)
        say(f"{engine}: request by request: {fuzzing.requests} requests, no failures ({time.monotonic() - started:.0f} s)")
        # A round of steps ends when the service answers other than the first time, as one that remembers must. So there are many
        # rounds: across all operations, within each tag, and again where an operation has not succeeded yet.
        for round in range(MOST_ROUNDS * times):
            unreached = {OPERATIONS_BY_ID[id]["tags"][0] for id, _ in fuzzing.unreached()}.intersection(LINKED)
            if round >= times and not unreached:
                break
            for tag in [None, *LINKED] if round < times else sorted(unreached):
                fuzzing.run("stateful", seed + round, tag)
    if unreached := fuzzing.unreached():
        raise Failed("\n".join(f"never succeeded{how}: {id}" for id, how in unreached))
    say(
        f"{engine}: step by step: {fuzzing.requests} requests in all, no failures; each of {len(OPERATIONS)} operations "
        f"succeeded, with If-Match where it takes that ({time.monotonic() - started:.0f} s)"
    )


def say(line):
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["sqlite", "postgres"], action="append", help="default: both")
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--times", type=int, default=1, help="how many times as many generated requests")
    arguments = parser.parse_args()
    # what was started is ended also when this is told to stop
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    again = ""
    try:
        binary = binary_of(ROOT)
        for engine in arguments.engine or ["sqlite", "postgres"]:
            again = f"again: tests/schemathesis/run --engine {engine} --seed {arguments.seed} --times {arguments.times}"
            run(engine, binary, arguments.seed, arguments.times)
    except Failed as failed:
        sys.exit(f"tests/schemathesis/run: {failed}\n{again}")


if __name__ == "__main__":
    main()
