"""Creates the root file system of the Dockerfile's last stage and starts it: read-only, without
privileges.

`run` starts this in new namespaces and removes the directory when they, and all mounts in them,
have ended.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import dockerfile
import sandbox
from dockerfile import Failed

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS, STOP_SECONDS = 60, 60
SETTINGS = {
    "DATABASE_URL": "sqlite:///data/customer-integration.db",
    "JWT_ISSUER": "https://image.example",
    "JWT_AUDIENCE": "image",
    "JWT_HS256_SECRET": "a long enough secret of the container test",
}


class Image:
    """The root file system of the last stage, and how to start it."""

    def __init__(self, stage: dockerfile.Stage, builder: Path, root: Path) -> None:
        self.root, self.stage = root, stage
        sandbox.distroless(root)
        for step in stage.steps:
            if step.instruction == "COPY":
                self.copy(step, builder)
        self.uid = int(stage.last("USER").text.split(":")[0])
        self.directory = stage.last("WORKDIR").text
        self.environment = stage.environment()
        self.entrypoint, self.command = stage.last("ENTRYPOINT").words(), stage.last("CMD").words()
        self.volumes = [root / path.lstrip("/") for path in stage.last("VOLUME").words()]
        health = stage.last("HEALTHCHECK").text
        self.health = json.loads(health[health.index("[") :])
        if self.uid == 0:
            raise Failed("Dockerfile: USER is root")
        # a volume takes its owner and content from the image; everything else is read-only
        sandbox.bind(root, root)
        for volume in self.volumes:
            sandbox.bind(builder.parent / "volume", volume, writable=True)

    def copy(self, step: dockerfile.Step, builder: Path) -> None:
        source, target = step.words()
        origin, place = builder / source.lstrip("/"), self.root / target.lstrip("/")
        uid = int(step.flags.get("chown", "0:0").split(":")[0])
        if origin.is_dir():
            if any(origin.iterdir()):
                raise Failed(f"Dockerfile:{step.line}: this test supports only empty directories")
            place.mkdir(mode=0o755)
            volume = builder.parent / "volume"
            volume.mkdir()
            volume.chmod(origin.stat().st_mode & 0o777)
            os.chown(volume, uid, uid)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(origin.read_bytes())
            place.chmod(origin.stat().st_mode & 0o777)
            os.chown(place, uid, uid)

    def start(self, command: list[str], **more) -> subprocess.Popen:
        prepare = sandbox.enter(self.root, self.directory, self.uid)
        return subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, preexec_fn=prepare, **more
        )

    def healthy(self) -> bool:
        return (
            self.start(self.health, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait(
                START_SECONDS
            )
            == 0
        )


def serve(image: Image, log: Path, command: list[str], settings: dict[str, str]) -> None:
    """Starts the image, checks that it is healthy and unprivileged, and stops it."""
    image.environment = {**image.stage.environment(), **settings}
    if image.healthy():
        raise Failed("HEALTHCHECK succeeds although the service is not running")
    with log.open("wb") as out:
        process = image.start([*image.entrypoint, *command], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not image.healthy():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(
                    f"the image does not become healthy; its log:\n{log.read_text(errors='replace')}"
                )
            time.sleep(0.1)
        port = image.environment["BIND_ADDRESS"].rsplit(":", 1)[1]
        if port not in image.stage.last("EXPOSE").words():
            raise Failed(f"Dockerfile: EXPOSE does not list the port of BIND_ADDRESS, {port}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as response:
            ready = json.load(response)
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        )
        privileges = (
            status["Uid"].split()[1],
            int(status["CapEff"], 16),
            int(status["CapPrm"], 16),
            status["NoNewPrivs"],
        )
        if privileges != (str(image.uid), 0, 0, "1"):
            raise Failed(f"uid, capabilities, no_new_privs: {privileges}")
        process.send_signal(signal.SIGTERM)
        if code := process.wait(STOP_SECONDS):
            raise Failed(
                f"the image exits with {code}; its log:\n{log.read_text(errors='replace')}"
            )
    finally:
        process.kill()
        process.wait()
    if image.healthy():
        raise Failed("HEALTHCHECK succeeds although the service has ended")
    written = sorted(path.name for volume in image.volumes for path in volume.iterdir())
    print(
        f"{' '.join(command)}: {ready}; uid {image.uid}, no capabilities, read-only root; exits with 0",
        flush=True,
    )
    print(f"files in its volume: {', '.join(written)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="the directory given to build.py")
    work = parser.parse_args().work
    (work / "image").mkdir()
    try:
        final = dockerfile.read(ROOT / "Dockerfile")[-1]
        image = Image(final, work / "builder", work / "image")
        serve(image, work / "log", image.command, SETTINGS)
        # without any setting, in the same volume
        serve(image, work / "demo.log", ["serve", "--demo"], {})
    except (Failed, subprocess.SubprocessError) as failed:
        sys.exit(f"tests/container/run: {failed}")


if __name__ == "__main__":
    main()
