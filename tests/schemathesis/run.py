"""Fuzzes the service by its document with schemathesis: on SQLite, and on PostgreSQL with serializable transactions.

First request by request, right ones and wrong ones; then step by step, along the links of the document, so that ids and tags of one
answer go into the next request. Fails when schemathesis finds anything, when an answer is a 5xx, or when an operation never succeeds.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import sys
import tempfile
import time

import requests

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DOCUMENT = json.loads((ROOT / "openapi/openapi.json").read_text())
OPERATIONS = {(method.upper(), path): it for path, item in DOCUMENT["paths"].items() for method, it in item.items()}
OPERATIONS_BY_ID = {it["operationId"]: it for it in OPERATIONS.values()}
# the tags within which answers lead on
LINKED = list(dict.fromkeys(it["tags"][0] for it in OPERATIONS.values() if any("links" in answer for answer in it["responses"].values())))
SCOPES = "integration:read integration:write global-rules:write catalog:read catalog:write decisions:read audit:read"
PATIENCE = 60
MOST_ROUNDS = 10
SETTINGS = {
    "JWT_ISSUER": "https://fuzz.example",
    "JWT_AUDIENCE": "fuzz",
    "JWT_HS256_SECRET": "a key that only this fuzzing knows, long enough",
    "BIND_ADDRESS": "127.0.0.1:0",
    "RUST_LOG": "warn,customer_integration=info",
}
# settings of whoever runs this must not reach the service
OURS = ("DATABASE_", "JWT_", "CORS_", "MIGRATE_", "WORKER_", "LOG_", "RUST_LOG", "BIND_", "METRICS_", "DECISION_")


class Failed(Exception):
    pass


class Postgres:
    """A throw-away cluster on a Unix socket, in which every transaction is serializable."""

    def __init__(self, directory):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        found += [pathlib.Path(it) for it in os.environ.get("PATH", "").split(os.pathsep)]
        self.bin = next((it for it in found if (it / "initdb").exists() and (it / "postgres").exists()), None)
        if self.bin is None:
            raise Failed("PostgreSQL is missing: apt-get install postgresql")
        user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        as_user = {"user": user.pw_uid, "group": user.pw_gid} if user else {}
        self.data = directory / "data"
        directory.chmod(0o755)
        self.data.mkdir()
        if user:
            os.chown(self.data, user.pw_uid, user.pw_gid)
        made = subprocess.run(
            [self.bin / "initdb", "-D", self.data, "-U", "fuzz", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            cwd="/", capture_output=True, text=True, **as_user,
        )
        if made.returncode:
            raise Failed(f"initdb: {made.stderr}")
        options = ["listen_addresses=", "fsync=off", "default_transaction_isolation=serializable"]
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data, "-k", self.data, *(it for option in options for it in ("-c", option))],
            cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user,
        )
        self.url = f"postgres:///postgres?host={self.data}&user=fuzz"
        wait(lambda: "ready" in (self.data / "postmaster.pid").read_text(errors="replace") if (self.data / "postmaster.pid").exists() else False, "PostgreSQL")

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


class Server:
    """The service, with a token for everything, and a world to act in."""

    def __init__(self, binary, url, directory, **more):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environment = {**clean, **SETTINGS, "DATABASE_URL": url, **more}
        self.log = directory / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([binary, "serve"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        address = lambda: re.search(r"http://127\.0\.0\.1:\d+", self.log.read_text(errors="replace"))
        wait(address, "the service", self.process)
        self.origin = address()[0]
        command = [binary, "token", "--ttl", "12h", "--subject", "fuzz", "--scope", SCOPES]
        self.token = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout.strip()

    def send(self, method, path, body):
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(method, f"{self.origin}/api/v1{path}", json=body, headers=headers, timeout=20)
        if answer.status_code not in (200, 201):
            raise Failed(f"{method} {path}: {answer.status_code} {answer.text}")

    def furnish(self):
        """Three partners with four areas, four ticket types and three plan boards each; their ids stand in schemathesis.toml."""
        areas, boards = ["netz", "server", "erp", "service-desk"], ["rollout", "wartung", "umzug"]
        types = ["anomalie", "rueckruf", "aufgabe", "aenderung"]
        for area in areas:
            self.send("PUT", f"/catalog/areas/{area}", {"name": area.title(), "color": "#1F77B4"})
        for kind in types:
            self.send("PUT", f"/catalog/ticket-types/{kind}", {"name": kind.title(), "kind": "standard"})
        for board in boards:
            self.send("PUT", f"/catalog/plan-boards/{board}", {"name": board.title()})
        for partner in ["K-1001", "K-1002", "K-1003"]:
            self.send("PUT", f"/catalog/business-partners/{partner}", {"name": f"Müller & Söhne {partner}", "search_name": "MUELLER"})
            at = f"/customer-integrations/{partner}"
            self.send("PATCH", at, {"active": True})
            for kind, ids in [("areas", areas), ("ticket-types", types), ("plan-boards", boards)]:
                for id in ids:
                    self.send("PUT", f"{at}/{kind}/{id}", {})

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def wait(ready, what, process=None):
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            raise Failed(f"{what} did not start")
        time.sleep(0.05)


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
        environment = {**self.server.environment, "TOKEN": self.server.token, "BASE": self.server.origin, "NO_PROXY": "127.0.0.1"}
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
            postgres = Postgres(directory)
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
    binary = pathlib.Path(os.environ.get("CUSTOMER_INTEGRATION_BIN", ROOT / "target/debug/customer-integration")).resolve()
    try:
        if not binary.is_file():
            raise Failed(f"no binary at {binary}; run `cargo build` first, or set CUSTOMER_INTEGRATION_BIN")
        for engine in arguments.engine or ["sqlite", "postgres"]:
            again = f"again: tests/schemathesis/run --engine {engine} --seed {arguments.seed} --times {arguments.times}"
            run(engine, binary, arguments.seed, arguments.times)
    except Failed as failed:
        sys.exit(f"tests/schemathesis/run: {failed}\n{again}")


if __name__ == "__main__":
    main()
