"""Restarts two instances behind a load balancer one after the other under load: no request fails.

A stopping instance fails its readiness check immediately, serves requests until the load balancer
has noticed, and completes pending requests.
"""

import http.client
import json
import socket
import threading
import time
import typing

import audit
import world
from balancer import INTERVAL, Balancer
from bookkeeping import Load
from scenarios.database_away import wait_for_success
from support.service import BASE, Client

ENGINES = ("postgres",)
TIME_LIMIT = 150
ROUNDS = 2
# of the service, in seconds
SHUTDOWN_DELAY = 2
SHUTDOWN_TIMEOUT = 20
# seconds until readiness must be 503 after the signal
READINESS_LIMIT = 0.5
# of a request that starts before the signal and ends after the delay
LONG_REQUEST_SECONDS = SHUTDOWN_DELAY + 1.5


class Sample(typing.NamedTuple):
    """Statuses of one poll; the times are those of the readiness check, in seconds."""

    sent: float
    answered: float
    ready: int | None
    api: int | None


class Watcher(threading.Thread):
    """Polls the readiness and the API of an instance directly while it is being stopped."""

    def __init__(self, service, token):
        super().__init__(daemon=True)
        self.ready = Client(service, timeout=5)
        self.api = Client(service, token, timeout=5)
        self.samples = []
        self.halt = threading.Event()

    def run(self):
        while not self.halt.wait(0.02):
            at = time.monotonic()
            try:
                ready = self.ready.call("GET", "/health/ready").status
                answered = time.monotonic()
                api = self.api.call("GET", world.at("K-1")).status
                self.samples.append(Sample(at, answered, ready, api))
            except (OSError, http.client.HTTPException):
                self.samples.append(Sample(at, time.monotonic(), None, None))
                return


class LongRequest(threading.Thread):
    """A decision request whose body is sent slowly."""

    def __init__(self, service, token, access_id):
        super().__init__(daemon=True)
        self.to = (service.host, service.port)
        self.status = None
        self.started = threading.Event()
        body = json.dumps(world.decision_request(access_id, "K-1")).encode()
        self.headers = (
            f"POST {BASE}/decisions/ticket-visibility HTTP/1.1\r\nHost: chaos\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        self.parts = [body[:20], body[20:40], body[40:]]

    def run(self):
        with socket.create_connection(self.to, timeout=60) as connection:
            connection.sendall(self.headers)
            self.started.set()
            try:
                for part in self.parts:
                    time.sleep(LONG_REQUEST_SECONDS / len(self.parts))
                    connection.sendall(part)
                self.status = connection.recv(65536).split(b" ")[1:2]
            except OSError as error:
                self.status = repr(error)


def run(stage):
    postgres = stage.postgres()
    token = stage.token()
    settings = {"SHUTDOWN_DELAY": f"{SHUTDOWN_DELAY}s", "SHUTDOWN_TIMEOUT": f"{SHUTDOWN_TIMEOUT}s"}
    services = [stage.service(postgres.url, **settings) for _ in range(2)]
    balancer = Balancer(stage, services)
    load = Load(stage, balancer, writers=3, readers=3)
    client = stage.client(balancer, token)
    access_id = client.must("POST", f"{world.at('K-1')}/accesses", world.access("long"))["id"]
    client.close()
    load.start()
    for _ in range(ROUNDS):
        for number, service in enumerate(services, 1):
            wait_for_success(load)
            restart(stage, f"instance {number}", service, token, access_id)
    time.sleep(1)
    load.stop()
    outcomes = load.ledger.outcomes
    bad = [
        f"{outcome.method} {outcome.status} {outcome.text} after {outcome.seconds:.2f} s"
        for outcome in outcomes
        if outcome.status not in outcome.wanted
    ]
    # lines of the access log
    shares = [service.log.read_text(errors="replace").count(" status=") for service in services]
    stage.criterion(
        f"{2 * ROUNDS} restarts under load: no failed request, and both instances served requests",
        outcomes and not bad and min(shares) > 100,
        f"{len(outcomes)} requests, {len(bad)} failed, served by instance: {shares}{audit.examples(bad)}",
    )
    audit.audit(stage, client, load.ledger)


def restart(stage, name, service, token, access_id):
    long = LongRequest(service, token, access_id)
    watcher = Watcher(service, token)
    long.start()
    watcher.start()
    long.started.wait(10)
    # some samples before the signal
    time.sleep(0.5)
    signalled = time.monotonic()
    service.terminate()
    code = service.process.wait(SHUTDOWN_DELAY + SHUTDOWN_TIMEOUT + 10)
    took = time.monotonic() - signalled
    watcher.halt.set()
    watcher.join()
    long.join()
    check(stage, name, watcher.samples, signalled)
    stage.criterion(
        f"{name} completes pending requests and exits with 0 within its limits",
        code == 0 and long.status == [b"200"] and took <= SHUTDOWN_DELAY + SHUTDOWN_TIMEOUT,
        f"exit code {code} after {took:.2f} s, {long.status}",
    )
    service.start()
    service.wait_until_ready()
    # the load balancer must have noticed before the other instance stops
    time.sleep(3 * INTERVAL / 1000)


def check(stage, name, samples, signalled):
    """Checks that readiness fails immediately while the API still works."""
    # a check that is in progress when the signal arrives may get either status
    before = {sample.ready for sample in samples if sample.answered < signalled}
    after = [sample for sample in samples if sample.sent >= signalled]
    unready = [sample.sent - signalled for sample in after if sample.ready == 503]
    end = signalled + SHUTDOWN_DELAY - READINESS_LIMIT
    late = {sample.ready for sample in after if signalled + READINESS_LIMIT <= sample.sent < end}
    served = [sample.api for sample in after if sample.sent < end]
    when = f"{unready[0]:.2f} s after the signal" if unready else "never"
    stage.criterion(
        f"{name}: readiness is 503 immediately, and requests are served during SHUTDOWN_DELAY ({SHUTDOWN_DELAY} s)",
        before == set(served) == {200}
        and unready
        and unready[0] <= READINESS_LIMIT
        and late == {503},
        f"{sorted(map(str, before))} before, 503 {when}, then {sorted(map(str, late))}; "
        f"{len(served)} requests {sorted(map(str, set(served)))}",
    )
