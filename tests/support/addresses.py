"""Private loopback addresses, so that a restarted process finds its port free."""

import os


def own_loopback():
    """Returns a loopback address derived from the process id.

    All of 127.0.0.0/8 is loopback, so the ports below the ephemeral range are free there.
    """
    pid = os.getpid()
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"
