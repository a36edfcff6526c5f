"""Breaks what the service depends on – its process, its database, its disk, its clients, its keys –, and sees what it
does.

Each scenario states its criteria, each with what was measured. Exit code 1 when one of them does not hold. disk-full needs
root, since it makes disks that fill up. Everything is in a temporary directory and ends with this.
"""

import argparse
import importlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(HERE))
from stage import Stage  # noqa: E402
from support.processes import descendants, signal_all  # noqa: E402
from support.service import binary_of  # noqa: E402
from support.waiting import Failed  # noqa: E402

# in the order in which they run; the file is the name with underscores
SCENARIOS = [
    "ledger", "database-away", "disk-full", "slow-clients", "token-attacks", "key-rotation", "rolling-restart",
    "failover",
]  # fmt: skip
# for a scenario that was told to end to end what it started
GRACE = 30


def module_of(scenario):
    return importlib.import_module(f"scenarios.{scenario.replace('-', '_')}")


def engines_of(scenario, wanted):
    return [it for it in module_of(scenario).ENGINES if wanted in (None, it)]


def play(scenario, engine, seed):
    """One scenario, in this process."""
    # what was started is ended also when this is told to stop
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    module = module_of(scenario)
    with tempfile.TemporaryDirectory(prefix=f"faults-{scenario}-") as directory:
        with Stage(pathlib.Path(directory), engine, binary_of(ROOT), random.Random(seed)) as stage:
            try:
                module.run(stage)
            except Failed as failed:
                stage.criterion("the scenario comes to its end", False, str(failed))
            if stage.failed:
                stage.show_logs()
            return not stage.failed


def direct(scenario, engine, seed):
    """One scenario in a process of its own, which has an end."""
    limit = module_of(scenario).SECONDS
    say(f"\n{scenario} ({engine}, seed {seed}, at most {limit} s)")
    command = [sys.executable, __file__, "--play", scenario, "--engine", engine, "--seed", str(seed)]
    started = time.monotonic()
    process = subprocess.Popen(command)
    try:
        passed = process.wait(limit) == 0
    except subprocess.TimeoutExpired:
        say(f"  FAIL  it ends within {limit} s")
        passed = False
    finally:
        end(process)
    say(f"  {'passed' if passed else 'FAILED'} after {time.monotonic() - started:.0f} s")
    return passed


def end(process):
    """Ends a scenario that still runs, politely at first, and then all that came of it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        signal_all(descendants(process.pid), signal.SIGKILL)
        process.wait()


def say(line):
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", help=f"default: all of {', '.join(SCENARIOS)}")
    parser.add_argument("--engine", choices=["sqlite", "postgres"], help="default: each that the scenario is about")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    if options.play:
        return 0 if play(options.play, options.engine, seed) else 1
    if unknown := set(options.scenario) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    chosen = [it for it in SCENARIOS if it in (options.scenario or SCENARIOS)]
    if "disk-full" in chosen and os.geteuid() != 0:
        sys.exit("tests/chaos/run: disk-full must be run as root, since it makes disks that fill up")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started, failed = time.monotonic(), []
    try:
        binary_of(ROOT)
        for scenario in chosen:
            for engine in engines_of(scenario, options.engine):
                if not direct(scenario, engine, seed):
                    failed.append(f"tests/chaos/run {scenario} --engine {engine} --seed {seed}")
    except Failed as problem:
        sys.exit(f"tests/chaos/run: {problem}")
    say(f"\n{'all passed' if not failed else 'FAILED'} ({time.monotonic() - started:.0f} s)")
    for again in failed:
        say(f"again: {again}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
