"""The throughput of PostgreSQL alone: `pgbench -S`, and the SQL statements of a write of the
service.
"""

import re
import subprocess

NUMBER = r"tps = ([\d.]+)"
# a statement in the log, and its parameters on the next line
LOGGED = re.compile(
    r"LOG:  (?:execute [^:]*|statement): (.*)\n(?:[^\n]*DETAIL:  parameters: (.*)\n)?"
)
PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")


class Ceiling:
    def __init__(self, cluster):
        self.cluster = cluster
        cluster.create_database("ceiling")
        self._pgbench("ceiling", "-q", "-i", "-s", "10")

    def _pgbench(self, database, *arguments):
        connection = ["-h", str(self.cluster.data), "-U", self.cluster.user, database]
        command = [str(self.cluster.bin / "pgbench"), *arguments, *connection]
        process = subprocess.run(command, text=True, capture_output=True)
        if process.returncode:
            raise SystemExit(f"pgbench: {process.stderr[-2000:]}")
        return process.stdout

    def reads(self, clients, seconds):
        """Returns transactions per second of `pgbench -S`."""
        return self._run("ceiling", clients, seconds, "-S")

    def writes(self, database, scripts, clients, seconds):
        """Returns transactions per second of captured statements."""
        return self._run(
            database,
            clients,
            seconds,
            *(part for script in scripts for part in ("-f", str(script))),
        )

    def _run(self, database, clients, seconds, *mode):
        options = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds)]
        output = self._pgbench(database, *options, *mode)
        failed = re.search(r"number of failed transactions: (\d+)", output)
        if failed and int(failed[1]):
            raise SystemExit(output)
        return float(re.search(NUMBER, output)[1])

    def capture(self, database, write):
        """Returns the statements of a write from PostgreSQL's log: pairs of a statement and its
        parameters.
        """
        self.cluster.sql(f"ALTER DATABASE {database} SET log_statement = 'all'")
        # the setting does not affect open connections
        self.cluster.sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )
        before = self.cluster.log.stat().st_size
        write()
        logged = self.cluster.log.read_bytes()[before:].decode()
        self.cluster.sql(f"ALTER DATABASE {database} RESET log_statement")
        # without the set-up of new connections
        return [
            (sql, dict(PARAMETER.findall(parameters)))
            for sql, parameters in LOGGED.findall(logged)
            if not sql.startswith("SET ")
        ]


# columns of the history that must be unique
UNIQUE = {"id": "gen_random_uuid()", "revision": ":number"}
ENTRY = re.compile(r'INSERT INTO "history" \((.*?)\) VALUES \((.*?)\)')


def script(statements, replaced):
    """Returns a pgbench script with the captured parameters, in which the texts of `replaced` are
    replaced.
    """
    lines = ["\\set number random(1, 9000000000000000)"]
    for sql, parameters in statements:
        values = {f"${number}": _value(value, replaced) for number, value in parameters.items()}
        if entry := ENTRY.match(sql):
            columns, places = (group.split(", ") for group in entry.groups())
            values |= {
                place: UNIQUE[name]
                for name, place in zip((column.strip('"') for column in columns), places)
                if name in UNIQUE
            }
        lines.append(re.sub(r"\$\d+", lambda match: values[match[0]], sql) + ";")
    return "\n".join(lines) + "\n"


def _value(value, replaced):
    for text, other in replaced.items():
        value = value.replace(text, other)
    if "||" not in value:
        return value
    return f"({value})::jsonb" if value.startswith("'{") else f"({value})"
