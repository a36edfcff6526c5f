"""Executes the steps of the Dockerfile's builder stage in a chroot with this machine's programs.

`run` starts this in new namespaces and removes the directory when they, and all mounts in them,
have ended.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import dockerfile
import sandbox
from dockerfile import Failed

ROOT = Path(__file__).resolve().parents[2]
BUILD_SECONDS = 3600
# files that must not get into an image
SECRETS = [
    "secrets/database_url",
    ".env",
    "data/demo.key",
    "data/customer-integration.db",
    ".git/config",
    "target/dist/x",
    "benches/decisions/target/dist/x",
    "docker-compose.yml",
    "tests/api/main.rs",
]


def check_context(context: dockerfile.Context) -> None:
    if leaked := [path for path in SECRETS if not context.ignores(path)]:
        raise Failed(f".dockerignore does not exclude: {leaked}")


def build(stage: dockerfile.Stage, root: Path) -> None:
    """Executes the steps of the builder."""
    home = {
        name: os.environ.get(name, str(Path.home() / default))
        for name, default in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
    }
    sandbox.like_this_machine(root, [Path(directory) for directory in home.values()])
    context = dockerfile.Context(ROOT)
    environment = {
        "PATH": f"{home['CARGO_HOME']}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(Path.home()),
        **home,
        **{
            name: value
            for name, value in os.environ.items()
            if name.startswith("CARGO_") and "TARGET" not in name
        },
    }
    directory = Path("/")
    for step in stage.steps:
        if step.instruction == "WORKDIR":
            directory = directory / step.text
            (root / str(directory).lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif step.instruction == "COPY":
            *sources, target = step.words()
            place = root / str(directory / target).lstrip("/")
            for source in sources:
                context.copy(source, place, target.endswith("/") or len(sources) > 1)
        elif step.instruction == "RUN":
            print(f"Dockerfile:{step.line}: RUN {step.text[:100]} …", flush=True)
            subprocess.run(
                ["/bin/sh", "-c", step.text],
                env=environment,
                check=True,
                timeout=BUILD_SECONDS,
                stdin=subprocess.DEVNULL,
                preexec_fn=sandbox.enter(root, str(directory), None),
            )
        elif step.instruction not in ("ARG", "ENV"):
            raise Failed(f"Dockerfile:{step.line}: this test does not support {step.instruction}")


def use_binary(builder: Path, binary: Path) -> None:
    """Creates the output of the builder from an existing binary."""
    (builder / "out/data").mkdir(parents=True)
    (builder / "out/data").chmod(0o700)
    (builder / "out/customer-integration").write_bytes(binary.read_bytes())
    (builder / "out/customer-integration").chmod(0o755)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work",
        type=Path,
        required=True,
        help="an empty directory; the root is created as `builder` in it",
    )
    parser.add_argument("--binary", type=Path, help="use this binary and build nothing")
    arguments = parser.parse_args()
    root = arguments.work / "builder"
    root.mkdir()
    started = time.monotonic()
    try:
        check_context(dockerfile.Context(ROOT))
        if arguments.binary:
            use_binary(root, arguments.binary)
        else:
            build(dockerfile.read(ROOT / "Dockerfile")[0], root)
            size = (root / "out/customer-integration").stat().st_size
            print(f"built in {time.monotonic() - started:.0f} s: {size / 1e6:.1f} MB", flush=True)
    except (Failed, subprocess.SubprocessError) as failed:
        sys.exit(f"tests/container/run: {failed}")


if __name__ == "__main__":
    main()
