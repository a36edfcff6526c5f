#!/usr/bin/env python3
"""Prints the service's bill of materials (SBOM): CycloneDX 1.6, JSON.

The same commit gives the same bytes.

.ci/sbom.py [--target TRIPLE] [FILE]

It lists the crates that `cargo build --profile dist --locked --bin customer-integration` compiles
for the target (default: Linux on x86-64), according to cargo: with the enabled features, without
tests and benchmarks. Crates that are used at build time only (build scripts, procedural macros)
have the scope "excluded". C libraries and JavaScript that are bundled in crates are listed too,
because advisories refer to them.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = "customer-integration"
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
# Libraries that are bundled in crates: the name of the library, the file of the crate that contains
# its version (or the directory whose file names do), the pattern of the version, license and CPE
# vendor.
BUNDLED = {
    "libsqlite3-sys": (
        "sqlite",
        "sqlite3/sqlite3.h",
        r'#define SQLITE_VERSION\s+"([\d.]+)"',
        "blessing",
        "sqlite:sqlite",
    ),
    "aws-lc-sys": (
        "aws-lc",
        "aws-lc/include/openssl/base.h",
        r'AWSLC_VERSION_NUMBER_STRING "([\d.]+)"',
        "ISC AND Apache-2.0",
        None,
    ),
    "libmimalloc-sys": (
        "mimalloc",
        "c_src/mimalloc/MIMALLOC/include/mimalloc.h",
        r"#define MI_MALLOC_VERSION (\d+)",
        "MIT",
        None,
    ),
    "utoipa-swagger-ui-vendored": ("swagger-ui", "res", r"v([\d.]+)\.zip", "Apache-2.0", None),
}


def cargo(*arguments: str) -> str:
    return subprocess.run(
        ["cargo", *arguments], cwd=ROOT, check=True, capture_output=True, text=True, timeout=300
    ).stdout


def tree(edges: str, target: str) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Returns the dependencies of each crate, from `cargo tree`, which considers features."""
    output = cargo(
        "tree",
        "--locked",
        "--package",
        PRODUCT,
        "--edges",
        edges,
        "--target",
        target,
        "--prefix",
        "depth",
        "--format",
        "|{p}",
    )
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    path: list[tuple[str, str]] = []
    for line in output.splitlines():
        depth, _, package = line.partition("|")
        name, version = package.split()[:2]
        crate = name, version.removeprefix("v")
        found.setdefault(crate, set())
        del path[int(depth) :]
        if path:
            found[path[-1]].add(crate)
        path.append(crate)
    return found


def purl(crate: tuple[str, str]) -> str:
    return f"pkg:cargo/{crate[0]}@{crate[1]}"


def expression(license: str) -> list[dict]:
    # crates used a slash before SPDX expressions were introduced
    return [{"expression": license.replace("/", " OR ")}] if license else []


def component(crate: tuple[str, str], package: dict, checksums: dict, in_product: bool) -> dict:
    entry = {"type": "library", "bom-ref": purl(crate), "name": crate[0], "version": crate[1]}
    if package["description"]:
        entry["description"] = " ".join(package["description"].split())
    entry["scope"] = "required" if in_product else "excluded"
    # crates of this repository have no archive
    if checksum := checksums.get(crate):
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    entry["licenses"] = expression(package["license"] or "")
    entry["purl"] = purl(crate)
    if package["repository"]:
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return entry


def bundled(crate: tuple[str, str], package: dict, features: str) -> dict | None:
    """Returns the component of a library that is bundled in a crate."""
    if crate[0] not in BUNDLED:
        return None
    name, place, pattern, license, vendor = BUNDLED[crate[0]]
    place = place.replace(
        "MIMALLOC", "v2" if re.search(r'libmimalloc-sys feature "v2"', features) else "v3"
    )
    path = Path(package["manifest_path"]).parent / place
    text = (
        "\n".join(sorted(os.listdir(path))) if path.is_dir() else path.read_text(encoding="utf-8")
    )
    found = re.search(pattern, text)
    if not found:
        sys.exit(
            f".ci/sbom.py: {crate[0]} {crate[1]} no longer contains the version of its {name}: see BUNDLED"
        )
    version = found[1]
    if version.isdigit():
        # major, then two digits each for minor and patch
        parts = version[:-4], version[-4:-2], version[-2:]
        version = ".".join(str(int(part)) for part in parts)
    entry = {
        "type": "library",
        "bom-ref": f"pkg:generic/{name}@{version}",
        "name": name,
        "version": version,
        "scope": "required",
        "licenses": expression(license),
    }
    if vendor:
        entry["cpe"] = f"cpe:2.3:a:{vendor}:{version}:*:*:*:*:*:*:*"
    return {**entry, "purl": f"pkg:generic/{name}@{version}"}


def committed() -> str:
    """Returns the time of the commit, or SOURCE_DATE_EPOCH, for archives without git."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if seconds is None:
        seconds = subprocess.run(
            ["git", "log", "-1", "--format=%ct"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def bill(target: str) -> dict:
    everything = tree("normal,build", target)
    product = tree("normal,no-proc-macro", target)
    features = cargo(
        "tree",
        "--locked",
        "--package",
        PRODUCT,
        "--edges",
        "features,normal",
        "--target",
        target,
        "--prefix",
        "none",
    )
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1"))
    packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    checksums = {
        (package["name"], package["version"]): package["checksum"]
        for package in lock["package"]
        if package.get("source") == CRATES_IO
    }
    root = next(crate for crate in everything if crate[0] == PRODUCT)
    components, dependencies = [], []
    for crate in sorted(everything):
        needs = [purl(dependency) for dependency in sorted(everything[crate])]
        if crate != root:
            components.append(component(crate, packages[crate], checksums, crate in product))
        if extra := bundled(crate, packages[crate], features):
            components.append(extra)
            needs.append(extra["bom-ref"])
            dependencies.append({"ref": extra["bom-ref"], "dependsOn": []})
        dependencies.append(
            {"ref": purl(root) if crate == root else purl(crate), "dependsOn": needs}
        )
    if not set(BUNDLED) <= {crate[0] for crate in everything}:
        sys.exit(".ci/sbom.py: BUNDLED lists a crate that is no longer used")
    product_entry = {
        "type": "application",
        "bom-ref": purl(root),
        "name": PRODUCT,
        "version": root[1],
        "description": packages[root]["description"],
        "licenses": expression(packages[root]["license"]),
        "purl": purl(root),
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": committed(),
            "lifecycles": [{"phase": "pre-build"}],
            "component": product_entry,
            "properties": [{"name": "cargo:target", "value": target}],
        },
        "components": components,
        "dependencies": dependencies,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="x86_64-unknown-linux-gnu")
    parser.add_argument("file", nargs="?", type=Path, help="default: standard output")
    arguments = parser.parse_args()
    document = bill(arguments.target)
    # derived from the content, so that the same content has the same serial number
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    members = list(document.items())
    members.insert(3, ("serialNumber", f"urn:uuid:{number}"))
    text = json.dumps(dict(members), indent=2, ensure_ascii=False) + "\n"
    if arguments.file:
        arguments.file.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
