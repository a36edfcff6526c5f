"""Rotates keys under load and breaks the JWKS server: valid tokens are never rejected."""

import threading
import time

import audit
from key_server import KeyServer, send
from support.addresses import own_loopback
from support.service import BASE, Client
from support.waiting import Failed, until
from tokens import AUDIENCE, ISSUER, Key, key_set

ENGINES = ("sqlite",)
TIME_LIMIT = 150
PATH = f"{BASE}/catalog/areas"
# seconds; short, so that keys are refreshed often
REFRESH, COOLDOWN = 2, 2
# for a busy machine
MARGIN = 1.5
CLIENTS = 3
FLOOD = 9
MIB = 1024 * 1024
# seconds for a request with a valid token, whatever the JWKS server does
MAX_SECONDS = 2.0
MORE_MEMORY_MIB = 64


class Caller(threading.Thread):
    """Sends requests with a new token each time, signed with the current key of the issuer."""

    def __init__(self, service, issuer, kid=None, pause=0.01):
        super().__init__(daemon=True)
        self.client, self.issuer, self.kid, self.pause = (
            Client(service, timeout=30),
            issuer,
            kid,
            pause,
        )
        self.halt = threading.Event()
        self.outcomes, self.broken = [], []

    def run(self):
        count = 0
        while not self.halt.wait(self.pause):
            key, began = self.issuer.key, time.monotonic()
            kid = f"{self.kid}-{id(self)}-{count}" if self.kid else key.kid
            count += 1
            try:
                status = call(
                    self.client, key.token({"kid": kid}, {"jti": f"{id(self)}-{count}"})
                ).status
                self.outcomes.append((began, time.monotonic() - began, status, kid))
            except Exception as error:  # every request must get a response
                self.broken.append(repr(error))
                self.client.close()


class Issuer:
    """The issuer, with its current signing key."""

    def __init__(self, key):
        self.key = key


def call(client, token):
    return client.call("GET", PATH, headers={"Authorization": f"Bearer {token}"})


def run(stage):
    keys = [
        Key(name, algorithm)
        for name, algorithm in (("a", "RS256"), ("b", "ES256"), ("c", "EdDSA"), ("d", "PS256"))
    ]
    server, elsewhere, issuer = KeyServer(stage), KeyServer(stage, own_loopback()), Issuer(keys[0])
    server.hand_out(key_set(keys[0]))
    elsewhere.hand_out(key_set(keys[3]))
    common = {
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_HS256_SECRET": None,
        "JWT_JWKS_URL": server.url,
    }
    service = stage.service(
        stage.sqlite_url(),
        **common,
        JWT_JWKS_REFRESH_INTERVAL=f"{REFRESH}s",
        JWT_JWKS_MIN_REFRESH_INTERVAL=f"{COOLDOWN}s",
    )
    callers = [Caller(service, issuer) for _ in range(CLIENTS)]
    for caller in callers:
        caller.start()
        stage.callback(caller.halt.set)
    time.sleep(REFRESH)
    rotate(stage, service, server, issuer, keys)
    break_down(stage, service, server, elsewhere, keys)
    published(stage, service, server, issuer, keys)
    finish(stage, "while keys are rotated and their server breaks", callers)
    service.stop()
    other = f"sqlite://{stage.directory}/flood.db"
    server.hand_out(key_set(keys[2]))
    server.requests.clear()
    service = stage.service(
        other, **common, JWT_JWKS_REFRESH_INTERVAL="1h", JWT_JWKS_MIN_REFRESH_INTERVAL=f"{COOLDOWN}s"
    )
    flood(stage, service, server, issuer, keys)


def rotate(stage, service, server, issuer, keys):
    """A, then A and B, then B."""
    client, old, new = stage.client(service, "none"), keys[0], keys[1]
    early_token = old.token()
    first = call(client, early_token).status
    # after the minimum interval since the last refresh caused by an unknown kid
    server.hand_out(key_set(old, new))
    response = call(client, new.token())
    stage.criterion(
        "a token signed with a new key is accepted immediately",
        response.status == 200,
        f"{response}"[:120],
    )
    issuer.key = new
    time.sleep(REFRESH)
    both = [call(client, token).status for token in (early_token, old.token(), new.token())]
    server.hand_out(key_set(new))
    withdrawn = time.monotonic()
    gone = lambda: {call(client, token).status for token in (early_token, old.token())} == {401}
    try:
        until(gone, "the withdrawn key", REFRESH + 10)
        took = time.monotonic() - withdrawn
    except Failed:
        took = float("inf")
    stage.criterion(
        f"a key is accepted until it is withdrawn, and at most {REFRESH + MARGIN} s longer",
        first == 200 and both == [200] * 3 and took <= REFRESH + MARGIN,
        f"{first}, with both published {both}, refused {took:.2f} s after it was withdrawn",
    )
    time.sleep(REFRESH)
    later = [call(client, token).status for token in (early_token, old.token(), new.token())]
    stage.criterion(
        "a withdrawn key stays rejected, also for tokens verified before",
        later == [401, 401, 200],
        f"{later}",
    )


def slow_response(server):
    """Returns a handler that sends a response very slowly."""

    def respond(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        while not server.halt.wait(0.2):
            handler.wfile.write(b" ")

    return respond


def huge_response(handler):
    """Sends a response that is too large to read."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(b'{"keys": [')
    for _ in range(256):
        handler.wfile.write(b" " * MIB)


def break_down(stage, service, server, elsewhere, keys):
    """Breaks the JWKS server in every way; known keys stay valid."""
    before = service.memory_mib()
    client = stage.client(service, "none")
    broken = {
        "500": lambda handler: send(handler, 500, b"broken"),
        "404": lambda handler: send(handler, 404, b"{}"),
        "200 with an empty body": lambda handler: send(handler, 200, b""),
        "garbage": lambda handler: send(handler, 200, b"<html>" + bytes(range(256))),
        "JSON that is no key set": lambda handler: send(handler, 200, b'{"keys": {"a": 1}}'),
        "256 MiB": huge_response,
        "a slow response": slow_response(server),
        "a redirect elsewhere": lambda handler: send(
            handler, 302, b"", {"Location": elsewhere.url}
        ),
    }
    wrong = []
    for how, respond in broken.items():
        server.respond = respond
        began = time.monotonic()
        client.close()
        time.sleep(REFRESH + 1)
        good = call(client, keys[1].token())
        sent = time.monotonic()
        unknown = call(client, keys[3].token())
        took = time.monotonic() - sent
        if good.status != 200 or unknown.status != 401 or not server.since(began) or took > 12:
            wrong.append(
                f"{how}: known key {good.status}, unknown key {unknown.status} after {took:.1f} s, "
                f"{len(server.since(began))} refreshes"
            )
    stage.criterion(
        "while the JWKS server is broken, known keys stay valid and unknown ones are rejected",
        not wrong,
        f"{len(broken)} ways, {len(wrong)} wrong{audit.examples(wrong)}",
    )
    stage.criterion(
        "a redirect is not followed",
        not elsewhere.requests,
        f"{len(elsewhere.requests)} requests elsewhere",
    )
    peak = service.memory_mib("VmHWM")
    stage.criterion(
        f"memory grows by less than {MORE_MEMORY_MIB} MiB",
        peak - before < MORE_MEMORY_MIB,
        f"{before:.0f} MiB before, {peak:.0f} MiB at most",
    )


def published(stage, service, server, issuer, keys):
    """After the server recovers, a new key is accepted as soon as the next refresh is allowed."""
    client = stage.client(service, "none")
    began = time.monotonic()
    server.hand_out(key_set(keys[1], keys[2]))
    most = max(REFRESH, COOLDOWN) + 10
    try:
        until(
            lambda: call(client, keys[2].token()).status == 200,
            "a key published after the outage",
            30,
        )
        took = time.monotonic() - began
    except Failed:
        took = float("inf")
    stage.criterion(
        f"a key published after the outage is accepted within {most} s",
        took <= most,
        f"{took:.2f} s",
    )
    issuer.key = keys[2]
    time.sleep(1)


def finish(stage, when, callers, longest=MAX_SECONDS):
    for caller in callers:
        caller.halt.set()
        caller.join()
    outcomes = [outcome for caller in callers for outcome in caller.outcomes]
    bad = [
        f"{status} for {kid} after {took:.2f} s"
        for _, took, status, kid in outcomes
        if status != 200 or took > longest
    ]
    bad += [error for caller in callers for error in caller.broken]
    stage.criterion(
        f"{when}: no spurious 401, none slower than {longest} s",
        outcomes and not bad,
        f"{len(outcomes)} requests, {max(took for _, took, *_ in outcomes):.2f} s at most, {len(bad)} wrong{audit.examples(bad)}",
    )


def flood(stage, service, server, issuer, keys):
    """Many unknown kids cause few refreshes, successful or not, and a key published meanwhile is
    found.
    """
    client = stage.client(service, "none")
    # the first refresh is not caused by an unknown kid
    until(
        lambda: server.requests and call(client, keys[2].token()).status == 200,
        "the first refresh of the keys",
        30,
    )
    # it would exceed the idle timeout
    client.close()
    callers = [Caller(service, issuer) for _ in range(CLIENTS)]
    flooders = [Caller(service, issuer, kid="unknown", pause=0.002) for _ in range(CLIENTS)]
    for caller in callers + flooders:
        caller.start()
        stage.callback(caller.halt.set)
    most = FLOOD // COOLDOWN + 1
    for how, respond in (
        ("works", server.respond),
        ("is broken", lambda handler: send(handler, 500, b"broken")),
    ):
        server.respond = respond
        began = time.monotonic()
        time.sleep(FLOOD)
        refreshes = [at - began for at, _ in list(server.requests) if began <= at < began + FLOOD]
        count = sum(
            1 for flooder in flooders for started, *_ in flooder.outcomes if started >= began
        )
        stage.criterion(
            f"{count} unknown kids in {FLOOD} s while the JWKS server {how}: 1 to {most} refreshes",
            1 <= len(refreshes) <= most,
            f"{len(refreshes)}, after {', '.join(f'{at:.2f}' for at in refreshes)} s",
        )
    server.hand_out(key_set(keys[2], keys[3]))
    began = time.monotonic()
    until(lambda: call(client, keys[3].token()).status == 200, "a key published during a flood", 30)
    took = time.monotonic() - began
    stage.criterion(
        f"a key published during the flood is accepted within {COOLDOWN + MARGIN} s",
        took <= COOLDOWN + MARGIN,
        f"{took:.2f} s",
    )
    statuses = {status for flooder in flooders for _, _, status, _ in flooder.outcomes}
    stage.criterion(
        "unknown kids get 401",
        statuses == {401} and not any(flooder.broken for flooder in flooders),
        f"{statuses}",
    )
    finish(stage, "during the flood", callers)
    for caller in flooders:
        caller.halt.set()
        caller.join()
