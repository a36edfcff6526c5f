"""Keys are rotated while clients call, and the place where they are published breaks: nobody who is right is refused.
"""

import threading
import time

import audit
from key_server import KeyServer, send
from support.addresses import own_loopback
from support.service import BASE, Client
from support.waiting import Failed, until
from tokens import AUDIENCE, ISSUER, Key, key_set

ENGINES = ("sqlite",)
SECONDS = 150
PATH = f"{BASE}/catalog/areas"
# short, so that much happens in little time
REFRESH, COOLDOWN = 2, 2
# what a busy machine may add
MARGIN = 1.5
CLIENTS = 3
FLOOD = 9
MIB = 1024 * 1024
# a request with a good token takes no longer, whatever the key server does
LONGEST = 2.0
MORE_MEMORY_MIB = 64


class Caller(threading.Thread):
    """Calls with a new token each time, signed with whatever key the issuer signs with at that moment."""

    def __init__(self, service, issuer, kid=None, pause=0.01):
        super().__init__(daemon=True)
        self.client, self.issuer, self.kid, self.pause = Client(service, timeout=30), issuer, kid, pause
        self.halt, self.told, self.broken = threading.Event(), [], []

    def run(self):
        count = 0
        while not self.halt.wait(self.pause):
            key, began = self.issuer.key, time.monotonic()
            kid = f"{self.kid}-{id(self)}-{count}" if self.kid else key.kid
            count += 1
            try:
                status = ask(self.client, key.token({"kid": kid}, {"jti": f"{id(self)}-{count}"})).status
                self.told.append((began, time.monotonic() - began, status, kid))
            except Exception as error:  # nobody may be left without an answer
                self.broken.append(repr(error))
                self.client.close()


class Issuer:
    """Who signs, and publishes keys."""

    def __init__(self, key):
        self.key = key


def ask(client, token):
    return client.call("GET", PATH, headers={"Authorization": f"Bearer {token}"})


def run(stage):
    keys = [
        Key(name, algorithm) for name, algorithm in (("a", "RS256"), ("b", "ES256"), ("c", "EdDSA"), ("d", "PS256"))
    ]
    server, elsewhere, issuer = KeyServer(stage), KeyServer(stage, own_loopback()), Issuer(keys[0])
    server.hand_out(key_set(keys[0]))
    elsewhere.hand_out(key_set(keys[3]))
    common = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_HS256_SECRET": None, "JWT_JWKS_URL": server.url}
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
        other,
        **common,
        JWT_JWKS_REFRESH_INTERVAL="1h",
        JWT_JWKS_MIN_REFRESH_INTERVAL=f"{COOLDOWN}s",
    )
    flood(stage, service, server, issuer, keys)


def rotate(stage, service, server, issuer, keys):
    """A, then A and B, then B."""
    client, old, new = stage.client(service, "none"), keys[0], keys[1]
    kept = old.token()
    first = ask(client, kept).status
    # longer than the cool-down since the last reading that an unknown kid may have caused
    server.hand_out(key_set(old, new))
    answer = ask(client, new.token())
    stage.criterion("a token signed with a key just published is good at once", answer.status == 200, f"{answer}"[:120])
    issuer.key = new
    time.sleep(REFRESH)
    both = [ask(client, it).status for it in (kept, old.token(), new.token())]
    server.hand_out(key_set(new))
    withdrawn = time.monotonic()
    gone = lambda: {ask(client, it).status for it in (kept, old.token())} == {401}
    try:
        until(gone, "the withdrawn key", REFRESH + 10)
        took = time.monotonic() - withdrawn
    except Failed:
        took = float("inf")
    stage.criterion(
        f"a key is good until it is withdrawn, and no longer than {REFRESH + MARGIN} s after that",
        first == 200 and both == [200] * 3 and took <= REFRESH + MARGIN,
        f"{first}, with both published {both}, refused {took:.2f} s after it was withdrawn",
    )
    time.sleep(REFRESH)
    later = [ask(client, it).status for it in (kept, old.token(), new.token())]
    stage.criterion("a withdrawn key stays refused, tokens verified before too", later == [401, 401, 200], f"{later}")


def slowly(server):
    """Begins an answer and drips on until it is told to stop."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        while not server.halt.wait(0.2):
            handler.wfile.write(b" ")

    return answer


def hugely(handler):
    """More than anybody should read."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(b'{"keys": [')
    for _ in range(256):
        handler.wfile.write(b" " * MIB)


def break_down(stage, service, server, elsewhere, keys):
    """The server of the keys fails in every way; the keys that are known stay good."""
    before, client = service.memory_mib(), stage.client(service, "none")
    broken = {
        "500": lambda handler: send(handler, 500, b"broken"),
        "404": lambda handler: send(handler, 404, b"{}"),
        "200 with an empty body": lambda handler: send(handler, 200, b""),
        "garbage": lambda handler: send(handler, 200, b"<html>" + bytes(range(256))),
        "JSON that is no key set": lambda handler: send(handler, 200, b'{"keys": {"a": 1}}'),
        "256 MiB": hugely,
        "drop by drop": slowly(server),
        "a redirect elsewhere": lambda handler: send(handler, 302, b"", {"Location": elsewhere.url}),
    }
    wrong = []
    for how, answer in broken.items():
        server.answer, began = answer, time.monotonic()
        client.close()
        time.sleep(REFRESH + 1)
        good, stranger = ask(client, keys[1].token()), time.monotonic()
        unknown = ask(client, keys[3].token())
        took = time.monotonic() - stranger
        if good.status != 200 or unknown.status != 401 or not server.since(began) or took > 12:
            wrong.append(
                f"{how}: known key {good.status}, unknown key {unknown.status} after {took:.1f} s, "
                f"{len(server.since(began))} readings"
            )
    stage.criterion(
        "while the server of the keys is broken, known keys stay good and unknown ones are refused", not wrong,
        f"{len(broken)} ways, {len(wrong)} wrong{audit.examples(wrong)}",
    )  # fmt: skip
    stage.criterion(
        "a redirect is not followed", not elsewhere.requests, f"{len(elsewhere.requests)} requests elsewhere"
    )
    peak = service.memory_mib("VmHWM")
    stage.criterion(
        f"memory grows by less than {MORE_MEMORY_MIB} MiB", peak - before < MORE_MEMORY_MIB,
        f"{before:.0f} MiB before, {peak:.0f} MiB at most",
    )  # fmt: skip


def published(stage, service, server, issuer, keys):
    """Once the server works again, a new key is good as soon as the next reading is allowed."""
    client, began = stage.client(service, "none"), time.monotonic()
    server.hand_out(key_set(keys[1], keys[2]))
    most = max(REFRESH, COOLDOWN) + 10
    try:
        until(lambda: ask(client, keys[2].token()).status == 200, "a key published after the break-down", 30)
        took = time.monotonic() - began
    except Failed:
        took = float("inf")
    stage.criterion(f"a key published after that is good within {most} s", took <= most, f"{took:.2f} s")
    issuer.key = keys[2]
    time.sleep(1)


def finish(stage, when, callers, longest=LONGEST):
    for caller in callers:
        caller.halt.set()
        caller.join()
    told = [it for caller in callers for it in caller.told]
    bad = [f"{status} for {kid} after {took:.2f} s" for _, took, status, kid in told if status != 200 or took > longest]
    bad += [it for caller in callers for it in caller.broken]
    stage.criterion(
        f"{when}: no spurious 401, none slower than {longest} s", told and not bad,
        f"{len(told)} requests, {max(it[1] for it in told):.2f} s at most, {len(bad)} wrong{audit.examples(bad)}",
    )  # fmt: skip


def flood(stage, service, server, issuer, keys):
    """Many unknown kids cause few readings, whether these succeed or not; and a key published meanwhile is found."""
    client = stage.client(service, "none")
    # the first reading is nobody's fault
    until(lambda: server.requests and ask(client, keys[2].token()).status == 200, "the first reading of the keys", 30)
    # it would be idle for longer than connections are kept
    client.close()
    callers = [Caller(service, issuer) for _ in range(CLIENTS)]
    flooders = [Caller(service, issuer, kid="unknown", pause=0.002) for _ in range(CLIENTS)]
    for caller in callers + flooders:
        caller.start()
        stage.callback(caller.halt.set)
    most = FLOOD // COOLDOWN + 1
    for how, answer in (("works", None), ("is broken", lambda handler: send(handler, 500, b"broken"))):
        server.answer, began = answer or server.answer, time.monotonic()
        time.sleep(FLOOD)
        readings = [at - began for at, _ in list(server.requests) if began <= at < began + FLOOD]
        asked = sum(1 for it in flooders for told in it.told if told[0] >= began)
        stage.criterion(
            f"{asked} unknown kids in {FLOOD} s while the server of the keys {how}: 1 to {most} readings",
            1 <= len(readings) <= most, f"{len(readings)}, after {', '.join(f'{it:.2f}' for it in readings)} s",
        )  # fmt: skip
    server.hand_out(key_set(keys[2], keys[3]))
    began = time.monotonic()
    until(lambda: ask(client, keys[3].token()).status == 200, "a key published during a flood", 30)
    took = time.monotonic() - began
    stage.criterion(
        f"a key published during the flood is good within {COOLDOWN + MARGIN} s",
        took <= COOLDOWN + MARGIN,
        f"{took:.2f} s",
    )
    statuses = {told[2] for it in flooders for told in it.told}
    stage.criterion("unknown kids get 401", statuses == {401} and not any(it.broken for it in flooders), f"{statuses}")
    finish(stage, "during the flood", callers)
    for caller in flooders:
        caller.halt.set()
        caller.join()
