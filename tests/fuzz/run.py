"""Fuzzes the body of each operation that has one, and the ticket filter, with libFuzzer, guided by what runs of the library.

What must hold whatever is sent stands in tests/api/support/bodies.rs. Each target begins with the examples of the document and
what was kept in tests/fuzz/corpus, knows the words of the document, and runs for the same time. What stops it is left in
target/fuzz-found. With --keep, of what was found as much is added to the corpus as reaches every part of the code that was
reached: `cargo test --test api corpus` plays that, on both engines. Exit code 1 when a target was stopped.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CORPUS = HERE / "corpus"
FOUND = TARGET / "fuzz-found"
FILTER = "ticket_filter"
# larger bodies hold the same mistakes more often
LONGEST = 4096
# no body of that size may take a second; a busy machine may
SECONDS_OF_ONE = 20
JSON = "application/json"
# what the examples name, and what is there instead
THERE = {"K-1001": "K-1", "netz": "A-1", "anomalie": "T-1", "aenne.schaefer@muster.example": "a@b.example"}
# one condition of each field, and each operator
CONDITIONS = [
    ("area", "in", "A-1"), ("ticket_type", "not_in", "T-1"), ("status", "in", "open"), ("closure", "not_in", "partial"),
    ("urgency", "in", "high"), ("impact", "in", "low"), ("tag", "any_of", "Server"), ("tag", "all_of", "Straße"),
    ("tag", "none_of", "VPN"), ("released", "is", "true"), ("confidential", "is", "false"), ("main_contact", "in", "C-1"),
    ("created_by", "not_in", "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"), ("created_by", "is_self", None),
    ("main_contact", "is_self", None), ("entry_channel", "in", "mail"), ("project", "in", "P-1"),
    ("service_contract", "not_in", "S-1"), ("subject", "contains", "Straße"), ("reference_number", "equals", "4711"),
    ("created_at", "before", "2026-11-20T08:00:00+01:00"), ("created_at", "after", "2026-11-20T08:00:00.5Z"),
    ("created_at", "older_than", "P1Y2M3DT4H"), ("created_at", "newer_than", "PT90M"),
]  # fmt: skip


def document():
    return json.loads((ROOT / "openapi/openapi.json").read_text())


def bodies(contract):
    """The examples of each operation's body, by operation."""
    found = {}
    for item in contract["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {}).get(JSON)
            if content:
                several = [it["value"] for it in content.get("examples", {}).values()]
                found[operation["operationId"]] = several or [content["example"]]
    return found


def there(example):
    """The example, with what it names replaced by what is there, so that it gets further."""
    text = json.dumps(example, ensure_ascii=False)
    return json.loads(re.sub("|".join(THERE), lambda named: THERE[named[0]], text))


def first_filters():
    """All conditions in one filter, and those that rules may have too in another one."""
    every = [
        {"type": "condition", "field": field, "operator": operator, "values": [value] if value else []}
        for field, operator, value in CONDITIONS
    ]
    of_rules = [it for it in every if it["values"]]
    return [{"type": "any", "filters": every}, {"type": "none", "filters": [{"type": "all", "filters": of_rules}]}]


def filters(node):
    """All ticket filters in a value."""
    if isinstance(node, list):
        return [it for child in node for it in filters(child)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") in ("all", "any", "none", "condition") else []
    return own + filters(list(node.values()))


def first_inputs(contract):
    """What each target begins with: the examples, as they are and as they get further; and where they have a filter, others."""
    inputs = {target: examples + [there(it) for it in examples] for target, examples in bodies(contract).items()}
    inputs[FILTER] = filters(list(inputs.values())) + first_filters()
    for target, own in inputs.items():
        if target.endswith(("_query", "_rule")):
            own += [{**own[-1], "filter": it} for it in first_filters()]
    return inputs


def words(node):
    """The members and the fixed values of all schemas."""
    if isinstance(node, list):
        return set().union(*map(words, node))
    if not isinstance(node, dict):
        return set()
    properties = node.get("properties", {})
    fixed = [it for it in node.get("enum", []) if isinstance(it, str)]
    return {*properties, *fixed} | words(list(node.values()))


def write_dictionary(path, contract, inputs):
    """Words as JSON has them, its punctuation, and the texts of the first inputs."""
    texts = {text for text in re.findall(r'"[^"\\]{1,40}"', json.dumps(inputs, ensure_ascii=False))}
    tokens = {json.dumps(it) for it in words(contract["components"]["schemas"])} | texts
    tokens |= {'":', "null", "true", "false", "[]", "{}", '""', "\\u0000", "\\ud83d", "1e999", "-1", "2026-02-30T24:00:60Z", "P1D"}
    escaped = {"".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\x{b:02X}" for b in it.encode()) for it in tokens}
    path.write_text("".join(f'"{it}"\n' for it in sorted(escaped)))


def run(target, *arguments):
    binary = TARGET / "fuzz" / ("fuzz-filter" if target == FILTER else "fuzz-body")
    environment = {**os.environ, "OPERATION": target, "RUST_BACKTRACE": "0", "TMPDIR": "/dev/shm"}
    done = subprocess.run([binary, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def fuzz(target, inputs, seconds, dictionary, directory):
    """Runs one target; returns whether it was not stopped, and a line of the table."""
    seeds, found = directory / "seeds" / target, directory / "found" / target
    for it in (seeds, found, CORPUS / target, FOUND):
        it.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(inputs):
        (seeds / str(number)).write_text(json.dumps(first, ensure_ascii=False))
    code, output = run(
        target, f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SECONDS_OF_ONE}", f"-dict={dictionary}",
        "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={FOUND}/{target}-", found, CORPUS / target, seeds,
    )  # fmt: skip
    ran = re.search(r"stat::number_of_executed_units: (\d+)", output)
    reached = re.findall(r"cov: (\d+)", output)
    line = f"| {target} | {int(ran[1]) if ran else 0:,} | {reached[-1] if reached else 0} | {'passed' if code == 0 else 'STOPPED'} |"
    if code != 0:
        (FOUND / f"{target}.log").write_text(output)
        line += f"\n{output[-3000:]}"
    return code == 0, line


def keep(target, directory):
    """Replaces the corpus by the fewest inputs that reach what all reach together."""
    chosen = directory / "chosen" / target
    chosen.mkdir(parents=True)
    sources = [directory / "found" / target, CORPUS / target, directory / "seeds" / target]
    code, output = run(target, "-set_cover_merge=1", "-use_counters=0", chosen, *sources)
    if code != 0:
        sys.exit(f"the corpus of {target} cannot be merged:\n{output[-2000:]}")
    shutil.rmtree(CORPUS / target)
    shutil.copytree(chosen, CORPUS / target)


def build():
    environment = {**os.environ, "RUSTC_WORKSPACE_WRAPPER": str(HERE / "instrument")}
    subprocess.run(["cargo", "build", "--locked", "--profile", "fuzz", "-p", "fuzz"], cwd=ROOT, env=environment, check=True)


def main():
    contract = document()
    inputs = first_inputs(contract)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[[], *inputs], metavar="target", help="default: all: " + ", ".join(inputs))
    parser.add_argument("--seconds", type=int, default=600, help="how long each runs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many run at a time (default: the cores)")
    parser.add_argument("--keep", action="store_true", help="add what was found to the corpus")
    wanted = parser.parse_args()
    build()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, concurrent.futures.ThreadPoolExecutor(wanted.jobs) as pool:
        directory = pathlib.Path(name)
        dictionary = directory / "words.dict"
        write_dictionary(dictionary, contract, list(inputs.values()))
        print(f"{wanted.seconds} s each, {wanted.jobs} at a time\n\n| target | inputs | code reached | |\n|---|--:|--:|---|", flush=True)

        def play(target):
            passed, line = fuzz(target, inputs[target], wanted.seconds, dictionary, directory)
            print(line, flush=True)
            if wanted.keep:
                keep(target, directory)
            return passed

        if not all(list(pool.map(play, wanted.targets or inputs))):
            sys.exit(1)


if __name__ == "__main__":
    main()
