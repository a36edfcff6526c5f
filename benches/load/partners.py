"""Fills a database with many partners that are all alike, past the service: over HTTP that would take hours."""

import sqlite3

# what a copy has of its own, by table and column; everything else is as K-1 has it
OWN = {
    "catalog_entries": {"id": "'K-' || n"},
    "customer_integrations": {"business_partner_id": "'K-' || n"},
    "tags": {"id": "{uuid}", "business_partner_id": "'K-' || n"},
}
WHOSE = {"catalog_entries": "kind = 'business_partner' AND id = 'K-1'"}
SERIES = {
    "sqlite": "WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})",
    "postgres": "WITH numbers (n) AS (SELECT generate_series({first}, {last}))",
}
# unlike for each copy, and for each of K-1's: these may differ in the last digits only
UUID = {
    "sqlite": "substr(id, 1, 24) || lower(hex(randomblob(6)))",
    "postgres": "(substr(id::text, 1, 24) || substr(md5(id::text || n), 1, 12))::uuid",
}
# what a server does by itself in the long run
TIDY = {"sqlite": "ANALYZE", "postgres": "VACUUM ANALYZE"}


class Sqlite:
    """A file that no service has open."""

    dialect = "sqlite"

    def __init__(self, path):
        self.path = path

    def columns(self, table):
        # those that are computed are hidden here
        return [it[1] for it in self._run(f"PRAGMA table_info({table})")]

    def do(self, statement):
        self._run(statement)

    def _run(self, statement):
        connection = sqlite3.connect(self.path)
        try:
            with connection:
                return connection.execute(statement).fetchall()
        finally:
            connection.close()


class Postgresql:
    dialect = "postgres"

    def __init__(self, cluster, database):
        self.cluster, self.database = cluster, database

    def columns(self, table):
        asked = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER'"
        return self.cluster.sql(asked, self.database).split()

    def do(self, statement):
        self.cluster.sql(statement, self.database)


def multiply(database, first, last):
    """Makes K-`first` to K-`last`, each with what K-1 has."""
    for table, own in OWN.items():
        columns = database.columns(table)
        taken = [own.get(it, it).format(uuid=UUID[database.dialect]) for it in columns]
        series = SERIES[database.dialect].format(first=first, last=last)
        whose = WHOSE.get(table, "business_partner_id = 'K-1'")
        chosen = f"SELECT {', '.join(taken)} FROM {table}, numbers WHERE {whose}"
        database.do(f"INSERT INTO {table} ({', '.join(columns)}) {series} {chosen}")
    database.do(TIDY[database.dialect])
