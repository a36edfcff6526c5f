"""What the system tells of processes."""

import os
import pathlib


def descendants(pid):
    """A process and all that came of it, parents first."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(") ", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for it in found:
        found += children.get(it, [])
    return found


def signal_all(pids, signal):
    """Sends a signal to those that are still there."""
    for pid in pids:
        try:
            os.kill(pid, signal)
        except ProcessLookupError:
            pass


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, line="VmRSS"):
    """Resident memory now; with "VmHWM" the most there ever was."""
    for told in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if told.startswith(f"{line}:"):
            return int(told.split()[1]) / 1024
    return 0.0
