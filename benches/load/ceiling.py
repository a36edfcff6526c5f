"""What PostgreSQL can do without a service: its own `pgbench -S`, and the statements of one of the service's writes."""

import re
import subprocess

NUMBER = r"tps = ([\d.]+)"
# one statement of the log, and the parameters on the line after it
LOGGED = re.compile(r"LOG:  (?:execute [^:]*|statement): (.*)\n(?:[^\n]*DETAIL:  parameters: (.*)\n)?")
PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")


class Ceiling:
    def __init__(self, cluster):
        self.cluster = cluster
        cluster.create_database("ceiling")
        self._pgbench("ceiling", "-q", "-i", "-s", "10")

    def _pgbench(self, database, *arguments):
        where = ["-h", str(self.cluster.data), "-U", self.cluster.user, database]
        command = [str(self.cluster.bin / "pgbench"), *arguments, *where]
        ran = subprocess.run(command, text=True, capture_output=True)
        if ran.returncode:
            raise SystemExit(f"pgbench: {ran.stderr[-2000:]}")
        return ran.stdout

    def reads(self, clients, seconds):
        """Transactions per second of `pgbench -S`."""
        return self._run("ceiling", clients, seconds, "-S")

    def writes(self, database, scripts, clients, seconds):
        """Transactions per second of statements that were captured."""
        return self._run(database, clients, seconds, *(it for script in scripts for it in ("-f", str(script))))

    def _run(self, database, clients, seconds, *what):
        told = self._pgbench(database, "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), *what)
        failed = re.search(r"number of failed transactions: (\d+)", told)
        if failed and int(failed[1]):
            raise SystemExit(told)
        return float(re.search(NUMBER, told)[1])

    def capture(self, database, write):
        """The statements of one write, as the server's log has them: pairs of the statement and its parameters."""
        self.cluster.sql(f"ALTER DATABASE {database} SET log_statement = 'all'")
        # connections that are open do not hear of it
        self.cluster.sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )
        before = self.cluster.log.stat().st_size
        write()
        logged = self.cluster.log.read_bytes()[before:].decode()
        self.cluster.sql(f"ALTER DATABASE {database} RESET log_statement")
        # how a connection begins is no part of it
        statements = [it for it in LOGGED.findall(logged) if not it[0].startswith("SET ")]
        return [(sql, dict(PARAMETER.findall(parameters))) for sql, parameters in statements]


# what no two entries of the history may have in common
OWN = {"id": "gen_random_uuid()", "revision": ":number"}
ENTRY = re.compile(r'INSERT INTO "history" \((.*?)\) VALUES \((.*?)\)')


def script(statements, replaced):
    """Statements for pgbench: each parameter as it was, with `replaced` (texts and what stands for them) in its place."""
    lines = ["\\set number random(1, 9000000000000000)"]
    for sql, parameters in statements:
        values = {f"${number}": _value(value, replaced) for number, value in parameters.items()}
        if entry := ENTRY.match(sql):
            columns, given = (it.split(", ") for it in entry.groups())
            values |= {place: OWN[name] for name, place in zip((it.strip('"') for it in columns), given) if name in OWN}
        lines.append(re.sub(r"\$\d+", lambda it: values[it[0]], sql) + ";")
    return "\n".join(lines) + "\n"


def _value(value, replaced):
    for text, other in replaced.items():
        value = value.replace(text, other)
    if "||" not in value:
        return value
    return f"({value})::jsonb" if value.startswith("'{") else f"({value})"
