#!/usr/bin/env python3
"""Checks the manifests of the workspace: each dependency has a comment that says what it is for,
and tables are sorted.

The comment is on the line above the dependency or at the end of its line. Crates of the workspace
itself need none.
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("dependencies", "dev-dependencies", "build-dependencies")


def dependency_tables(manifest: dict) -> list[dict]:
    """Returns all dependency tables of a manifest, including those of single platforms."""
    places = [manifest, manifest.get("workspace", {}), *manifest.get("target", {}).values()]
    return [place[kind] for place in places for kind in KINDS if kind in place]


def header(line: str) -> str | None:
    """Returns the name of the table that a line opens."""
    line = line.split("#")[0].strip()
    return (
        line[1:-1]
        if line.startswith("[") and line.endswith("]") and not line.startswith("[[")
        else None
    )


def commented_dependencies(text: str) -> set[str]:
    """Returns the dependencies of a manifest that have a comment."""
    commented, in_table, previous = set(), False, ""
    for line in text.splitlines():
        table = header(line)
        if table is not None:
            in_table = table.split(".")[-1] in KINDS
            name = (
                table.split(".")[-1]
                if table.split(".")[-2:-1] and table.split(".")[-2] in KINDS
                else None
            )
        else:
            name = (
                line.split("=")[0].split(".")[0].strip(' "') if in_table and "=" in line else None
            )
        comment = previous if previous.startswith("#") else line.partition(" # ")[2]
        if name and comment.strip("# "):
            commented.add(name)
        previous = line.strip()
    return commented


def main() -> None:
    product = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    paths = ["Cargo.toml", *(f"{member}/Cargo.toml" for member in product["workspace"]["members"])]
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in paths}
    manifests = {path: tomllib.loads(text) for path, text in texts.items()}
    own = {manifest["package"]["name"] for manifest in manifests.values()}
    errors, count = [], 0
    for path, manifest in manifests.items():
        commented = commented_dependencies(texts[path])
        for table in dependency_tables(manifest):
            count += len(table)
            errors += [
                f"{path}: {name} needs a comment that says what it is for"
                for name in table
                if name not in commented | own
            ]
            if list(table) != sorted(table):
                first = next(
                    name for name, expected in zip(table, sorted(table)) if name != expected
                )
                errors.append(f"{path}: the dependencies are not sorted, starting with {first}")
    if errors:
        sys.exit("\n".join(errors))
    print(f"{count} dependencies in {len(paths)} manifests: all commented and sorted")


if __name__ == "__main__":
    main()
