"""Fuzzes the service by its OpenAPI document with schemathesis, on SQLite and on PostgreSQL
(serializable).

First single requests, valid and invalid; then sequences along the links of the document, where ids
and ETags of a response are used in the next request. Fails if schemathesis reports a failure, if a
response is 5xx, or if an operation never succeeds.
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
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
OPERATIONS_BY_ID = {operation["operationId"]: operation for operation in OPERATIONS.values()}
# the OpenAPI tags of operations whose responses have links
LINKED = list(
    dict.fromkeys(
        operation["tags"][0]
        for operation in OPERATIONS.values()
        if any("links" in response for response in operation["responses"].values())
    )
)
MAX_ROUNDS = 10
SETTINGS = {
    "JWT_ISSUER": "https://fuzz.example",
    "JWT_AUDIENCE": "fuzz",
    "JWT_HS256_SECRET": "a long enough secret of the fuzzing test",
    "RUST_LOG": "warn,customer_integration=info",
}


class Server(Service):
    """The service, with a token that has all scopes, and sample data."""

    def __init__(self, binary, url, directory, **more):
        super().__init__(
            [binary, "serve"], {**SETTINGS, "DATABASE_URL": url, **more}, directory / "server.log"
        )
        self.token = mint(binary, self.settings, SCOPES, subject="fuzz")

    def create_sample_data(self):
        """Creates three partners with areas, ticket types and plan boards.

        Schemathesis.toml has the same ids.
        """
        areas = ["netz", "server", "erp", "service-desk"]
        boards = ["rollout", "wartung", "umzug"]
        types = ["anomalie", "rueckruf", "aufgabe", "aenderung"]
        send = Client(self, self.token, timeout=20).must
        for area in areas:
            send("PUT", f"{BASE}/catalog/areas/{area}", {"name": area.title(), "color": "#1F77B4"})
        for kind in types:
            send(
                "PUT",
                f"{BASE}/catalog/ticket-types/{kind}",
                {"name": kind.title(), "kind": "standard"},
            )
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
    """Runs schemathesis and counts the outcomes of its requests."""

    def __init__(self, server, directory, times):
        self.server, self.directory = server, directory
        self.requests = 0
        self.succeeded = collections.Counter()
        self.with_if_match = collections.Counter()
        self.broken = []
        # multiplies the number of generated requests
        multiplied = lambda match: f"{match[1]}{int(match[2]) * times}"
        self.settings = directory / "schemathesis.toml"
        self.settings.write_text(
            re.sub(r"(max-examples = )(\d+)", multiplied, (HERE / "schemathesis.toml").read_text())
        )

    def run(self, phases, seed, tag=None):
        what = f"{phases} with the seed {seed}" + (f" within {tag}" if tag else "")
        report = self.directory / f"{what}.ndjson"
        command = [
            pathlib.Path(sys.executable).parent / "schemathesis",
            "--config-file",
            self.settings,
            "run",
            ROOT / "openapi/openapi.json",
            "--url",
            self.server.origin,
            "--checks",
            "all",
            "--phases",
            phases,
            "--seed",
            seed,
            "--report",
            "ndjson",
            "--report-ndjson-path",
            report,
            *(["--include-tag", tag] if tag else []),
        ]
        environment = {
            **clean_environment(self.server.settings),
            "TOKEN": self.server.token,
            "BASE": self.server.origin,
            "NO_PROXY": "127.0.0.1",
        }
        environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(self.directory / "hypothesis")
        ran = subprocess.run(
            list(map(str, command)), cwd=HERE, env=environment, capture_output=True, text=True
        )
        if ran.returncode or not report.exists():
            raise Failed(
                f"{what}:\n{ran.stdout}{ran.stderr}\nend of the service's log:\n{self.server.tail()}"
            )
        self.count(report)
        if self.broken:
            raise Failed("\n".join([f"{what}:", *self.broken, self.server.tail()]))

    def count(self, report):
        for line in report.open():
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for id, interaction in recorder.get("interactions", {}).items():
                case = recorder["cases"][id]["value"]
                response = interaction.get("response")
                operation = OPERATIONS.get((case["method"], case["path"]))
                self.requests += 1
                if response is None or response["status_code"] >= 500:
                    self.broken.append(
                        f"{case['method']} {interaction['request']['uri']}: {response and response['status_code']}"
                    )
                elif operation and response["status_code"] < 300:
                    self.succeeded[operation["operationId"]] += 1
                    sent = {name.lower() for name in interaction["request"]["headers"]}
                    self.with_if_match[operation["operationId"]] += "if-match" in sent

    def missing(self):
        """Returns operations that never succeeded, and those that never did with an If-Match they
        support.
        """
        parameters = {
            id: {parameter["name"] for parameter in operation["parameters"]}
            for id, operation in OPERATIONS_BY_ID.items()
        }
        never = [(id, "") for id in parameters if not self.succeeded[id]]
        return never + [
            (id, " with If-Match")
            for id, names in parameters.items()
            if "If-Match" in names and not self.with_if_match[id]
        ]


def run(engine, binary, seed, times):
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="schemathesis-"))
        )
        url = f"sqlite://{directory}/fuzz.db"
        if engine == "postgres":
            # every transaction is serializable
            options = ["fsync=off", "default_transaction_isolation=serializable"]
            postgres = Postgres(directory / "data", "fuzz", options, ["--locale=C", "--no-sync"])
            stack.callback(postgres.stop)
            url = postgres.url
        server = Server(binary, url, directory)
        stack.callback(server.stop)
        server.create_sample_data()
        fuzzing = Fuzzing(server, directory, times)
        fuzzing.run("examples,coverage,fuzzing", seed)
        say(
            f"{engine}: single requests: {fuzzing.requests} requests, no failures ({time.monotonic() - started:.0f} s)"
        )
        # schemathesis ends a sequence if a repeated request gets another response, which is normal
        # for a stateful service. So there are many rounds: over all operations, within each OpenAPI
        # tag, and again for operations without a success.
        for round in range(MAX_ROUNDS * times):
            missing = {OPERATIONS_BY_ID[id]["tags"][0] for id, _ in fuzzing.missing()}.intersection(
                LINKED
            )
            if round >= times and not missing:
                break
            for tag in [None, *LINKED] if round < times else sorted(missing):
                fuzzing.run("stateful", seed + round, tag)
    if missing := fuzzing.missing():
        raise Failed("\n".join(f"never succeeded{how}: {id}" for id, how in missing))
    say(
        f"{engine}: sequences: {fuzzing.requests} requests in all, no failures; each of {len(OPERATIONS)} operations "
        f"succeeded, with If-Match where supported ({time.monotonic() - started:.0f} s)"
    )


def say(line):
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engine", choices=["sqlite", "postgres"], action="append", help="default: both"
    )
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument(
        "--times", type=int, default=1, help="multiplies the number of generated requests"
    )
    arguments = parser.parse_args()
    # SIGTERM runs the exit handlers, which stop child processes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    repeat = ""
    try:
        binary = binary_of(ROOT)
        for engine in arguments.engine or ["sqlite", "postgres"]:
            repeat = f"to repeat: tests/schemathesis/run --engine {engine} --seed {arguments.seed} --times {arguments.times}"
            run(engine, binary, arguments.seed, arguments.times)
    except Failed as failed:
        sys.exit(f"tests/schemathesis/run: {failed}\n{repeat}")


if __name__ == "__main__":
    main()
