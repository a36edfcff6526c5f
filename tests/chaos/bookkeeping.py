"""Writers that keep account of what the service has acknowledged, and readers beside them.

Every write bears a request id of its own, which the history keeps. So of each write that was answered with a success
there must be exactly one entry in the history, of each that was refused none, and of each without a clear answer none
or one.
"""

import collections
import dataclasses
import http.client
import random
import threading
import time

import world
from support.service import BASE, Client

# between two attempts while nobody answers: a writer is no flood
PAUSE = 0.05
# answers that say that nothing was kept
REFUSED = range(400, 500)
STORAGE_FULL = 507


@dataclasses.dataclass
class Promise:
    """A write that was answered with a success, and what must be there since."""

    partner: str
    resource: str
    id: str
    version: int
    members: dict


@dataclasses.dataclass
class Told:
    """What became of one request. `status` is None when the connection broke."""

    method: str
    began: float
    seconds: float
    status: int | None
    retry_after: bool = False
    problem: bool = False
    text: str = ""
    wanted: tuple = (200, 201, 204)


class Ledger:
    """What was promised, what is open, and how every request was answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.promises, self.open, self.refused, self.told, self.surprises = {}, {}, set(), [], []

    def note(self, told):
        with self.lock:
            self.told.append(told)

    def statuses(self):
        return collections.Counter("none" if it.status is None else it.status for it in self.told)

    def promised(self):
        with self.lock:
            return dict(self.promises)


@dataclasses.dataclass
class Thing:
    """Something a writer looks after. Its version is None when a write to it got no clear answer, and 0 when it is not
    there.
    """

    resource: str
    partner: str
    path: str
    id: str
    version: int | None


class Caller(threading.Thread):
    """A thread that calls the service until it is told to stop."""

    def __init__(self, ledger, service, token, name, seed, timeout=30):
        super().__init__(name=name, daemon=True)
        self.ledger, self.client, self.dice = ledger, Client(service, token, timeout), random.Random(f"{seed} {name}")
        self.halt = threading.Event()

    def run(self):
        while not self.halt.is_set():
            try:
                self.step()
            except Exception as error:  # a caller that ends early must not look like one that found nothing
                self.ledger.surprises.append(f"{self.name}: {error!r}")
        self.client.close()

    def step(self):
        raise NotImplementedError

    def ask(self, method, path, body=None, headers=(), wanted=(200, 201, 204)):
        """One request, noted together with the answers that are `wanted`; None where the connection broke."""
        began = time.monotonic()
        try:
            answer = self.client.call(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.ledger.note(Told(method, began, time.monotonic() - began, None, text=repr(error), wanted=wanted))
            self.halt.wait(PAUSE)
            return None
        took = time.monotonic() - began
        text = answer.text[:300].decode(errors="replace") if answer.status >= 400 else ""
        retry_after = "retry-after" in answer.headers
        self.ledger.note(
            Told(method, began, took, answer.status, retry_after, answer.is_problem, f"{path}: {text}", wanted)
        )
        if answer.status >= 500:
            self.halt.wait(PAUSE)
        return answer


class Writer(Caller):
    """Makes tags and accesses, grants ticket types, and changes all of them."""

    def __init__(self, ledger, service, token, number, seed, timeout=30):
        super().__init__(ledger, service, token, f"w{number}", seed, timeout)
        self.count, self.things = 0, []
        for partner in world.PARTNERS:
            for id in world.ticket_types(number):
                path = f"{world.at(partner)}/ticket-types/{id}"
                self.things.append(Thing("ticket_type", partner, path, id, 0))

    def step(self):
        if self.dice.random() < 0.5:
            self.create(self.dice.choice(world.PARTNERS), self.dice.choice(["tag", "access"]))
            return
        thing = self.dice.choice(self.things)
        if thing.version is None:
            self.look_up(thing)
        elif thing.resource == "ticket_type":
            self.grant(thing)
        else:
            self.change(thing)

    def create(self, partner, resource):
        name = f"{self.name}-{self.count}"
        path = f"{world.at(partner)}/{'tags' if resource == 'tag' else 'accesses'}"
        body = {"name": name, "description": "new"} if resource == "tag" else world.access(name)
        thing = Thing(resource, partner, path, "", 0)
        if self.write("POST", thing, body):
            thing.path = f"{path}/{thing.id}"
            self.things.append(thing)

    def grant(self, thing):
        body = {"approval_required": thing.version % 2 == 1}
        condition = {"If-Match": f'"{thing.version}"'} if thing.version else {"If-None-Match": "*"}
        self.write("PUT", thing, body, condition)

    def change(self, thing):
        member = "description" if thing.resource == "tag" else "first_name"
        self.write("PATCH", thing, {member: f"{self.name} {self.count}"}, {"If-Match": f'"{thing.version}"'})

    def look_up(self, thing):
        answer = self.ask("GET", thing.path, wanted=(200, 404))
        if answer is not None and answer.status in (200, 404):
            thing.version = answer.json["version"] if answer.status == 200 else 0

    def write(self, method, thing, body, condition=()):
        """Writes, and enters what was promised. True when it was."""
        self.count += 1
        request_id, before = f"{self.name}-{self.count}", thing.version
        with self.ledger.lock:
            self.ledger.open[request_id] = thing.partner
        thing.version = None
        answer = self.ask(method, thing.path, body, {"X-Request-Id": request_id, **dict(condition)})
        if answer is None or 500 <= answer.status != STORAGE_FULL:
            return False
        with self.ledger.lock:
            del self.ledger.open[request_id]
            if answer.status in REFUSED or answer.status == STORAGE_FULL:
                self.ledger.refused.add(request_id)
                return False
            told = answer.json
            thing.id = thing.id or told["id"]
            thing.version = told["version"]
            if thing.version != before + 1:
                self.ledger.surprises.append(f"{request_id}: version {before} was followed by {thing.version}")
            self.ledger.promises[request_id] = Promise(thing.partner, thing.resource, thing.id, thing.version, body)
        return True


class Reader(Caller):
    """Reads what a tab shows, and asks for decisions."""

    def __init__(self, ledger, service, token, number, seed, accesses, timeout=30):
        super().__init__(ledger, service, token, f"r{number}", seed, timeout)
        self.accesses = accesses

    def step(self):
        partner = self.dice.choice(world.PARTNERS)
        question = world.question(self.accesses[partner], partner)
        method, path, body = self.dice.choice([
            ("GET", world.at(partner), None),
            ("GET", f"{world.at(partner)}/tags?limit=10", None),
            ("POST", f"{BASE}/decisions/ticket-visibility", question),
            ("GET", f"{world.at(partner)}/accesses/{self.accesses[partner]}", None),
        ])  # fmt: skip
        self.ask(method, path, body)


class Load:
    """Several writers and readers at once."""

    def __init__(self, stage, service, writers=4, readers=0, timeout=30):
        self.ledger, token = Ledger(), stage.token()
        client = stage.client(service, token)
        world.furnish(client, writers)
        made = lambda partner: client.must(
            "POST", f"{world.at(partner)}/accesses", world.access(f"reader-{partner.lower()}")
        )["id"]
        accesses = {partner: made(partner) for partner in world.PARTNERS} if readers else {}
        client.close()
        seed = stage.dice.random()
        self.callers = [Writer(self.ledger, service, token, number, seed, timeout) for number in range(writers)]
        self.callers += [
            Reader(self.ledger, service, token, number, seed, accesses, timeout) for number in range(readers)
        ]
        stage.callback(self.stop)

    def start(self):
        for caller in self.callers:
            caller.start()
        return self

    def stop(self):
        for caller in self.callers:
            caller.halt.set()
        for caller in self.callers:
            if caller.is_alive():
                caller.join()
