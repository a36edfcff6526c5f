"""Clients that are slow, many, or send far too much: others do not notice, memory is bounded, and stalled connections
end.
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
SECONDS = 240
IDLE = 5_000
# undisturbed, before each attack
CALM = 6
# how much of its p99 the others may lose
FACTOR = 3
# the service's time-outs, and what its timers and a busy machine may add
HEADER_TIMEOUT, BODY_TIMEOUT, KEEP_ALIVE, MARGIN = 10, 15, 10, 3
# resident memory, whatever happens: 64 MiB of decisions by configuration, the program, and 5,000 connections
MEMORY_MIB = 256
BOMB = gzip.compress(bytes(64 * 1024 * 1024), 9)


def run(stage):
    plenty_of_files()
    service = stage.service(stage.sqlite_url(), DECISION_CACHE_MIB="64")
    token = stage.token()
    client = stage.client(service, token)
    world.furnish(client)
    path = world.at("K-1")
    id = client.must("POST", f"{path}/accesses", world.access("steady"))["id"]
    for n in range(50):
        client.must("POST", f"{path}/tags", {"name": f"tag {n}"})
    steady = Steady(stage, service, token, [
        ("GET", path, None), ("GET", f"{path}/tags", None), ("GET", f"{path}/accesses/{id}", None),
        ("POST", f"{BASE}/decisions/ticket-visibility", world.question(id, "K-1")),
    ])  # fmt: skip
    # attackers come with processors of their own; here they must not take those of the service
    os.nice(10)
    time.sleep(2)
    before, calm, attacked = service.memory_mib(), [], {}
    for name, attack in attacks(service, token).items():
        quiet = time.monotonic()
        time.sleep(CALM)
        began = time.monotonic()
        judge(stage, name, asyncio.run(attack))
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
    """Latencies of those who behave: in the windows of calm, of which the median counts, and in that of each attack."""
    quiet = [steady.between(*window) for window in calm]
    disturbed = {name: steady.between(*window) for name, window in attacked.items()}
    answers = [it for told in [*quiet, *disturbed.values()] for it in told]
    bad = [status for _, status in answers if status != "200"]
    stage.criterion("those who behave are always answered", not bad, f"{len(answers)} answers, {len(bad)} not 200")
    calms = sorted(p99_of(told) for told in quiet)
    undisturbed = statistics.median(calms)
    stage.note(f"undisturbed p99: {', '.join(f'{1000 * it:.1f}' for it in calms)} ms")
    if calms[-1] > FACTOR * calms[0]:
        stage.note("this machine is busy with something else, so that the comparisons below say little")
    for name, told in disturbed.items():
        p99 = p99_of(told)
        stage.criterion(
            f"{name}: p99 of the others within {FACTOR} times its undisturbed value", p99 <= FACTOR * undisturbed,
            f"{1000 * p99:.1f} ms ({len(told)} requests) to {1000 * undisturbed:.1f} ms, {p99 / undisturbed:.1f} times",
        )  # fmt: skip


def p99_of(told):
    return percentile([took for took, _ in told], 0.99)


def judge(stage, name, outcome):
    """`outcome`: what the attack saw, the most it may see or None, and whatever was wrong with single answers."""
    slowest, limit, seen, wrong = outcome
    stage.criterion(
        f"{name}: ended by the service within {limit} s", slowest <= limit and not wrong,
        f"{slowest:.1f} s at most; {seen}{audit.examples(wrong)}",
    )  # fmt: skip


def attacks(service, token):
    """The attacks by their names, each not begun yet."""
    to = (service.host, service.port)
    head = f"Host: faults\r\nAuthorization: Bearer {token}\r\n"
    get = f"GET {world.at('K-1')} HTTP/1.1\r\n{head}".encode()
    # cheap to answer: it is the connections that are the attack
    whole = b"GET /health/live HTTP/1.1\r\nHost: faults\r\n\r\n"
    post = f"POST {BASE}/decisions/ticket-visibility HTTP/1.1\r\n{head}Content-Type: application/json\r\n".encode()
    sized, chunked = post + b"Content-Length: 100000\r\n\r\n{", post + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
    header, body = HEADER_TIMEOUT + MARGIN, BODY_TIMEOUT + MARGIN
    return {
        "500 heads that come drop by drop": attackers.drip(
            to, [(b"", get + b"X-Slow: ", b"a")] * 500, header, (408, None)
        ),
        "200 second heads that do": attackers.drip(to, [(whole, get + b"X-Slow: ", b"a")] * 200, header, (408, None)),
        "200 bodies that do": attackers.drip(
            to, [(b"", sized, b" "), (b"", chunked, b"1\r\n \r\n")] * 100, body, (408,)
        ),
        f"{IDLE} connections that say nothing": attackers.idle(to, IDLE, header),
        "500 connections kept open after an answer": attackers.drip(
            to, [(whole, b"", b"")] * 500, KEEP_ALIVE + MARGIN, (None,)
        ),
        "heads of 10,000 bytes, and of 4 MiB": attackers.large_heads(to, get, header),
        "gzip bombs": attackers.bombs(to, post, BOMB, header),
    }


def plenty_of_files():
    """For all the connections, here and in the service, which inherits the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2 * IDLE + 1000:
        raise Failed(f"the system allows {most} open files, which are not enough (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
