"""The environment of a scenario: a directory, a database engine, the service, and its criteria."""

import contextlib
import pathlib
import subprocess

from support.addresses import own_loopback
from support.postgres import Postgres
from support.service import Client, Service, mint
from support.waiting import Failed

SETTINGS = {
    "JWT_ISSUER": "https://chaos.example",
    "JWT_AUDIENCE": "chaos",
    "JWT_HS256_SECRET": "a long enough key of the chaos scenarios",
    "RUST_LOG": "warn,customer_integration=info",
}
FIRST_PORT = 8080


class Stage(contextlib.ExitStack):
    """Stops everything that was started with it, in reverse order."""

    def __init__(self, directory, engine, binary, rng):
        super().__init__()
        self.directory, self.engine, self.binary, self.rng = directory, engine, binary, rng
        self.failed, self.logs = [], []
        self.ports = 0
        # PostgreSQL runs as another user
        directory.chmod(0o755)

    def criterion(self, what, holds, measured):
        """Prints a criterion with the measured value; fails the scenario if it does not hold."""
        print(f"  {'pass' if holds else 'FAIL'}  {what}: {measured}", flush=True)
        if not holds:
            self.failed.append(what)

    def note(self, line):
        print(f"        {line}", flush=True)

    def postgres(self, name="postgres", options=(), **more):
        """Starts a durable cluster (fsync is on by default)."""
        parent = more.pop("parent", self.directory)
        cluster = Postgres(
            parent / name, "chaos", options, more.pop("initdb", ("--locale=C",)), **more
        )
        self.callback(cluster.stop)
        self.logs.append(cluster.log)
        return cluster

    def sqlite_url(self, directory=None):
        return f"sqlite://{directory or self.directory}/chaos.db"

    def service(self, url, **settings):
        """Starts the service on an address that stays free while it is restarted."""
        address = f"{own_loopback()}:{FIRST_PORT + self.ports}"
        self.ports += 1
        log = self.directory / f"service-{self.ports}.log"
        given = {**SETTINGS, "DATABASE_URL": url, "BIND_ADDRESS": address, **settings}
        service = Service(
            [self.binary, "serve"],
            {name: value for name, value in given.items() if value is not None},
            log,
        )
        self.callback(self._stop, service)
        self.logs.append(log)
        return service

    def _stop(self, service):
        try:
            service.stop()
        except Failed as failed:
            self.criterion("the service stops on SIGTERM", False, str(failed))

    def token(self, **more):
        return mint(self.binary, SETTINGS, **more)

    def client(self, service, token=None, timeout=30):
        client = Client(service, token or self.token(), timeout)
        self.callback(client.close)
        return client

    def disk(self, name, size):
        """Mounts a small disk."""
        at = self.directory / name
        at.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "chaos", at],
            capture_output=True,
            text=True,
        )
        if mounted.returncode:
            raise Failed(f"cannot mount a disk: {mounted.stderr}")
        self.callback(subprocess.run, ["umount", "-l", at], check=False)
        return pathlib.Path(at)

    def show_logs(self, lines=8):
        """Prints the ends of all logs."""
        for log in self.logs:
            if log.exists():
                text = log.read_text(errors="replace").splitlines()
                levels = ("ERROR", "WARN", "PANIC", "FATAL")
                notable = [line for line in text if any(level in line for level in levels)] or text
                print(
                    f"  ---- {log.name}, notable lines {min(lines, len(notable))} of {len(notable)}"
                )
                print("\n".join(f"  | {line[:300]}" for line in notable[-lines:]), flush=True)
