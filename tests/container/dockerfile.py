"""Parses Dockerfile and .dockerignore, to execute them without a Docker engine."""

import json
import os
import re
import shlex
import shutil
import string
from dataclasses import dataclass, field
from pathlib import Path


class Failed(Exception):
    pass


@dataclass
class Step:
    line: int
    instruction: str
    flags: dict[str, str]
    text: str

    def words(self) -> list[str]:
        """Returns the arguments: a JSON list, or words as in a shell."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)


@dataclass
class Stage:
    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, instruction: str) -> Step:
        found = [step for step in self.steps if step.instruction == instruction]
        if not found:
            raise Failed(f"Dockerfile: the stage {self.name or self.base} has no {instruction}")
        return found[-1]

    def environment(self) -> dict[str, str]:
        pairs = [word for step in self.steps if step.instruction == "ENV" for word in step.words()]
        return dict(pair.split("=", 1) for pair in pairs)


def steps(text: str) -> list[Step]:
    """Parses instructions: without comments, continued lines joined, flags separate."""
    found, pending, begun = [], "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun if pending else number
        pending += line.rstrip()
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        instruction, rest = pending.split(None, 1)
        flags = {}
        while match := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
            flags[match[1]] = match[2]
            rest = rest[match.end() :]
        found.append(Step(begun, instruction.upper(), flags, rest.strip()))
        pending = ""
    return found


def read(path: Path) -> list[Stage]:
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for step in steps(path.read_text(encoding="utf-8")):
        if step.instruction == "FROM":
            base, *name = string.Template(step.text).substitute(arguments).split()
            stages.append(Stage(base, name[1] if name else ""))
        elif stages:
            stages[-1].steps.append(step)
        elif step.instruction == "ARG":
            key, _, value = step.text.partition("=")
            arguments[key] = value
    return stages


class Context:
    """The build context: files that .dockerignore does not exclude.

    Its last matching line decides.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rules: list[tuple[bool, str]] = []
        for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                self.rules.append((not line.startswith("!"), line.strip().lstrip("!").strip("/")))

    def ignores(self, path: str) -> bool:
        # a rule for a directory applies to all files in it
        candidates = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
        ignored = False
        for excludes, pattern in self.rules:
            if any(re.fullmatch(translate(pattern), part) for part in candidates):
                ignored = excludes
        return ignored

    def copy(self, source: str, target: Path, directory: bool) -> None:
        """Copies like COPY: the content of a directory, or a file.

        `directory`: the target is a directory.
        """
        origin = self.root / source
        copied = 0
        if origin.is_file() and not self.ignores(source):
            target = target / origin.name if directory else target
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(origin, target)
            copied = 1
        for folder, folders, files in os.walk(origin):
            inside = os.path.relpath(folder, self.root)
            folders[:] = [name for name in folders if not self.ignores(f"{inside}/{name}")]
            for name in files:
                if not self.ignores(f"{inside}/{name}"):
                    place = target / os.path.relpath(folder, origin) / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(Path(folder) / name, place)
                    copied += 1
        if not copied:
            raise Failed(f"Dockerfile: COPY {source}: no such file, or excluded by .dockerignore")


def translate(pattern: str) -> str:
    """Converts a pattern of .dockerignore to a regular expression."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    wildcards = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wildcards.get(part, re.escape(part)) for part in parts)
