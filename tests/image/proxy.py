"""A rolling restart under requests: two instances on one PostgreSQL behind the proxy of docker-compose.yml.

Each instance is stopped and started again while callers read and write all the time. Not one request may fail. `run`
gives this a network of its own, so that ports are free.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/schemathesis")]
from run import Server  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.waiting import Failed, until  # noqa: E402

CALLERS, MOST_SECONDS, PATIENCE = 4, 120, 60
K1 = "/api/v1/customer-integrations/K-1001"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


class Instance:
    """A service of docker-compose.yml, at a port of this machine; started as often as wanted."""

    def __init__(self, name: str, port: int, binary: Path, url: str, work: Path) -> None:
        told = COMPOSE["services"][name]["environment"]
        # how it stops is what is tested here
        self.settings = {
            name: told[name] for name in ("SHUTDOWN_DELAY", "SHUTDOWN_TIMEOUT", "LOG_FORMAT", "MIGRATE_ON_START")
        }
        self.grace = int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s"))
        self.name, self.address, self.binary, self.url, self.work = name, f"127.0.0.1:{port}", binary, url, work
        self.starts = itertools.count()

    def start(self) -> None:
        directory = self.work / f"{self.name}-{next(self.starts)}"
        directory.mkdir()
        self.server = Server(self.binary, self.url, directory, BIND_ADDRESS=self.address, **self.settings)

    def answered(self) -> int:
        """How many requests of callers this start has answered, by its log."""
        lines = self.server.log.read_text(errors="replace").splitlines()
        return sum('"request completed"' in line and "/tags" in line for line in lines)

    def stop(self) -> float:
        """As the platform does: SIGTERM, and after the grace period SIGKILL."""
        started = time.monotonic()
        self.server.process.send_signal(signal.SIGTERM)
        code = self.server.process.wait(self.grace)
        if code:
            raise Failed(f"{self.name} ended with {code}:\n{self.server.tail()}")
        return time.monotonic() - started


class Callers:
    """Ask and write through the proxy without a pause, each on a connection of its own, until they are told to stop."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.done, self.failures, self.ending = itertools.count(), [], threading.Event()
        self.counted = 0
        self.threads = [threading.Thread(target=self.call, args=(number,), daemon=True) for number in range(CALLERS)]

    def call(self, caller: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=40)
        for number in itertools.count():
            if self.ending.is_set():
                return connection.close()
            body = json.dumps({"name": f"{caller}-{number}"})
            try:
                made = self.send(connection, "POST", f"{K1}/tags", body, 201)
                self.send(connection, "GET", f"{K1}/tags?limit=5", None, 200)
                # so that there is room for more
                self.send(connection, "DELETE", f"{K1}/tags/{json.loads(made)['id']}", None, 204)
            except (OSError, http.client.HTTPException, Failed) as failure:
                self.failures.append(repr(failure))
                return connection.close()

    def send(self, connection, method: str, path: str, body: str | None, expected: int) -> bytes:
        connection.request(method, path, body, self.headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != expected:
            raise Failed(f"{method} {path}: {answer.status} {text[:300]!r}")
        self.counted = next(self.done) + 1
        return text

    def expect(self, more: int) -> None:
        """Waits for so many more requests."""
        wanted = self.counted + more
        until(lambda: self.failures or self.counted >= wanted, f"{more} more requests", PATIENCE)
        if self.failures:
            raise Failed("; ".join(self.failures))


def caddyfile(instances: list[Instance], work: Path) -> Path:
    """docker-compose.yml's, with addresses of this machine for its services."""
    text = (ROOT / COMPOSE["configs"]["caddyfile"]["file"]).read_text(encoding="utf-8")
    for instance in instances:
        if f"{instance.name}:8080" not in text:
            raise Failed(f"the Caddyfile does not know {instance.name}")
        text = text.replace(f"{instance.name}:8080", instance.address)
    path = work / "Caddyfile"
    path.write_text(text, encoding="utf-8")
    return path


def start_proxy(instances: list[Instance], work: Path, stack: contextlib.ExitStack) -> None:
    config = ["--config", str(caddyfile(instances, work)), "--adapter", "caddyfile"]
    environment = {**os.environ, "XDG_DATA_HOME": str(work / "data"), "XDG_CONFIG_HOME": str(work / "config")}
    valid = subprocess.run(["caddy", "validate", *config], env=environment, capture_output=True, text=True, timeout=30)
    if valid.returncode:
        raise Failed(f"caddy validate: {valid.stderr}")
    print("caddy validate: valid", flush=True)
    log = stack.enter_context((work / "proxy.log").open("wb"))
    proxy = subprocess.Popen(
        ["caddy", "run", *config], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
    )
    stack.callback(lambda: (proxy.kill(), proxy.wait()))
    until(ready, "the proxy", PATIENCE, lambda: proxy.poll() is None)


def ready() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=10)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def run(binary: Path, work: Path) -> None:
    with contextlib.ExitStack() as stack:
        postgres = Postgres(work / "pg", "proxy", ["fsync=off"], ["--no-sync"])
        stack.callback(postgres.stop)
        subprocess.run(
            [binary, "migrate"],
            env={**os.environ, "DATABASE_URL": postgres.url},
            check=True,
            timeout=60,
            capture_output=True,
        )
        instances = [Instance(f"service-{n}", 8080 + n, binary, postgres.url, work) for n in (1, 2)]
        for instance in instances:
            instance.start()
            stack.callback(lambda it=instance: (it.server.process.kill(), it.server.process.wait()))
        instances[0].server.furnish()
        start_proxy(instances, work, stack)
        callers = Callers(instances[0].server.token)
        stack.callback(callers.ending.set)
        for thread in callers.threads:
            thread.start()
        callers.expect(200)
        for instance in instances:
            if not instance.answered():
                raise Failed(f"{instance.name} is given nothing to do")
            seconds = instance.stop()
            callers.expect(200)
            instance.start()
            # the proxy finds it by itself
            busy = lambda it=instance: callers.failures or it.answered() > 20
            until(busy, f"{instance.name} is given something to do again", PATIENCE)
            callers.expect(100)
            told = f"{instance.name} stopped within {seconds:.1f} s and started again"
            print(f"{told}; {callers.counted} requests, none failed", flush=True)
        callers.ending.set()
        for thread in callers.threads:
            thread.join(MOST_SECONDS)
        callers.expect(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="an empty directory")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(arguments.binary, arguments.work)
    except (Failed, subprocess.SubprocessError) as failed:
        sys.exit(f"tests/image/run: {failed}")


if __name__ == "__main__":
    main()
