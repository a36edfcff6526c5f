"""Root file systems for child processes.

`run` starts the caller in a mount namespace, so mounts end with it.
"""

import ctypes
import glob
import os
import shutil
import subprocess
from pathlib import Path

PR_SET_NO_NEW_PRIVS = 38
# Files of gcr.io/distroless/cc-debian12 that the service may need, from the Debian packages libc6
# and libgcc-s1: loader, libraries, host name resolution. It has certificates too, but no shell and
# no other program.
LIBRARIES = [
    "ld-linux*.so.*",
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libresolv.so.2",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libgcc_s.so.1",
]
PASSWD = "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def bind(source: Path, target: Path, writable: bool = False) -> None:
    target.mkdir(parents=True, exist_ok=True)
    mount("--bind", source, target)
    if not writable:
        mount("-o", "remount,bind,ro", target)


def like_this_machine(root: Path, writable: list[Path]) -> None:
    """Creates a root with this machine's programs, read-only except for `writable`, and without
    user files.
    """
    for name in ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "dev", "proc"]:
        here = Path("/") / name
        if here.is_symlink():
            (root / name).symlink_to(os.readlink(here))
        elif here.is_dir():
            bind(here, root / name, writable=name in ("dev", "proc"))
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    for directory in writable:
        bind(directory, root / str(directory).lstrip("/"), writable=True)


def distroless(root: Path) -> None:
    """Creates a root with libraries only."""
    for pattern in LIBRARIES:
        for found in glob.glob(f"/lib/*-linux-gnu*/{pattern}"):
            put(root, Path(found))
    for loader in glob.glob("/lib64/ld-linux*"):
        put(root, Path(loader))
    put(root, Path("/etc/ssl/certs/ca-certificates.crt"))
    (root / "etc/passwd").write_text(PASSWD)
    for name in ("dev", "proc"):
        bind(Path("/") / name, root / name)
    (root / "tmp").mkdir()


def put(root: Path, file: Path) -> None:
    if file.exists():
        place = root / str(file).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file.resolve(), place)


def enter(root: Path, directory: str, uid: int | None):
    """Returns a `preexec_fn` for Popen that enters the root and drops privileges if `uid` is set."""
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        os.chroot(root)
        os.chdir(directory)
        if uid is not None:
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)

    return prepare
