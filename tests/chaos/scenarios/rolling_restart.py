"""Two instances behind a balancer are restarted one after the other under load: nobody notices.

An instance that is told to stop says so by its readiness at once, serves on until the balancer knows, and finishes what
it has begun.
"""

import http.client
import json
import socket
import threading
import time

import audit
import world
from balancer import INTERVAL, Balancer
from bookkeeping import Load
from scenarios.database_away import wait_for_success
from support.service import BASE, Client

ENGINES = ("postgres",)
SECONDS = 150
ROUNDS = 2
# SHUTDOWN_DELAY, SHUTDOWN_TIMEOUT; readiness has to be 503 soon after the signal
DELAY, TIMEOUT, AT_ONCE = 2, 20, 0.5
# a request that began before the signal and ends after the delay
LONG = DELAY + 1.5


class Watcher(threading.Thread):
    """Asks an instance directly, past the balancer, while it is being stopped: for readiness, and for something of the
    API.
    """

    def __init__(self, service, token):
        super().__init__(daemon=True)
        self.ready, self.api = Client(service, timeout=5), Client(service, token, timeout=5)
        self.told, self.halt = [], threading.Event()

    def run(self):
        while not self.halt.wait(0.02):
            at = time.monotonic()
            try:
                self.told.append(
                    (at, self.ready.call("GET", "/health/ready").status, self.api.call("GET", world.at("K-1")).status)
                )
            except (OSError, http.client.HTTPException):
                self.told.append((at, None, None))
                return


class LongRequest(threading.Thread):
    """A question to an instance whose body takes its time."""

    def __init__(self, service, token, access_id):
        super().__init__(daemon=True)
        self.to, self.status, self.begun = (service.host, service.port), None, threading.Event()
        body = json.dumps(world.question(access_id, "K-1")).encode()
        self.head = (
            f"POST {BASE}/decisions/ticket-visibility HTTP/1.1\r\nHost: faults\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        self.parts = [body[:20], body[20:40], body[40:]]

    def run(self):
        with socket.create_connection(self.to, timeout=60) as connection:
            connection.sendall(self.head)
            self.begun.set()
            try:
                for part in self.parts:
                    time.sleep(LONG / len(self.parts))
                    connection.sendall(part)
                self.status = connection.recv(65536).split(b" ")[1:2]
            except OSError as error:
                self.status = repr(error)


def run(stage):
    postgres, token = stage.postgres(), stage.token()
    more = {"SHUTDOWN_DELAY": f"{DELAY}s", "SHUTDOWN_TIMEOUT": f"{TIMEOUT}s"}
    services = [stage.service(postgres.url, **more) for _ in range(2)]
    load = Load(stage, balancer := Balancer(stage, services), writers=3, readers=3)
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
    told = load.ledger.told
    bad = [f"{it.method} {it.status} {it.text} after {it.seconds:.2f} s" for it in told if it.status not in it.wanted]
    shares = [service.log.read_text(errors="replace").count(" answered ") for service in services]
    stage.criterion(
        f"{2 * ROUNDS} restarts under load: no failed request, and both instances had their share",
        told and not bad and min(shares) > 100,
        f"{len(told)} requests, {len(bad)} failed, {shares} answered{audit.examples(bad)}",
    )  # fmt: skip
    audit.audit(stage, client, load.ledger)


def restart(stage, name, service, token, access_id):
    long, watcher = LongRequest(service, token, access_id), Watcher(service, token)
    long.start()
    watcher.start()
    long.begun.wait(10)
    # the watcher has seen it ready before
    time.sleep(0.5)
    told = time.monotonic()
    service.terminate()
    code = service.process.wait(DELAY + TIMEOUT + 10)
    took = time.monotonic() - told
    watcher.halt.set()
    watcher.join()
    long.join()
    judge(stage, name, watcher.told, told)
    stage.criterion(
        f"{name} finishes what it has begun, and exits with 0 within its limits",
        code == 0 and long.status == [b"200"] and took <= DELAY + TIMEOUT,
        f"exit code {code} after {took:.2f} s, {long.status}",
    )  # fmt: skip
    service.start()
    service.wait_until_ready()
    # until the balancer has seen that as well, nobody else serves
    time.sleep(3 * INTERVAL / 1000)


def judge(stage, name, told, signalled):
    """Readiness first, and the API for as long as it takes until the balancer knows."""
    before = [ready for at, ready, _ in told if at < signalled]
    unready = [at - signalled for at, ready, _ in told if at >= signalled and ready == 503]
    late = [ready for at, ready, _ in told if signalled + AT_ONCE <= at < signalled + DELAY - AT_ONCE]
    when = f"{unready[0]:.2f} s after the signal" if unready else "never"
    served = [api for at, _, api in told if signalled <= at < signalled + DELAY - AT_ONCE]
    stage.criterion(
        f"{name}: readiness is 503 at once, and requests are served for the {DELAY} s of SHUTDOWN_DELAY",
        set(before) == set(served) == {200} and unready and unready[0] <= AT_ONCE and set(late) == {503},
        f"200 {len(before)} times before, 503 {when}, then {sorted(map(str, set(late)))}; "
        f"{len(served)} requests {sorted(map(str, set(served)))}",
    )  # fmt: skip
