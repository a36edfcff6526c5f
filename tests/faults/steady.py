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

THREADS = 4
# of each thread
PER_SECOND = 40


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

    def between(self, begin, end):
        """Latencies and statuses of the requests that were due in that time (of time.monotonic, which all processes
        share).
        """
        text = self.lines.read_text() if self.lines.exists() else ""
        told = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
        told = [(float(due), float(took), status) for due, took, status in told if begin <= float(due) < end]
        return [took for _, took, _ in told], [status for _, _, status in told]


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
