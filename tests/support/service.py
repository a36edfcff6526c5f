"""Runs the service as a child process, and an HTTP client for it."""

import http.client
import json
import os
import pathlib
import re
import subprocess

from . import processes
from .waiting import Failed, until

TIMEOUT = 60
BASE = "/api/v1"
SCOPES = "integration:read integration:write global-rules:write catalog:read catalog:write decisions:read audit:read"
# Settings in the environment of the caller must not reach the service.
SETTING_PREFIXES = (
    "BIND_",
    "BODY_",
    "CORS_",
    "DATABASE_",
    "DECISION_",
    "HEADER_",
    "JWT_",
    "LOG_",
    "MAX_CONCURRENT_",
    "METRICS_",
    "MIGRATE_",
    "OTEL_",
    "PAGE_",
    "RATE_",
    "REQUEST_",
    "RUST_LOG",
    "SHUTDOWN_",
    "WORKER_",
)


def clean_environment(settings):
    """Returns the current environment with only the given settings of the service."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(SETTING_PREFIXES)
    }
    return {**inherited, **settings}


def binary_of(root):
    """Returns the service's binary: CUSTOMER_INTEGRATION_BIN, or else the debug build."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    binary = pathlib.Path(
        os.environ.get("CUSTOMER_INTEGRATION_BIN", target / "debug/customer-integration")
    ).resolve()
    if not binary.is_file():
        raise Failed(
            f"no binary at {binary}; run `cargo build` first, or set CUSTOMER_INTEGRATION_BIN"
        )
    return binary


def mint(binary, settings, scope=SCOPES, ttl="12h", subject="tester"):
    """Returns a token signed by the service's own command."""
    command = [binary, "token", "--ttl", ttl, "--subject", subject, "--scope", scope]
    process = subprocess.run(
        command, env=clean_environment(settings), capture_output=True, text=True, timeout=TIMEOUT
    )
    if process.returncode:
        raise Failed(f"token: {process.stderr}")
    return process.stdout.strip()


class Service:
    """The service, which can be restarted with the same settings. It logs to a file."""

    def __init__(self, command, settings, log, prefix=()):
        self.command = [*prefix, *command]
        self.settings = {"BIND_ADDRESS": "127.0.0.1:0", **settings}
        self.log = pathlib.Path(log)
        self.process = self.host = self.port = None
        self.start()

    def start(self):
        """Starts the service and waits until it logs its address."""
        written = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=clean_environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

        def address():
            with self.log.open("rb") as log:
                log.seek(written)
                return re.search(rb"listening on http://([\d.]+):(\d+)", log.read())

        try:
            found = until(address, "the service", TIMEOUT, self.is_running)
        except BaseException as error:
            # the caller has no reference to stop it
            self.kill()
            if isinstance(error, Failed):
                raise Failed(f"{error}\n{self.tail()}") from None
            raise
        self.host, self.port = found[1].decode(), int(found[2])

    @property
    def origin(self):
        return f"http://{self.host}:{self.port}"

    def is_running(self):
        return self.process.poll() is None

    def wait_until_ready(self, seconds=TIMEOUT):
        until(self.is_ready, "readiness of the service", seconds, self.is_running)

    def is_ready(self, timeout=5):
        try:
            return Client(self, timeout=timeout).call("GET", "/health/ready").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def cpu_seconds(self):
        return processes.cpu_seconds(self.process.pid)

    def memory_mib(self, line="VmRSS"):
        return processes.memory_mib(self.process.pid, line)

    def tail(self, lines=20):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def terminate(self):
        """Sends SIGTERM and does not wait."""
        self.process.terminate()

    def kill(self):
        """Sends SIGKILL, like a crash."""
        self.process.kill()
        self.process.wait(TIMEOUT)

    def stop(self):
        if not self.is_running():
            return
        self.terminate()
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"the service did not stop within {TIMEOUT} s and was killed") from None


class Response:
    """Status, headers with names in lower case, and body."""

    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text) if self.text else None

    @property
    def is_problem(self):
        return self.headers.get("content-type", "").split(";")[0] == "application/problem+json"

    def __str__(self):
        return f"{self.status} {self.text[:300].decode(errors='replace')}"


class Client:
    """A client with one persistent connection.

    `server` has a host and a port, which may change when it is restarted.
    """

    def __init__(self, server, token=None, timeout=30):
        self.server, self.token, self.timeout, self.connection = server, token, timeout, None

    def call(self, method, path, body=None, headers=()):
        """Sends a request once. Raises OSError or HTTPException without a complete response."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                self.server.host, self.server.port, timeout=self.timeout
            )
        sent, more = None, dict(headers)
        if self.token:
            more.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            sent = json.dumps(body).encode()
            more.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, sent, more)
            response = self.connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if response.will_close:
            self.close()
        return Response(
            response.status, {name.lower(): value for name, value in response.getheaders()}, text
        )

    def must(self, method, path, body=None, expect=(200, 201, 204), headers=()):
        """Sends a request that must succeed and returns the body of the response."""
        response = self.call(method, path, body, headers)
        if response.status not in expect:
            raise Failed(f"{method} {path} returned {response}")
        return response.json

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
