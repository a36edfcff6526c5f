"""What a scenario plays on: a directory, an engine, the service, and the criteria it states."""

import contextlib
import pathlib
import subprocess

from support.addresses import own_loopback
from support.postgres import Postgres
from support.service import Client, Service, mint
from support.waiting import Failed

SETTINGS = {
    "JWT_ISSUER": "https://faults.example",
    "JWT_AUDIENCE": "faults",
    "JWT_HS256_SECRET": "a key that only these scenarios know, long enough",
    "RUST_LOG": "warn,customer_integration=info",
}
FIRST_PORT = 8080


class Stage(contextlib.ExitStack):
    """What is started here is ended with it, in the opposite order."""

    def __init__(self, directory, engine, binary, dice):
        super().__init__()
        self.directory, self.engine, self.binary, self.dice = directory, engine, binary, dice
        self.failed, self.logs, self.ports = [], [], 0
        # PostgreSQL runs as another user
        directory.chmod(0o755)

    def criterion(self, what, holds, measured):
        """States a criterion, with what was measured; one that does not hold fails the scenario."""
        print(f"  {'pass' if holds else 'FAIL'}  {what}: {measured}", flush=True)
        if not holds:
            self.failed.append(what)

    def note(self, line):
        print(f"        {line}", flush=True)

    def postgres(self, name="postgres", options=(), **more):
        """A cluster that keeps what it has acknowledged (fsync is on, as by default)."""
        parent = more.pop("parent", self.directory)
        cluster = Postgres(parent / name, "faults", options, more.pop("initdb", ("--locale=C",)), **more)
        self.callback(cluster.stop)
        self.logs.append(cluster.log)
        return cluster

    def sqlite_url(self, directory=None):
        return f"sqlite://{directory or self.directory}/faults.db"

    def service(self, url, **settings):
        """The service on an address that it finds free again when it is started again."""
        address = f"{own_loopback()}:{FIRST_PORT + self.ports}"
        self.ports += 1
        log = self.directory / f"service-{self.ports}.log"
        given = {**SETTINGS, "DATABASE_URL": url, "BIND_ADDRESS": address, **settings}
        service = Service([self.binary, "serve"], {name: it for name, it in given.items() if it is not None}, log)
        self.callback(self._stop, service)
        self.logs.append(log)
        return service

    def _stop(self, service):
        try:
            service.stop()
        except Failed as failed:
            self.criterion("the service stops when it is told to", False, str(failed))

    def token(self, **more):
        return mint(self.binary, SETTINGS, **more)

    def client(self, service, token=None, timeout=30):
        client = Client(service, token or self.token(), timeout)
        self.callback(client.close)
        return client

    def disk(self, name, size):
        """A small disk of its own."""
        at = self.directory / name
        at.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "faults", at], capture_output=True, text=True
        )
        if mounted.returncode:
            raise Failed(f"no disk can be made here: {mounted.stderr}")
        self.callback(subprocess.run, ["umount", "-l", at], check=False)
        return pathlib.Path(at)

    def show_logs(self, lines=8):
        """The ends of all logs, for those who look for the cause."""
        for log in self.logs:
            if log.exists():
                told = log.read_text(errors="replace").splitlines()
                notable = [it for it in told if "ERROR" in it or "WARN" in it or "PANIC" in it or "FATAL" in it] or told
                print(f"  ---- {log.name}, notable lines {min(lines, len(notable))} of {len(notable)}")
                print("\n".join(f"  | {it[:300]}" for it in notable[-lines:]), flush=True)
