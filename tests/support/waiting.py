"""Waiting for something to happen, with an end."""

import time


class Failed(Exception):
    """What a run needs is missing or did not happen."""


def until(happened, what, seconds, alive=lambda: True):
    """Waits until `happened()` is true, and answers with that; fails when the time is up, or when nobody is `alive` any
    more.
    """
    deadline = time.monotonic() + seconds
    while True:
        if outcome := happened():
            return outcome
        if not alive():
            raise Failed(f"{what}: its process ended")
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)
