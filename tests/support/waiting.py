"""Waiting for a condition, with a timeout."""

import time


class Failed(Exception):
    """A requirement of the run is missing, or a condition did not become true."""


def until(condition, what, seconds, alive=lambda: True):
    """Waits until `condition()` is truthy and returns its value.

    Raises `Failed` after `seconds`, or as soon as `alive()` is false.
    """
    deadline = time.monotonic() + seconds
    while True:
        if outcome := condition():
            return outcome
        if not alive():
            raise Failed(f"{what}: its process ended")
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)
