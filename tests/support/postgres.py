"""Temporary PostgreSQL clusters that can be stopped, frozen, restarted and promoted."""

import os
import pathlib
import pwd
import signal
import subprocess

from .processes import descendants, signal_all
from .waiting import Failed, until

TIMEOUT = 60
PORT = 5432


def programs():
    """Returns the directory of PostgreSQL's server programs: Debian's newest, or one in PATH."""
    debian = pathlib.Path("/usr/lib/postgresql").glob("*/bin")
    found = sorted(debian, key=version_of, reverse=True)
    found += [pathlib.Path(directory) for directory in os.environ.get("PATH", "").split(os.pathsep)]
    for directory in found:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    raise Failed("PostgreSQL is missing: apt-get install postgresql")


def version_of(directory):
    return [int(part) for part in directory.parent.name.split(".")]


class Postgres:
    """A cluster with its data in `data`.

    It listens on a Unix socket there, and on `host` if given.
    """

    def __init__(
        self,
        data,
        user,
        options=(),
        initdb=(),
        prefix=(),
        host="",
        port=PORT,
        copy_of=None,
        log=None,
    ):
        self.bin, self.data, self.user, self.host, self.port = (
            programs(),
            pathlib.Path(data),
            user,
            host,
            port,
        )
        self.prefix = list(prefix)
        self.options = [f"listen_addresses={host}", f"port={port}", *options]
        # PostgreSQL refuses to run as root
        owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.owner = {"user": owner.pw_uid, "group": owner.pw_gid} if owner else {}
        self.log = log or self.data.with_name(self.data.name + ".log")
        self.process = None
        self._make_directory(owner)
        if copy_of:
            source = ["-h", copy_of.host, "-p", copy_of.port, "-U", user]
            self._run("pg_basebackup", *source, "-D", self.data, "-R", "-c", "fast")
        else:
            self._run("initdb", "-D", self.data, "-U", user, "--auth=trust", "-E", "UTF8", *initdb)
        self.start()

    def _make_directory(self, owner):
        self.data.mkdir(exist_ok=True)
        self.data.chmod(0o700)
        if owner:
            self.data.parent.chmod(0o755)
            os.chown(self.data, owner.pw_uid, owner.pw_gid)

    def _run(self, program, *arguments):
        command = [self.bin / program, *map(str, arguments)]
        ran = subprocess.run(
            command, cwd="/", capture_output=True, text=True, timeout=TIMEOUT, **self.owner
        )
        if ran.returncode:
            raise Failed(f"{program}: {ran.stderr or ran.stdout}")
        return ran.stdout

    def _connection(self):
        return ["-h", str(self.data), "-p", str(self.port), "-U", self.user]

    @property
    def url(self):
        return self.url_of("postgres")

    def url_of(self, database):
        port = "" if self.port == PORT else f"&port={self.port}"
        return f"postgres:///{database}?host={self.data}&user={self.user}{port}"

    def start(self):
        """Starts the server and waits until it accepts connections."""
        chosen = [part for option in self.options for part in ("-c", option)]
        command = [*self.prefix, self.bin / "postgres", "-D", self.data, "-k", self.data, *chosen]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.owner
            )
        try:
            self.wait_until_ready()
        except BaseException:
            # the caller has no reference to stop it
            self.stop()
            raise

    def wait_until_ready(self, seconds=TIMEOUT):
        until(self.is_ready, f"PostgreSQL in {self.data} ({self.log})", seconds, self.is_running)

    def is_ready(self):
        command = [self.bin / "pg_isready", "-q", *self._connection(), "-d", "postgres"]
        return (
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
            == 0
        )

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def sql(self, statement, database="postgres"):
        """Executes a statement and returns the unaligned output of psql."""
        chosen = ["-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1"]
        return self._run("psql", *self._connection(), *chosen, "-c", statement).strip()

    def create_database(self, name):
        self._run("createdb", *self._connection(), name)

    def promote(self):
        """Promotes a standby and waits until it is the primary."""
        self._run("pg_ctl", "promote", "-w", "-D", self.data)

    def stop_immediately(self):
        """Stops like `pg_ctl stop -m immediate`: without a checkpoint; the next start recovers."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(TIMEOUT)

    def freeze(self):
        """Suspends all processes, as if the machine hung: open connections get no response."""
        frozen = descendants(self.process.pid)
        signal_all(frozen, signal.SIGSTOP)
        # processes forked in the meantime
        signal_all(set(descendants(self.process.pid)) - set(frozen), signal.SIGSTOP)

    def thaw(self):
        signal_all(descendants(self.process.pid), signal.SIGCONT)

    def stop(self):
        """Stops the cluster, whatever its state is."""
        if not self.is_running():
            return
        self.thaw()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            signal_all(descendants(self.process.pid), signal.SIGKILL)
            self.process.wait(TIMEOUT)
