"""Clients that do not behave, spoken by hand. Each answers with how long the service bore them, the limit, and what was
seen.
"""

import asyncio
import collections
import time

# connections are opened no faster than this, per second: it is their number that is the attack; whole requests are a
# load that anybody may cause, so they come more slowly
OPENING, ASKING = 700, 100
# between two drops
DROP = 1.0
HUGE = 4 * 1024 * 1024
# large heads and bombs, per second, and for how long
PER_SECOND, LASTING = 20, 10


async def connect(to):
    return await asyncio.open_connection(*to, limit=2**20)


async def read_answer(reader):
    """One whole answer: its status, and its body; (None, b"") when the connection ends before."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None, b""
    lengths = [int(it.split(b":")[1]) for it in head.lower().split(b"\r\n") if it.startswith(b"content-length:")]
    body = await reader.readexactly(lengths[0]) if lengths else b""
    return int(head.split()[1]), body


async def to_the_end(reader):
    """Reads until the other side has closed."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass


async def dropping(writer, drop):
    try:
        while drop:
            await asyncio.sleep(DROP)
            writer.write(drop)
            await writer.drain()
    except ConnectionError:
        pass


async def one_drip(to, before, beginning, drop, patience):
    """Sends a whole request before if told so, then a beginning, then drops. When the service ended it, and with which
    status.
    """
    reader, writer = await connect(to)
    try:
        if before:
            writer.write(before)
            await read_answer(reader)
        began = time.monotonic()
        writer.write(beginning)
        drops = asyncio.create_task(dropping(writer, drop))
        try:
            async with asyncio.timeout(patience):
                status, _ = await read_answer(reader)
                await to_the_end(reader)
        except TimeoutError:
            return float("inf"), "still open"
        finally:
            drops.cancel()
        return time.monotonic() - began, status
    finally:
        writer.close()


async def drip(to, plans, limit, statuses):
    """Many at once that do not come to their end; each must be ended with one of these statuses."""
    tasks = []
    for number, plan in enumerate(plans):
        tasks.append(asyncio.create_task(one_drip(to, *plan, limit + 5)))
        if number % ((ASKING if plan[0] else OPENING) // 20) == 0:
            await asyncio.sleep(1 / 20)
    outcomes = await asyncio.gather(*tasks)
    seen = collections.Counter(str(status) for _, status in outcomes)
    wrong = [status for _, status in outcomes if status not in statuses]
    return max(took for took, _ in outcomes), limit, f"ended with {dict(seen)}", wrong


async def idle(to, count, limit):
    """Connections that are opened and say nothing."""
    return await drip(to, [(b"", b"", b"")] * count, limit, (None, 408))


async def one_large_head(to, head, size, patience):
    """How long it took, which status came, and how much of the head the service has taken."""
    reader, writer = await connect(to)
    began, taken = time.monotonic(), 0
    try:
        async with asyncio.timeout(patience):
            answer = asyncio.create_task(read_answer(reader))
            filling = (
                b"".join(b"X-Filler-%d: %s\r\n" % (n, b"f" * 900) for n in range(size // 1000 + 1))[: size - 2]
                + b"\r\n"
            )
            writer.write(head)
            for at in range(0, len(filling), 65536):
                if answer.done():
                    break
                writer.write(filling[at : at + 65536])
                await writer.drain()
                taken += len(filling[at : at + 65536])
            if not answer.done():
                writer.write(b"\r\n")
            status, _ = await answer
    except ConnectionError:
        status = None
    except TimeoutError:
        return float("inf"), "still open", taken
    finally:
        writer.close()
    return time.monotonic() - began, status, taken


async def large_heads(to, head, limit):
    """A head of 10,000 bytes is answered, well or with a refusal; one of 4 MiB is refused before it is read to its end.
    """
    tasks = []
    for number in range(PER_SECOND * LASTING):
        size = HUGE if number % 4 == 0 else 10_000
        tasks.append((size, asyncio.create_task(one_large_head(to, head, size, limit + 5))))
        await asyncio.sleep(1 / PER_SECOND)
    outcomes = [(size, *await task) for size, task in tasks]
    seen = collections.Counter((size, str(status)) for size, _, status, _ in outcomes)
    wrong = [
        f"{size}: {status}, {taken} bytes taken"
        for size, _, status, taken in outcomes
        if not head_is_right(size, status)
    ]
    return max(took for _, took, _, _ in outcomes), limit, f"answered {dict(seen)}", wrong


def head_is_right(size, status):
    """A connection that is closed while its sender still sends may lose the answer."""
    return status in (200, 400, 431) if size < HUGE else status in (400, 413, 431, None)


async def one_bomb(to, request, patience):
    reader, writer = await connect(to)
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            writer.write(request)
            status, body = await read_answer(reader)
    except TimeoutError:
        return float("inf"), "still open", b""
    finally:
        writer.close()
    return time.monotonic() - began, status, body


async def bombs(to, post, bomb, limit):
    """Small bodies that would be huge once unpacked: refused, unpacked by nobody."""
    request = post + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    tasks = []
    for _ in range(PER_SECOND * LASTING):
        tasks.append(asyncio.create_task(one_bomb(to, request, limit)))
        await asyncio.sleep(1 / PER_SECOND)
    outcomes = [await task for task in tasks]
    seen = collections.Counter(str(status) for _, status, _ in outcomes)
    wrong = [
        f"{status} {body[:200]}"
        for _, status, body in outcomes
        if status != 415 or b'"unsupported_media_type"' not in body
    ]
    return max(took for took, _, _ in outcomes), limit, f"{len(bomb)} bytes each, answered {dict(seen)}", wrong
