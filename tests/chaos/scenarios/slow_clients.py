"""Slow clients, many clients and huge requests: others are not affected, memory is bounded, stalled
connections end.
"""

import asyncio
import gzip
import os
import resource
import statistics
import time

import attackers
import audit
import world
from steady import Steady, percentile
from support.service import BASE
from support.waiting import Failed

ENGINES = ("sqlite",)
TIME_LIMIT = 240
IDLE = 5_000
# seconds without an attack before each attack
CALM = 6
# by which the p99 of other clients may increase
FACTOR = 3
# timeouts of the service, with a margin for a busy machine
HEADER_TIMEOUT, BODY_TIMEOUT, KEEP_ALIVE, MARGIN = 10, 15, 10, 3
# limit of resident memory: 64 MiB policy cache as configured, the program, and 5,000 connections
MEMORY_MIB = 256
BOMB = gzip.compress(bytes(64 * 1024 * 1024), 9)


def run(stage):
    raise_file_limit()
    service = stage.service(stage.sqlite_url(), DECISION_CACHE_MIB="64")
    token = stage.token()
    client = stage.client(service, token)
    world.create_partners(client)
    path = world.at("K-1")
    id = client.must("POST", f"{path}/accesses", world.access("steady"))["id"]
    for n in range(50):
        client.must("POST", f"{path}/tags", {"name": f"tag {n}"})
    steady = Steady(
        stage,
        service,
        token,
        [
            ("GET", path, None),
            ("GET", f"{path}/tags", None),
            ("GET", f"{path}/accesses/{id}", None),
            ("POST", f"{BASE}/decisions/ticket-visibility", world.decision_request(id, "K-1")),
        ],
    )
    # the attackers share the processors with the service, so they get a lower priority
    os.nice(10)
    time.sleep(2)
    before = service.memory_mib()
    calm = []
    attacked = {}
    for name, attack in attacks(service, token).items():
        quiet = time.monotonic()
        time.sleep(CALM)
        began = time.monotonic()
        check(stage, name, asyncio.run(attack))
        calm.append((quiet, began))
        attacked[name] = (began, time.monotonic())
    steady.wait_until_past(time.monotonic())
    compare(stage, steady, calm, attacked)
    peak = service.memory_mib("VmHWM")
    stage.criterion(
        f"resident memory stays below {MEMORY_MIB} MiB",
        peak < MEMORY_MIB,
        f"{before:.0f} MiB before, {peak:.0f} MiB at most",
    )


def compare(stage, steady, calm, attacked):
    """Compares the latencies of well-behaved clients during each attack with the median of the calm
    windows.
    """
    quiet = [steady.between(*window) for window in calm]
    disturbed = {name: steady.between(*window) for name, window in attacked.items()}
    samples = [sample for window in [*quiet, *disturbed.values()] for sample in window]
    bad = [status for _, status in samples if status != "200"]
    stage.criterion(
        "well-behaved clients always succeed",
        not bad,
        f"{len(samples)} requests, {len(bad)} not 200",
    )
    calms = sorted(p99_of(window) for window in quiet)
    undisturbed = statistics.median(calms)
    stage.note(f"undisturbed p99: {', '.join(f'{1000 * p99:.1f}' for p99 in calms)} ms")
    if calms[-1] > FACTOR * calms[0]:
        stage.note("this machine is busy, so the comparisons below are unreliable")
    for name, window in disturbed.items():
        p99 = p99_of(window)
        stage.criterion(
            f"{name}: p99 of the others within {FACTOR} times its undisturbed value",
            p99 <= FACTOR * undisturbed,
            f"{1000 * p99:.1f} ms ({len(window)} requests) to {1000 * undisturbed:.1f} ms, {p99 / undisturbed:.1f} times",
        )


def p99_of(window):
    return percentile([took for took, _ in window], 0.99)


def check(stage, name, outcome):
    """`outcome`: the slowest connection, its limit, a summary, and unexpected responses."""
    slowest, limit, seen, wrong = outcome
    stage.criterion(
        f"{name}: ended by the service within {limit} s",
        slowest <= limit and not wrong,
        f"{slowest:.1f} s at most; {seen}{audit.examples(wrong)}",
    )


def attacks(service, token):
    """Returns the attacks by name; they are coroutines that have not started."""
    to = (service.host, service.port)
    common = f"Host: chaos\r\nAuthorization: Bearer {token}\r\n"
    get = f"GET {world.at('K-1')} HTTP/1.1\r\n{common}".encode()
    # cheap for the service: the connections are the attack
    whole = b"GET /health/live HTTP/1.1\r\nHost: chaos\r\n\r\n"
    post = f"POST {BASE}/decisions/ticket-visibility HTTP/1.1\r\n{common}Content-Type: application/json\r\n".encode()
    sized, chunked = (
        post + b"Content-Length: 100000\r\n\r\n{",
        post + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    )
    header, body = HEADER_TIMEOUT + MARGIN, BODY_TIMEOUT + MARGIN
    return {
        "500 slow headers": attackers.drip(
            to, [(b"", get + b"X-Slow: ", b"a")] * 500, header, (408, None)
        ),
        "200 slow headers of a second request": attackers.drip(
            to, [(whole, get + b"X-Slow: ", b"a")] * 200, header, (408, None)
        ),
        "200 slow bodies": attackers.drip(
            to, [(b"", sized, b" "), (b"", chunked, b"1\r\n \r\n")] * 100, body, (408,)
        ),
        f"{IDLE} connections that send nothing": attackers.idle(to, IDLE, header),
        "500 idle connections after a response": attackers.drip(
            to, [(whole, b"", b"")] * 500, KEEP_ALIVE + MARGIN, (None,)
        ),
        "headers of 10,000 bytes and of 4 MiB": attackers.large_headers(to, get, header),
        "gzip bombs": attackers.bombs(to, post, BOMB, header),
    }


def raise_file_limit():
    """Allows enough open files for all connections, here and in the service, which inherits the
    limit.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2 * IDLE + 1000:
        raise Failed(f"the system allows {most} open files, which is not enough (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
