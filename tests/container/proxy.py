"""A rolling restart under load: two instances with one PostgreSQL behind the proxy of
docker-compose.yml.

Each instance is stopped and restarted while clients read and write. No request may fail. `run`
starts this in a new network namespace, so that ports are free.
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

CLIENTS = 4
JOIN_SECONDS = 120
TIMEOUT = 60
K1 = "/api/v1/customer-integrations/K-1001"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


class Instance:
    """A service of docker-compose.yml on a local port, which can be restarted."""

    def __init__(self, name: str, port: int, binary: Path, url: str, work: Path) -> None:
        environment = COMPOSE["services"][name]["environment"]
        # the settings of shutdown, which is tested here
        self.settings = {
            setting: environment[setting]
            for setting in ("SHUTDOWN_DELAY", "SHUTDOWN_TIMEOUT", "MIGRATE_ON_START")
        } | {"LOG_FORMAT": "json"}
        self.grace = int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s"))
        self.name, self.address, self.binary, self.url, self.work = (
            name,
            f"127.0.0.1:{port}",
            binary,
            url,
            work,
        )
        self.starts = itertools.count()

    def start(self) -> None:
        directory = self.work / f"{self.name}-{next(self.starts)}"
        directory.mkdir()
        self.server = Server(
            self.binary, self.url, directory, BIND_ADDRESS=self.address, **self.settings
        )

    def completed(self) -> int:
        """Returns the number of client requests since the last start, from the access log."""
        lines = self.server.log.read_text(errors="replace").splitlines()
        return sum('"request completed"' in line and "/tags" in line for line in lines)

    def stop(self) -> float:
        """Sends SIGTERM like a container platform.

        Fails if the instance does not exit in time with 0.
        """
        started = time.monotonic()
        self.server.process.send_signal(signal.SIGTERM)
        code = self.server.process.wait(self.grace)
        if code:
            raise Failed(f"{self.name} exited with {code}:\n{self.server.tail()}")
        return time.monotonic() - started


class Clients:
    """Threads that read and write through the proxy, each with one connection, until they are
    stopped.
    """

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.done, self.failures, self.ending = itertools.count(), [], threading.Event()
        self.counted = 0
        self.threads = [
            threading.Thread(target=self.call, args=(number,), daemon=True)
            for number in range(CLIENTS)
        ]

    def call(self, client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=40)
        for number in itertools.count():
            if self.ending.is_set():
                return connection.close()
            body = json.dumps({"name": f"{client}-{number}"})
            try:
                created = self.send(connection, "POST", f"{K1}/tags", body, 201)
                self.send(connection, "GET", f"{K1}/tags?limit=5", None, 200)
                # stay below the limit of tags
                self.send(connection, "DELETE", f"{K1}/tags/{json.loads(created)['id']}", None, 204)
            except (OSError, http.client.HTTPException, Failed) as failure:
                self.failures.append(repr(failure))
                return connection.close()

    def send(self, connection, method: str, path: str, body: str | None, expected: int) -> bytes:
        connection.request(method, path, body, self.headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != expected:
            raise Failed(f"{method} {path}: {response.status} {text[:300]!r}")
        self.counted = next(self.done) + 1
        return text

    def expect(self, more: int) -> None:
        """Waits for the given number of further requests."""
        wanted = self.counted + more
        until(lambda: self.failures or self.counted >= wanted, f"{more} more requests", TIMEOUT)
        if self.failures:
            raise Failed("; ".join(self.failures))


def caddyfile(instances: list[Instance], work: Path) -> Path:
    """Writes the Caddyfile of docker-compose.yml with local addresses of the services."""
    text = (ROOT / COMPOSE["configs"]["caddyfile"]["file"]).read_text(encoding="utf-8")
    for instance in instances:
        if f"{instance.name}:8080" not in text:
            raise Failed(f"the Caddyfile does not contain {instance.name}")
        text = text.replace(f"{instance.name}:8080", instance.address)
    path = work / "Caddyfile"
    path.write_text(text, encoding="utf-8")
    return path


def start_proxy(instances: list[Instance], work: Path, stack: contextlib.ExitStack) -> None:
    config = ["--config", str(caddyfile(instances, work)), "--adapter", "caddyfile"]
    environment = {
        **os.environ,
        "XDG_DATA_HOME": str(work / "data"),
        "XDG_CONFIG_HOME": str(work / "config"),
    }
    valid = subprocess.run(
        ["caddy", "validate", *config], env=environment, capture_output=True, text=True, timeout=30
    )
    if valid.returncode:
        raise Failed(f"caddy validate: {valid.stderr}")
    print("caddy validate: valid", flush=True)
    log = stack.enter_context((work / "proxy.log").open("wb"))
    proxy = subprocess.Popen(
        ["caddy", "run", *config], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
    )
    stack.callback(lambda: (proxy.kill(), proxy.wait()))
    until(ready, "the proxy", TIMEOUT, lambda: proxy.poll() is None)


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
            stack.callback(kill, instance)
        instances[0].server.create_sample_data()
        start_proxy(instances, work, stack)
        clients = Clients(instances[0].server.token)
        stack.callback(clients.ending.set)
        for thread in clients.threads:
            thread.start()
        clients.expect(200)
        for instance in instances:
            if not instance.completed():
                raise Failed(f"{instance.name} gets no requests")
            seconds = instance.stop()
            clients.expect(200)
            instance.start()
            # the proxy detects that it is ready again
            until(
                lambda current=instance: clients.failures or current.completed() > 20,
                f"requests to {instance.name} after its restart",
                TIMEOUT,
            )
            clients.expect(100)
            print(
                f"{instance.name} stopped within {seconds:.1f} s and was restarted; "
                f"{clients.counted} requests, none failed",
                flush=True,
            )
        clients.ending.set()
        for thread in clients.threads:
            thread.join(JOIN_SECONDS)
        clients.expect(0)


def kill(instance: Instance) -> None:
    instance.server.process.kill()
    instance.server.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="an empty directory")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(arguments.binary, arguments.work)
    except (Failed, subprocess.SubprocessError) as failed:
        sys.exit(f"tests/container/run: {failed}")


if __name__ == "__main__":
    main()
