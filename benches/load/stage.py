"""Shared parts of the HTTP benchmarks: the measured service, the load generator, the machine."""

import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.service import BASE, Service, mint  # noqa: E402

SETTINGS = {
    "JWT_ISSUER": "https://bench.example",
    "JWT_AUDIENCE": "bench",
    "JWT_HS256_SECRET": "a long enough key of this benchmark",
    "RUST_LOG": "warn",
}
SCOPES = "integration:read integration:write global-rules:write catalog:read catalog:write decisions:read"
K1 = f"{BASE}/customer-integrations/K-1"


def sh(*command, **more):
    return subprocess.run(command, check=True, text=True, capture_output=True, **more).stdout


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing")


def wrk(url, token, connections, seconds, *more, prefix=()):
    """Runs wrk at full load; returns requests per second and the p99 latency in milliseconds."""
    out = sh(
        *prefix,
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        *more,
        "-H",
        f"Authorization: Bearer {token}",
        url,
    )
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    latency = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    unit = {"us": 0.001, "ms": 1, "s": 1000}[latency[2]]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), float(latency[1]) * unit


def build():
    """Builds the service and the one with benchmark routes; returns their directory."""
    command = [
        "cargo",
        "build",
        "--profile",
        "dist",
        "--locked",
        "-p",
        "load-bench",
        "-p",
        "customer-integration",
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "dist"


def token_of(target):
    return mint(target / "customer-integration", SETTINGS, SCOPES, ttl="6h")


def machine():
    cpu = next(
        line.split(": ")[1] for line in open("/proc/cpuinfo") if line.startswith("model name")
    ).strip()
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, {time.strftime('%Y-%m-%d')}"


class Server(Service):
    """The service with the settings of the benchmarks, optionally pinned to a core."""

    def __init__(self, command, url, directory, core=None, workers="2", **more):
        pinned = ["taskset", "-c", core] if core else []
        settings = {**SETTINGS, "DATABASE_URL": url, "WORKER_THREADS": workers, **more}
        super().__init__(command, settings, directory / "server.log", pinned)
