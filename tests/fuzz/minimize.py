"""Reduces the corpus: removes inputs that cover no additional code in any target."""

import pathlib
import re
import sys
import tempfile


def coverage(target, corpus, run):
    """Returns the edges that each input of a target covers, measured by libFuzzer.

    Timers and threads of the service add noise, so edges count only if they are covered in two runs.
    """
    first, second = (measure(target, corpus, run) for _ in range(2))
    return {path: first[path] & second[path] for path in first.keys() & second.keys()}


def measure(target, corpus, run):
    with tempfile.TemporaryDirectory(prefix="fuzz-minimize-") as directory:
        control = pathlib.Path(directory) / "control"
        chosen = pathlib.Path(directory) / "chosen"
        chosen.mkdir()
        code, output = run(
            target,
            "-set_cover_merge=1",
            "-use_counters=0",
            f"-merge_control_file={control}",
            chosen,
            corpus / target,
        )
        if code:
            sys.exit(f"the coverage of {target} cannot be measured:\n{output[-2000:]}")
        return parse_control(control.read_text())


def parse_control(text):
    """Parses libFuzzer's merge control file: two counts, the paths, a line `FT index edges...` for each."""
    lines = text.splitlines()
    paths = [pathlib.Path(line) for line in lines[2 : 2 + int(lines[0])]]
    edges = {}
    for line in lines[2 + len(paths) :]:
        kind, index, *numbers = line.split()
        if kind == "FT":
            edges[paths[int(index)]] = frozenset(map(int, numbers))
    return edges


def outcomes(target, corpus, run):
    """Returns the outcome of each input: the status of the response, or whether a filter is valid."""
    paths = sorted((corpus / target).iterdir())
    code, output = run(target, *paths, REPORT="1")
    if code:
        sys.exit(f"{target} fails:\n{output[-2000:]}")
    found = re.findall(r"^Running: (\S+)\n(?:.*\n)*?outcome: (\w+)$", output, re.MULTILINE)
    return {pathlib.Path(path): outcome for path, outcome in found}


def choose(required, inputs):
    """Chooses inputs greedily until all edges are covered.

    `required`: for each target and outcome its inputs, one of which is chosen.
    `inputs`: the edges of each input.
    """
    chosen = set()
    covered = set()
    missing = [set(paths) for paths in required]
    while True:
        missing = [paths for paths in missing if not paths & chosen]
        candidates = set().union(*missing) if missing else inputs.keys() - chosen
        gain = {path: (len(inputs[path] - covered), -path.stat().st_size) for path in candidates}
        best = max(sorted(gain), key=gain.get, default=None)
        if best is None or not (missing or inputs[best] - covered):
            return chosen
        chosen.add(best)
        covered |= inputs[best]


def minimize(targets, corpus, run):
    """Deletes inputs of the corpus. Coverage of all targets and the outcomes of each target stay the same."""
    required: dict = {}
    groups: dict = {}
    for target in targets:
        edges = coverage(target, corpus, run)
        # edges have different numbers in the two binaries
        groups.setdefault(target == "ticket_filter", {}).update(edges)
        for path, outcome in outcomes(target, corpus, run).items():
            if path in edges:
                required.setdefault((target, outcome), set()).add(path)
    chosen = set()
    for inputs in groups.values():
        chosen |= choose([paths for paths in required.values() if paths <= inputs.keys()], inputs)
    for target in targets:
        files = sorted((corpus / target).iterdir())
        for path in files:
            if path not in chosen:
                path.unlink()
        print(f"{target}: {sum(path in chosen for path in files)} of {len(files)} inputs", flush=True)
    print(f"{len(chosen)} inputs cover {sum(len(set().union(*inputs.values())) for inputs in groups.values())} edges")
