"""Chaos tests: breaks the process, database, disk, clients or keys of the service under load.

Each scenario prints its criteria with the measured values. Exit code 1 if a criterion fails.
disk-full needs root to mount small disks. All files are in temporary directories, and all processes
end with this one.
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

# in order of execution; the module is the name with underscores
SCENARIOS = [
    "ledger",
    "database-away",
    "disk-full",
    "slow-clients",
    "token-attacks",
    "key-rotation",
    "rolling-restart",
    "failover",
]
# seconds for a terminated scenario to stop its child processes
GRACE = 30


def module_of(scenario):
    return importlib.import_module(f"scenarios.{scenario.replace('-', '_')}")


def engines_of(scenario, wanted):
    return [engine for engine in module_of(scenario).ENGINES if wanted in (None, engine)]


def play(scenario, engine, seed):
    """Runs a scenario in this process."""
    # SIGTERM runs the exit handlers, which stop child processes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    module = module_of(scenario)
    with tempfile.TemporaryDirectory(prefix=f"chaos-{scenario}-") as directory:
        with Stage(pathlib.Path(directory), engine, binary_of(ROOT), random.Random(seed)) as stage:
            try:
                module.run(stage)
            except Failed as failed:
                stage.criterion("the scenario completes", False, str(failed))
            if stage.failed:
                stage.show_logs()
            return not stage.failed


def direct(scenario, engine, seed):
    """Runs a scenario in a child process with a time limit."""
    limit = module_of(scenario).TIME_LIMIT
    say(f"\n{scenario} ({engine}, seed {seed}, at most {limit} s)")
    command = [
        sys.executable,
        __file__,
        "--play",
        scenario,
        "--engine",
        engine,
        "--seed",
        str(seed),
    ]
    started = time.monotonic()
    process = subprocess.Popen(command)
    try:
        passed = process.wait(limit) == 0
    except subprocess.TimeoutExpired:
        say(f"  FAIL  it completes within {limit} s")
        passed = False
    finally:
        end(process)
    say(f"  {'passed' if passed else 'FAILED'} after {time.monotonic() - started:.0f} s")
    return passed


def end(process):
    """Terminates a scenario, and kills it with all its descendants after a while."""
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", nargs="*", help=f"default: all of {', '.join(SCENARIOS)}")
    parser.add_argument(
        "--engine", choices=["sqlite", "postgres"], help="default: all that the scenario supports"
    )
    parser.add_argument("--seed", type=int, default=None, help="default: random")
    parser.add_argument("--play", help=argparse.SUPPRESS)
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    if options.play:
        return 0 if play(options.play, options.engine, seed) else 1
    if unknown := set(options.scenario) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    chosen = [name for name in SCENARIOS if name in (options.scenario or SCENARIOS)]
    if "disk-full" in chosen and os.geteuid() != 0:
        sys.exit("tests/chaos/run: disk-full needs root to mount small disks")
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
    for command in failed:
        say(f"to repeat: {command}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
