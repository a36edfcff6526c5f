"""Fills a database with many identical partners by SQL, because over HTTP it would take hours."""

import sqlite3

# the columns in which a copy differs from K-1
DIFFERENT = {
    "catalog_entries": {"id": "'K-' || n"},
    "customer_integrations": {"business_partner_id": "'K-' || n"},
    "tags": {"id": "{uuid}", "business_partner_id": "'K-' || n"},
}
FILTERS = {"catalog_entries": "kind = 'business_partner' AND id = 'K-1'"}
SERIES = {
    "sqlite": "WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})",
    "postgres": "WITH numbers (n) AS (SELECT generate_series({first}, {last}))",
}
# unique for each copy and each original, which may differ in the last digits only
UUID = {
    "sqlite": "substr(id, 1, 24) || lower(hex(randomblob(6)))",
    "postgres": "(substr(id::text, 1, 24) || substr(md5(id::text || n), 1, 12))::uuid",
}
# maintenance that a server does by itself over time
MAINTENANCE = {"sqlite": "ANALYZE", "postgres": "VACUUM ANALYZE"}


class Sqlite:
    """A database file that is not in use."""

    dialect = "sqlite"

    def __init__(self, path):
        self.path = path

    def columns(self, table):
        # without generated columns
        return [row[1] for row in self._run(f"PRAGMA table_info({table})")]

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
        query = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER'"
        return self.cluster.sql(query, self.database).split()

    def do(self, statement):
        self.cluster.sql(statement, self.database)


def multiply(database, first, last):
    """Creates K-`first` to K-`last` as copies of K-1."""
    for table, different in DIFFERENT.items():
        columns = database.columns(table)
        values = [
            different.get(column, column).format(uuid=UUID[database.dialect]) for column in columns
        ]
        series = SERIES[database.dialect].format(first=first, last=last)
        condition = FILTERS.get(table, "business_partner_id = 'K-1'")
        select = f"SELECT {', '.join(values)} FROM {table}, numbers WHERE {condition}"
        database.do(f"INSERT INTO {table} ({', '.join(columns)}) {series} {select}")
    database.do(MAINTENANCE[database.dialect])
