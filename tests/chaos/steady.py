"""Well-behaved clients: requests at a fixed rate, from a separate process that other load does not
slow down.

Latencies are measured from the scheduled time of a request, so that a delay also counts for the
requests after it.
"""

import http.client
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import types

from support.service import Client
from support.waiting import until

THREADS = 4
# requests of each thread
PER_SECOND = 25


class Steady:
    """The process. It writes a line for each request: its scheduled time, its seconds and its
    status.
    """

    def __init__(self, stage, service, token, requests):
        self.lines = stage.directory / "steady.txt"
        plan = {
            "host": service.host,
            "port": service.port,
            "token": token,
            "requests": requests,
            "parent": os.getpid(),
        }
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(plan), str(self.lines)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        stage.callback(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def samples(self):
        """Returns all completed requests: scheduled time, seconds, status."""
        text = self.lines.read_text() if self.lines.exists() else ""
        complete = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [(float(due), float(took), status) for due, took, status in complete]

    def wait_until_past(self, moment):
        """Waits until all requests scheduled before are complete, including delayed ones."""
        late = lambda: (
            len([due for due, *_ in self.samples()[-10 * THREADS :] if due > moment]) >= THREADS
        )
        until(
            late,
            "requests at a fixed rate (this machine may be too busy)",
            60,
            lambda: self.process.poll() is None,
        )

    def between(self, begin, end):
        """Returns latencies and statuses of the requests scheduled in an interval of
        `time.monotonic`.
        """
        return [(took, status) for due, took, status in self.samples() if begin <= due < end]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def call_at_rate(plan, number, write):
    server = types.SimpleNamespace(host=plan["host"], port=plan["port"])
    client = Client(server, plan["token"], timeout=60)
    due = time.monotonic() + number / THREADS / PER_SECOND
    count = 0
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
            threading.Thread(target=call_at_rate, args=(plan, number, lines.write), daemon=True)
            for number in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
