"""Misbehaving clients, with hand-written HTTP.

Each attack returns how long the service tolerated it, the limit, a summary, and the unexpected
outcomes.
"""

import asyncio
import collections
import time

# Connections per second. Slower if each begins with a complete request: the attack is the number of
# open connections, not the load of ordinary requests.
CONNECTIONS_PER_SECOND = 700
REQUESTS_PER_SECOND = 100
# seconds between two small parts
DRIP_INTERVAL = 1.0
HUGE = 4 * 1024 * 1024
# of large headers and gzip bombs
ATTACKS_PER_SECOND = 20
DURATION_SECONDS = 10


async def connect(to):
    return await asyncio.open_connection(*to, limit=2**20)


async def read_response(reader):
    """Reads a complete response.

    Returns its status and body, or (None, b"") if the connection ends early.
    """
    try:
        headers = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None, b""
    lengths = [
        int(line.split(b":")[1])
        for line in headers.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    body = await reader.readexactly(lengths[0]) if lengths else b""
    return int(headers.split()[1]), body


async def read_to_end(reader):
    """Reads until the service has closed the connection."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass


async def send_slowly(writer, part):
    try:
        while part:
            await asyncio.sleep(DRIP_INTERVAL)
            writer.write(part)
            await writer.drain()
    except ConnectionError:
        pass


async def one_drip(to, before, beginning, part, timeout):
    """Sends a complete request if `before` is given, then a beginning, then small parts.

    Returns after how many seconds the service ended the request, and with which status.
    """
    reader, writer = await connect(to)
    try:
        if before:
            writer.write(before)
            await read_response(reader)
        began = time.monotonic()
        writer.write(beginning)
        sending = asyncio.create_task(send_slowly(writer, part))
        try:
            async with asyncio.timeout(timeout):
                status, _ = await read_response(reader)
                await read_to_end(reader)
        except TimeoutError:
            return float("inf"), "still open"
        finally:
            sending.cancel()
        return time.monotonic() - began, status
    finally:
        writer.close()


async def drip(to, plans, limit, statuses):
    """Opens many slow requests; the service must end each with one of the statuses."""
    tasks = []
    for number, plan in enumerate(plans):
        tasks.append(asyncio.create_task(one_drip(to, *plan, limit + 5)))
        rate = REQUESTS_PER_SECOND if plan[0] else CONNECTIONS_PER_SECOND
        if number % (rate // 20) == 0:
            await asyncio.sleep(1 / 20)
    outcomes = await asyncio.gather(*tasks)
    seen = collections.Counter(str(status) for _, status in outcomes)
    wrong = [status for _, status in outcomes if status not in statuses]
    return max(took for took, _ in outcomes), limit, f"ended with {dict(seen)}", wrong


async def idle(to, count, limit):
    """Opens connections that send nothing."""
    return await drip(to, [(b"", b"", b"")] * count, limit, (None, 408))


async def one_large_header(to, beginning, size, timeout):
    """Returns the seconds until the response, its status, and the number of header bytes sent."""
    reader, writer = await connect(to)
    began = time.monotonic()
    sent = 0
    try:
        async with asyncio.timeout(timeout):
            response = asyncio.create_task(read_response(reader))
            filling = (
                b"".join(b"X-Filler-%d: %s\r\n" % (n, b"f" * 900) for n in range(size // 1000 + 1))[
                    : size - 2
                ]
                + b"\r\n"
            )
            writer.write(beginning)
            for at in range(0, len(filling), 65536):
                if response.done():
                    break
                writer.write(filling[at : at + 65536])
                await writer.drain()
                sent += len(filling[at : at + 65536])
            if not response.done():
                writer.write(b"\r\n")
            status, _ = await response
    except ConnectionError:
        status = None
    except TimeoutError:
        return float("inf"), "still open", sent
    finally:
        writer.close()
    return time.monotonic() - began, status, sent


async def large_headers(to, beginning, limit):
    """Headers of 10,000 bytes get a response.

    Those of 4 MiB are rejected before they are read completely.
    """
    tasks = []
    for number in range(ATTACKS_PER_SECOND * DURATION_SECONDS):
        size = HUGE if number % 4 == 0 else 10_000
        tasks.append((size, asyncio.create_task(one_large_header(to, beginning, size, limit + 5))))
        await asyncio.sleep(1 / ATTACKS_PER_SECOND)
    outcomes = [(size, *await task) for size, task in tasks]
    seen = collections.Counter((size, str(status)) for size, _, status, _ in outcomes)
    wrong = [
        f"{size}: {status}, {sent} bytes sent"
        for size, _, status, sent in outcomes
        if not is_expected(size, status)
    ]
    return max(took for _, took, _, _ in outcomes), limit, f"responses {dict(seen)}", wrong


def is_expected(size, status):
    """Whether the status is expected.

    The response is lost if the connection closes while the client still sends.
    """
    return status in (200, 400, 431) if size < HUGE else status in (400, 413, 431, None)


async def one_bomb(to, request, timeout):
    reader, writer = await connect(to)
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            writer.write(request)
            status, body = await read_response(reader)
    except TimeoutError:
        return float("inf"), "still open", b""
    finally:
        writer.close()
    return time.monotonic() - began, status, body


async def bombs(to, post, bomb, limit):
    """Sends small bodies that would be huge when decompressed.

    They must be rejected and not decompressed.
    """
    request = post + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    tasks = []
    for _ in range(ATTACKS_PER_SECOND * DURATION_SECONDS):
        tasks.append(asyncio.create_task(one_bomb(to, request, limit)))
        await asyncio.sleep(1 / ATTACKS_PER_SECOND)
    outcomes = [await task for task in tasks]
    seen = collections.Counter(str(status) for _, status, _ in outcomes)
    wrong = [
        f"{status} {body[:200]}"
        for _, status, body in outcomes
        if status != 415 or b'"unsupported_media_type"' not in body
    ]
    return (
        max(took for took, _, _ in outcomes),
        limit,
        f"{len(bomb)} bytes each, responses {dict(seen)}",
        wrong,
    )
