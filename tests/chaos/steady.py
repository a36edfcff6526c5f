"""Clients that behave: a fixed rate of requests from a process of its own, so that what others do beside it costs them
nothing here.

The latency of a request counts from when it was due, so that one that waits delays the next ones visibly.
"""

import http.client
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from support.service import Client
from support.waiting import until

THREADS = 4
# of each thread
PER_SECOND = 25


class Steady:
    """The process. It writes one line for each request: when it was due, how long it took in seconds, its status."""

    def __init__(self, stage, service, token, requests):
        self.lines = stage.directory / "steady.txt"
        plan = {"host": service.host, "port": service.port, "token": token, "requests": requests, "parent": os.getpid()}
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(plan), str(self.lines)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        stage.callback(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def told(self):
        """All requests that were answered until now: when they were due, how long they took, their statuses."""
        text = self.lines.read_text() if self.lines.exists() else ""
        told = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [(float(due), float(took), status) for due, took, status in told]

    def wait_until_past(self, moment):
        """Waits until nothing is left that was due before; requests that were delayed are the ones that matter."""
        late = lambda: len([due for due, *_ in self.told()[-10 * THREADS :] if due > moment]) >= THREADS
        until(
            late,
            "requests at a fixed rate, which this machine is too busy for,",
            60,
            lambda: self.process.poll() is None,
        )

    def between(self, begin, end):
        """Latencies and statuses of the requests that were due in that time (time.monotonic is the same everywhere)."""
        return [(took, status) for due, took, status in self.told() if begin <= due < end]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def call_at_rate(plan, number, write):
    class At:
        host, port = plan["host"], plan["port"]

    client, due, count = Client(At, plan["token"], timeout=60), time.monotonic() + number / THREADS / PER_SECOND, 0
    while os.getppid() == plan["parent"]:
        time.sleep(max(0, due - time.monotonic()))
        method, path, body = plan["requests"][count % len(plan["requests"])]
        try:
            status = client.call(method, path, body).status
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
        write(f"{due:.6f} {time.monotonic() - due:.6f} {status}\n")
        count += 1
        due += 1 / PER_SECOND


def main():
    plan = json.loads(sys.argv[1])
    with pathlib.Path(sys.argv[2]).open("a", buffering=1) as lines:
        threads = [
            threading.Thread(target=call_at_rate, args=(plan, it, lines.write), daemon=True) for it in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
