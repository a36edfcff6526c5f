"""Addresses that nobody else on this machine has: a process that is started again finds its port free."""

import os


def own_loopback():
    """A loopback address of this process alone. Its ports below the ephemeral ones are ours; 127.0.0.0/8 is all
    loopback.
    """
    pid = os.getpid()
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"
