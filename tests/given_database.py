"""The database that ``make test DATABASE_URL=…`` names, as new for each test.

It is taken only where it is empty, or where tests have had it before: they mark it with a schema.
Where it is a Citus cluster, the tables are distributed as ``spanledger migrate --citus`` does it.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from migrations.citus import distribute
from migrations.run import upgrade

MARK: Final = "spanledger_tests"
"""A schema that says: this database is for tests, and what is in it may go."""

_SOMEBODYS: Final = """
    SELECT format('%I.%I', nspname, relname)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname !~ '^pg_|^information_schema$|^citus|^columnar'
    AND NOT EXISTS (SELECT FROM pg_depend
        WHERE objid = pg_class.oid AND deptype = 'e' AND classid = 'pg_class'::regclass)
    LIMIT 1
"""
"""A table or the like that no extension brought."""
_SHAPE: Final = """
    SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
        SELECT format('%s.%s %s %s', attrelid::regclass, attname, atttypid::regtype, attnotnull)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname IN ('public', 'reporting') AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT pg_get_triggerdef(pg_trigger.oid)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
    ) AS all_of_it (part)
"""
_DROP: Final = """
    SELECT drops FROM (
        SELECT 1, format('DROP TABLE IF EXISTS %s CASCADE', oid::regclass), oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition
        UNION ALL SELECT 0, format('DROP SCHEMA %I CASCADE', nspname), oid
        FROM pg_namespace WHERE nspname = 'reporting'
        UNION ALL SELECT 2, format('DROP SEQUENCE IF EXISTS %s CASCADE', oid::regclass), oid
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
        UNION ALL SELECT 3, format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure), oid
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS all_of_it (place, drops, oid)
    WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = all_of_it.oid AND deptype = 'e')
    ORDER BY place
"""
_TABLES: Final = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND NOT relispartition ORDER BY 1
"""
_DAYS: Final = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relkind = 'r' AND relname ~ '_\\d{4}_\\d{2}_\\d{2}$'
"""
_GUARDED: Final = """
    SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
"""
_NEXT: Final = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
_OTHERS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND application_name !~ '^citus'
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class NotForTestsError(Exception):
    """The database holds what tests did not put there."""


class GivenDatabase:
    """A database for tests that outlives them."""

    def __init__(self, url: str) -> None:
        self.url = url
        with self._connected() as connection:
            marked = connection.execute(
                "SELECT 1 FROM pg_namespace WHERE nspname = %s", [MARK]
            ).fetchone()
            theirs = connection.execute(_SOMEBODYS).fetchone()
            if theirs and not marked:
                raise NotForTestsError(
                    f"{theirs[0]} is there: tests take an empty database, or one that they had"
                    f" before (it has the schema {MARK})"
                )
            if not marked:
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(MARK)))
        self._make_anew()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with psycopg.connect(self.url, autocommit=True, application_name="tests") as connection:
            connection.execute("SET lock_timeout = '20s'")
            yield connection

    def put_back(self) -> None:
        """As it was before any test, for the next one."""
        with self._connected() as connection:
            connection.execute(_OTHERS)
            for day in _names(connection, _DAYS):
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(day)))
            as_it_was = _shape(connection, self._seeded) == self._shape
            if as_it_was:
                _empty(connection, self._seeded)
        if not as_it_was:
            self._make_anew()

    def _make_anew(self) -> None:
        with self._connected() as connection:
            connection.execute(_OTHERS)
            # Not the schema: extensions may have put something there.
            for dropping in _names(connection, _DROP):
                connection.execute(dropping.encode())
        upgrade(self.url)
        with self._connected() as connection:
            if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'").fetchone():
                distribute(connection, say=lambda _line: None)
            self._seeded = _filled(connection)
            self._shape = _shape(connection, self._seeded)


def _names(connection: Connection, question: str) -> list[str]:
    return [row[0] for row in connection.execute(question.encode()).fetchall()]


def _shape(connection: Connection, seeded: Collection[str]) -> object:
    """All that is made of tables, and what migrations put into them; None where one is not there.

    What a test has to leave as it was, but for rows.
    """
    there = set(_names(connection, _TABLES))
    if not there.issuperset(seeded):
        return None
    rows = sql.SQL("SELECT md5(string_agg(row::text, ' ' ORDER BY row::text)) FROM {} AS row")
    told = [connection.execute(rows.format(sql.Identifier(each))).fetchone() for each in seeded]
    return connection.execute(_SHAPE).fetchone(), told


def _filled(connection: Connection) -> list[str]:
    """The tables that have rows: an empty one is not touched, which is most of the time saved."""
    asked = sql.SQL("SELECT 1 FROM {} LIMIT 1")
    return [
        table
        for table in _names(connection, _TABLES)
        if connection.execute(asked.format(sql.Identifier(table))).fetchone() is not None
    ]


def _empty(connection: Connection, seeded: Collection[str]) -> None:
    guarded = _names(connection, _GUARDED)
    # Of the ledger a trigger refuses to empty it, as it should.
    for table in guarded:
        connection.execute(
            sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table))
        )
    for table in set(_filled(connection)).difference(seeded):
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(sql.Identifier(table)))
    for table in guarded:
        connection.execute(
            sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table))
        )
    for name in _names(connection, _NEXT):
        connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(name)))
