"""Fuzzes the request body of each operation, and the ticket filter, with libFuzzer.

The library is instrumented for coverage. The properties that are checked are in the support of
tests/api. Each target starts with the examples of the OpenAPI document and with tests/fuzz/corpus,
uses the names in the document as dictionary, and runs for the same time. Inputs that fail are
stored in target/fuzz-found; exit code 1 if there are any.

--keep adds new inputs to the corpus, as few as cover all code that was covered. --minimize does not
fuzz but reduces the corpus: it removes inputs that reach no additional line of code in any target
(needs binutils). The API tests replay the corpus on both databases.
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

sys.dont_write_bytecode = True
from minimize import minimize  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CORPUS = HERE / "corpus"
FOUND = TARGET / "fuzz-found"
FILTER = "ticket_filter"
# larger bodies only repeat the same errors
MAX_INPUT_BYTES = 4096
# an input takes far less than a second, except on a busy machine
INPUT_TIMEOUT_SECONDS = 20
JSON = "application/json"
# names in the examples, and existing ones to use instead
EXISTING = {
    "K-1001": "K-1",
    "netz": "A-1",
    "anomalie": "T-1",
    "aenne.schaefer@muster.example": "a@b.example",
}
# a condition for each field and each operator
CONDITIONS = [
    ("area", "in", "A-1"),
    ("ticket_type", "not_in", "T-1"),
    ("status", "in", "open"),
    ("closure", "not_in", "partial"),
    ("urgency", "in", "high"),
    ("impact", "in", "low"),
    ("tag", "any_of", "Server"),
    ("tag", "all_of", "Straße"),
    ("tag", "none_of", "VPN"),
    ("released", "is", "true"),
    ("confidential", "is", "false"),
    ("main_contact", "in", "C-1"),
    ("created_by", "not_in", "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"),
    ("created_by", "is_self", None),
    ("main_contact", "is_self", None),
    ("entry_channel", "in", "mail"),
    ("project", "in", "P-1"),
    ("service_contract", "not_in", "S-1"),
    ("subject", "contains", "Straße"),
    ("reference_number", "equals", "4711"),
    ("created_at", "before", "2026-11-20T08:00:00+01:00"),
    ("created_at", "after", "2026-11-20T08:00:00.5Z"),
    ("created_at", "older_than", "P1Y2M3DT4H"),
    ("created_at", "newer_than", "PT90M"),
]


def document():
    return json.loads((ROOT / "openapi/openapi.json").read_text())


def bodies(contract):
    """Returns the examples of each operation's request body."""
    found = {}
    for item in contract["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {}).get(JSON)
            if content:
                examples = [example["value"] for example in content.get("examples", {}).values()]
                found[operation["operationId"]] = examples or [content["example"]]
    return found


def with_existing_names(example):
    """Returns the example with existing names, so that it passes more checks."""
    text = json.dumps(example, ensure_ascii=False)
    return json.loads(re.sub("|".join(EXISTING), lambda match: EXISTING[match[0]], text))


def first_filters():
    """Returns a filter with all conditions, and one with those that are allowed in rules."""
    every = [
        {
            "type": "condition",
            "field": field,
            "operator": operator,
            "values": [value] if value else [],
        }
        for field, operator, value in CONDITIONS
    ]
    of_rules = [condition for condition in every if condition["values"]]
    return [
        {"type": "any", "filters": every},
        {"type": "none", "filters": [{"type": "all", "filters": of_rules}]},
    ]


def filters(node):
    """Returns all ticket filters in a JSON value."""
    if isinstance(node, list):
        return [found for child in node for found in filters(child)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") in ("all", "any", "none", "condition") else []
    return own + filters(list(node.values()))


def first_inputs(contract):
    """Returns the seeds of each target: the examples, also with existing names and with other
    filters.
    """
    inputs = {
        target: examples + [with_existing_names(example) for example in examples]
        for target, examples in bodies(contract).items()
    }
    inputs[FILTER] = filters(list(inputs.values())) + first_filters()
    for target, own in inputs.items():
        if target.endswith(("_query", "_rule")):
            own += [{**own[-1], "filter": tree} for tree in first_filters()]
    return inputs


def names(node):
    """Returns the members and enum values of all schemas."""
    if isinstance(node, list):
        return set().union(*map(names, node))
    if not isinstance(node, dict):
        return set()
    properties = node.get("properties", {})
    values = [value for value in node.get("enum", []) if isinstance(value, str)]
    return {*properties, *values} | names(list(node.values()))


def write_dictionary(path, contract, inputs):
    """Writes libFuzzer's dictionary: names, JSON punctuation, special values, and strings of the
    seeds.
    """
    texts = {text for text in re.findall(r'"[^"\\]{1,40}"', json.dumps(inputs, ensure_ascii=False))}
    tokens = {json.dumps(name) for name in names(contract["components"]["schemas"])} | texts
    tokens |= {
        '":',
        "null",
        "true",
        "false",
        "[]",
        "{}",
        '""',
        "\\u0000",
        "\\ud83d",
        "1e999",
        "-1",
        "2026-02-30T24:00:60Z",
        "P1D",
    }
    path.write_text("".join(f'"{token}"\n' for token in sorted(map(escaped, tokens))))


def escaped(token):
    """Returns a token in the syntax of libFuzzer's dictionaries."""
    plain = lambda byte: 32 <= byte < 127 and chr(byte) not in '"\\'
    return "".join(chr(byte) if plain(byte) else f"\\x{byte:02X}" for byte in token.encode())


def binary_of(target):
    return TARGET / "fuzz" / ("fuzz-filter" if target == FILTER else "fuzz-body")


def run(target, *arguments, **variables):
    """Runs the binary of a target; returns its exit code and output."""
    environment = {
        **os.environ,
        "OPERATION": target,
        "RUST_BACKTRACE": "0",
        "TMPDIR": "/dev/shm",
        **variables,
    }
    done = subprocess.run(
        [binary_of(target), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def fuzz(target, inputs, seconds, dictionary, directory):
    """Fuzzes a target; returns whether it passed, and its row of the table."""
    seeds, found = directory / "seeds" / target, directory / "found" / target
    for path in (seeds, found, CORPUS / target, FOUND):
        path.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(inputs):
        (seeds / str(number)).write_text(json.dumps(first, ensure_ascii=False))
    code, output = run(
        target,
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={INPUT_TIMEOUT_SECONDS}",
        f"-dict={dictionary}",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={FOUND}/{target}-",
        found,
        CORPUS / target,
        seeds,
    )
    ran = re.search(r"stat::number_of_executed_units: (\d+)", output)
    reached = re.findall(r"cov: (\d+)", output)
    line = f"| {target} | {int(ran[1]) if ran else 0:,} | {reached[-1] if reached else 0} | {'passed' if code == 0 else 'FAILED'} |"
    if code != 0:
        (FOUND / f"{target}.log").write_text(output)
        line += f"\n{output[-3000:]}"
    return code == 0, line


def keep(target, directory):
    """Replaces the corpus of a target by the fewest inputs that cover the same code."""
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
    subprocess.run(
        ["cargo", "build", "--locked", "--profile", "fuzz", "-p", "fuzz"],
        cwd=ROOT,
        env=environment,
        check=True,
    )


def main():
    contract = document()
    inputs = first_inputs(contract)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "targets",
        nargs="*",
        choices=[[], *inputs],
        metavar="target",
        help="default: all: " + ", ".join(inputs),
    )
    parser.add_argument(
        "--seconds", type=int, default=600, help="how long each runs (default: %(default)s)"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count(),
        help="how many run at a time (default: the cores)",
    )
    parser.add_argument("--keep", action="store_true", help="add new inputs to the corpus")
    parser.add_argument("--minimize", action="store_true", help="reduce the corpus and do not fuzz")
    options = parser.parse_args()
    build()
    if options.minimize:
        minimize({target: binary_of(target) for target in inputs}, CORPUS, run)
        return
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-") as name,
        concurrent.futures.ThreadPoolExecutor(options.jobs) as pool,
    ):
        directory = pathlib.Path(name)
        dictionary = directory / "names.dict"
        write_dictionary(dictionary, contract, list(inputs.values()))
        print(
            f"{options.seconds} s each, {options.jobs} at a time\n\n| target | inputs | edges covered | |\n|---|--:|--:|---|",
            flush=True,
        )

        def play(target):
            passed, line = fuzz(target, inputs[target], options.seconds, dictionary, directory)
            print(line, flush=True)
            if options.keep:
                keep(target, directory)
            return passed

        if not all(list(pool.map(play, options.targets or inputs))):
            sys.exit(1)


if __name__ == "__main__":
    main()
