"""Writers that record which writes the service has acknowledged, and readers.

Every write has a unique request id, which the history stores. So the history must have exactly one
entry for each write with a successful response, none for each rejected one, and none or one for
each write without a clear response.
"""

import collections
import dataclasses
import http.client
import random
import threading
import time

import world
from support.service import BASE, Client

# seconds between two attempts while the service does not respond
PAUSE = 0.05
# responses to writes that were not executed
REFUSED = range(400, 500)
STORAGE_FULL = 507


@dataclasses.dataclass
class Promise:
    """A write with a successful response, and the state it must have produced."""

    partner: str
    resource: str
    id: str
    version: int
    members: dict


@dataclasses.dataclass
class Outcome:
    """The outcome of a request. `status` is None if the connection broke."""

    method: str
    began: float
    seconds: float
    status: int | None
    retry_after: bool = False
    problem: bool = False
    text: str = ""
    wanted: tuple = (200, 201, 204)


class Ledger:
    """Acknowledged, open and rejected writes, and the outcomes of all requests."""

    def __init__(self):
        self.lock = threading.Lock()
        self.promises, self.open, self.refused, self.outcomes, self.unexpected = (
            {},
            {},
            set(),
            [],
            [],
        )

    def record(self, outcome):
        with self.lock:
            self.outcomes.append(outcome)

    def statuses(self):
        return collections.Counter(
            "none" if outcome.status is None else outcome.status for outcome in self.outcomes
        )

    def promised(self):
        with self.lock:
            return dict(self.promises)


@dataclasses.dataclass
class Resource:
    """A resource of a writer.

    Its version is None after a write without a clear response, and 0 if it does not exist.
    """

    kind: str
    partner: str
    path: str
    id: str
    version: int | None


class Caller(threading.Thread):
    """A thread that sends requests until it is stopped."""

    def __init__(self, ledger, service, token, name, seed, timeout=30):
        super().__init__(name=name, daemon=True)
        self.ledger, self.client, self.rng = (
            ledger,
            Client(service, token, timeout),
            random.Random(f"{seed} {name}"),
        )
        self.halt = threading.Event()

    def run(self):
        while not self.halt.is_set():
            try:
                self.step()
            except Exception as error:  # otherwise the thread would end without a failure
                self.ledger.unexpected.append(f"{self.name}: {error!r}")
        self.client.close()

    def step(self):
        raise NotImplementedError

    def send(self, method, path, body=None, headers=(), wanted=(200, 201, 204)):
        """Sends a request and records its outcome; returns None if the connection broke.

        `wanted` are the expected statuses.
        """
        began = time.monotonic()
        try:
            response = self.client.call(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.ledger.record(
                Outcome(
                    method, began, time.monotonic() - began, None, text=repr(error), wanted=wanted
                )
            )
            self.halt.wait(PAUSE)
            return None
        took = time.monotonic() - began
        text = response.text[:300].decode(errors="replace") if response.status >= 400 else ""
        retry_after = "retry-after" in response.headers
        self.ledger.record(
            Outcome(
                method,
                began,
                took,
                response.status,
                retry_after,
                response.is_problem,
                f"{path}: {text}",
                wanted,
            )
        )
        if response.status >= 500:
            self.halt.wait(PAUSE)
        return response


class Writer(Caller):
    """Creates tags and accesses, grants ticket types, and changes them."""

    def __init__(self, ledger, service, token, number, seed, timeout=30):
        super().__init__(ledger, service, token, f"w{number}", seed, timeout)
        self.count, self.resources = 0, []
        for partner in world.PARTNERS:
            for id in world.ticket_types(number):
                path = f"{world.at(partner)}/ticket-types/{id}"
                self.resources.append(Resource("ticket_type", partner, path, id, 0))

    def step(self):
        if self.rng.random() < 0.5:
            self.create(self.rng.choice(world.PARTNERS), self.rng.choice(["tag", "access"]))
            return
        resource = self.rng.choice(self.resources)
        if resource.version is None:
            self.look_up(resource)
        elif resource.kind == "ticket_type":
            self.grant(resource)
        else:
            self.change(resource)

    def create(self, partner, kind):
        name = f"{self.name}-{self.count}"
        path = f"{world.at(partner)}/{'tags' if kind == 'tag' else 'accesses'}"
        body = {"name": name, "description": "new"} if kind == "tag" else world.access(name)
        resource = Resource(kind, partner, path, "", 0)
        if self.write("POST", resource, body):
            resource.path = f"{path}/{resource.id}"
            self.resources.append(resource)

    def grant(self, resource):
        body = {"approval_required": resource.version % 2 == 1}
        condition = (
            {"If-Match": f'"{resource.version}"'} if resource.version else {"If-None-Match": "*"}
        )
        self.write("PUT", resource, body, condition)

    def change(self, resource):
        member = "description" if resource.kind == "tag" else "first_name"
        self.write(
            "PATCH",
            resource,
            {member: f"{self.name} {self.count}"},
            {"If-Match": f'"{resource.version}"'},
        )

    def look_up(self, resource):
        response = self.send("GET", resource.path, wanted=(200, 404))
        if response is not None and response.status in (200, 404):
            resource.version = response.json["version"] if response.status == 200 else 0

    def write(self, method, resource, body, condition=()):
        """Sends a write and records the promise. Returns whether it succeeded."""
        self.count += 1
        request_id, before = f"{self.name}-{self.count}", resource.version
        with self.ledger.lock:
            self.ledger.open[request_id] = resource.partner
        resource.version = None
        response = self.send(
            method, resource.path, body, {"X-Request-Id": request_id, **dict(condition)}
        )
        if response is None or 500 <= response.status != STORAGE_FULL:
            return False
        with self.ledger.lock:
            del self.ledger.open[request_id]
            if response.status in REFUSED or response.status == STORAGE_FULL:
                self.ledger.refused.add(request_id)
                return False
            state = response.json
            resource.id = resource.id or state["id"]
            resource.version = state["version"]
            if resource.version != before + 1:
                self.ledger.unexpected.append(
                    f"{request_id}: version {before} was followed by {resource.version}"
                )
            self.ledger.promises[request_id] = Promise(
                resource.partner, resource.kind, resource.id, resource.version, body
            )
        return True


class Reader(Caller):
    """Reads resources and requests decisions."""

    def __init__(self, ledger, service, token, number, seed, accesses, timeout=30):
        super().__init__(ledger, service, token, f"r{number}", seed, timeout)
        self.accesses = accesses

    def step(self):
        partner = self.rng.choice(world.PARTNERS)
        decision = world.decision_request(self.accesses[partner], partner)
        method, path, body = self.rng.choice(
            [
                ("GET", world.at(partner), None),
                ("GET", f"{world.at(partner)}/tags?limit=10", None),
                ("POST", f"{BASE}/decisions/ticket-visibility", decision),
                ("GET", f"{world.at(partner)}/accesses/{self.accesses[partner]}", None),
            ]
        )
        self.send(method, path, body)


class Load:
    """Concurrent writers and readers."""

    def __init__(self, stage, service, writers=4, readers=0, timeout=30):
        self.ledger, token = Ledger(), stage.token()
        client = stage.client(service, token)
        world.create_partners(client, writers)
        accesses = {}
        for partner in world.PARTNERS if readers else []:
            access = world.access(f"reader-{partner.lower()}")
            accesses[partner] = client.must("POST", f"{world.at(partner)}/accesses", access)["id"]
        client.close()
        seed = stage.rng.random()
        self.callers = [
            Writer(self.ledger, service, token, number, seed, timeout) for number in range(writers)
        ]
        self.callers += [
            Reader(self.ledger, service, token, number, seed, accesses, timeout)
            for number in range(readers)
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
