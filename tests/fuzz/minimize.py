"""Reduces the corpus: removes inputs that reach no additional line of source code.

Lines rather than edges are compared, because generic code has separate edges in each operation.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

WARM_UP = "warm-up"


def reached_edges(target, corpus, run):
    """Returns the edges that each input of a target reaches.

    Timers and threads of the service add noise, so edges count only if they are reached in two
    runs.
    """
    first = measure(target, corpus, run)
    second = measure(target, corpus, run)
    return {name: first[name] & second[name] for name in first.keys() & second.keys()}


def measure(target, corpus, run):
    """Measures the edges of each input with libFuzzer, which writes them to a control file."""
    with tempfile.TemporaryDirectory(prefix="fuzz-minimize-") as directory:
        inputs = pathlib.Path(directory) / "inputs"
        chosen = pathlib.Path(directory) / "chosen"
        control = pathlib.Path(directory) / "control"
        inputs.mkdir()
        chosen.mkdir()
        # the smallest input is the first one: it reaches the code that starts the service
        (inputs / WARM_UP).write_text(" ")
        for path in (corpus / target).iterdir():
            (inputs / path.name).write_bytes(path.read_bytes())
        code, output = run(
            target, "-set_cover_merge=1", f"-merge_control_file={control}", chosen, inputs
        )
        if code:
            sys.exit(f"the coverage of {target} cannot be measured:\n{output[-2000:]}")
        edges = parse_control(control.read_text())
        edges.pop(WARM_UP, None)
        return edges


def parse_control(text):
    """Parses the control file: two counts, the paths, and for each input a line `FT index
    features...`.

    A feature is an edge and a class of its number of executions: eight for each edge.
    """
    lines = text.splitlines()
    names = [pathlib.Path(line).name for line in lines[2 : 2 + int(lines[0])]]
    edges = {}
    for line in lines[2 + len(names) :]:
        kind, index, *numbers = line.split()
        if kind == "FT":
            edges[names[int(index)]] = frozenset(int(number) // 8 for number in numbers)
    return edges


def source_lines(binary, edges):
    """Returns the source line of each edge, from the table of program counters and the debug
    information.
    """
    sections = output_of("readelf", "-SW", binary)
    start, size = (
        int(number, 16)
        for number in re.search(r"__sancov_pcs +PROGBITS +(\w+) +\w+ +(\w+)", sections).groups()
    )
    counters = {}
    for line in output_of("readelf", "-rW", binary).splitlines():
        fields = line.split()
        if len(fields) == 4 and "RELATIVE" in fields[2] and 0 <= int(fields[0], 16) - start < size:
            # an entry has a program counter and flags of 8 bytes each
            counters[(int(fields[0], 16) - start) // 16] = fields[3]
    numbers = sorted(edges)
    addresses = "\n".join(counters[number] for number in numbers)
    found = output_of("addr2line", "-e", binary, stdin=addresses).splitlines()
    return {number: line.split(" (")[0] for number, line in zip(numbers, found, strict=True)}


def output_of(*command, stdin=None):
    return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True).stdout


def outcomes(target, corpus, run):
    """Returns the outcome of each input: the response status, or whether a filter is valid."""
    paths = sorted((corpus / target).iterdir())
    code, output = run(target, *paths, REPORT="1")
    if code:
        sys.exit(f"{target} fails:\n{output[-2000:]}")
    found = re.findall(r"^Running: (\S+)\n(?:.*\n)*?outcome: (\w+)$", output, re.MULTILINE)
    return {pathlib.Path(path).name: outcome for path, outcome in found}


def choose(inputs, alternatives):
    """Chooses inputs greedily until all lines are reached.

    `inputs`: the lines that each input reaches. `alternatives`: sets of inputs; at least one of
    each set is chosen.
    """
    chosen = set()
    reached = set()
    while True:
        missing = [names for names in alternatives if not names & chosen]
        candidates = set().union(*missing) if missing else inputs.keys() - chosen
        gain = {name: len(inputs[name] - reached) for name in sorted(candidates)}
        best = max(gain, key=gain.get, default=None)
        if best is None or not (missing or gain[best]):
            return chosen
        chosen.add(best)
        reached |= inputs[best]


def minimize(binaries, corpus, run):
    """Deletes inputs; lines that are reached in a binary, and outcomes of a target, stay the same.

    `binaries`: the path of the binary of each target.
    """
    remaining = total = 0
    for binary in sorted(set(binaries.values())):
        targets = sorted(target for target in binaries if binaries[target] == binary)
        edges = {}
        alternatives = {}
        for target in targets:
            for name, numbers in reached_edges(target, corpus, run).items():
                edges[target, name] = numbers
            for name, outcome in outcomes(target, corpus, run).items():
                if (target, name) in edges:
                    alternatives.setdefault((target, outcome), set()).add((target, name))
        lines = source_lines(binary, set().union(*edges.values()))
        inputs = {key: {lines[number] for number in numbers} for key, numbers in edges.items()}
        chosen = choose(inputs, list(alternatives.values()))
        for target in targets:
            paths = sorted((corpus / target).iterdir())
            removed = [path for path in paths if (target, path.name) not in chosen]
            for path in removed:
                path.unlink()
            print(f"{target}: {len(paths) - len(removed)} of {len(paths)} inputs", flush=True)
            remaining += len(paths) - len(removed)
            total += len(paths)
    print(f"all: {remaining} of {total} inputs")
