"""What Postgres does without us: a COPY of the same rows, a commit of one row."""

import time
from threading import Event
from typing import Final

import psycopg

from app.local_postgres import LocalPostgres
from bench.processes import cpu_seconds, tree
from bench.running import empty_database

MOST_ROWS: Final = 2_000_000
_CHUNK: Final = 2**20
_COLUMNS: Final = (
    "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
    " WHERE attrelid = 'sightings'::regclass AND attnum > 0 AND NOT attisdropped"
    " AND attgenerated = ''"
)


class Copied:
    """A bare COPY."""

    def __init__(self, rows: int, seconds: float, postgres_cpu: float) -> None:
        self.rows_a_second = rows / seconds
        self.postgres_us = postgres_cpu / rows * 1e6
        """CPU time of Postgres, microseconds a row."""


def copy_again(server: LocalPostgres, url: str) -> Copied:
    """COPY of the sightings at ``url``, one connection and one transaction, into an empty database.

    It has the same tables with the same partitions and indexes. The rows come in the order in
    which they lie, which is that in which the collector wrote them; of very many the first.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        columns = connection.execute(_COLUMNS).fetchone()
        names = columns[0] if columns else ""
        rows = f"SELECT {names} FROM sightings LIMIT {MOST_ROWS}"  # noqa: S608  # our names
        with connection.cursor().copy(f"COPY ({rows}) TO STDOUT (FORMAT BINARY)") as copy:
            whole = memoryview(b"".join(copy))
    with (
        empty_database(server) as beside,
        psycopg.connect(beside, autocommit=True) as connection,
    ):
        cpu = cpu_seconds(tree(server.pid or 0))
        began = time.perf_counter()
        cursor = connection.cursor()
        with cursor.copy(f"COPY sightings ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            for place in range(0, len(whole), _CHUNK):
                copy.write(whole[place : place + _CHUNK])
        took = time.perf_counter() - began
        return Copied(cursor.rowcount, took, cpu_seconds(tree(server.pid or 0)) - cpu)


def commits(url: str, *, every: float, until: Event, seconds: float) -> list[float]:
    """Seconds that each commit of one row took, ascending; one is begun each ``every`` seconds.

    Ends after ``seconds``, or earlier when ``until`` is set.
    """
    took = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS one (id bigserial PRIMARY KEY, at float8)")
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until.wait(every):
            began = time.perf_counter()
            connection.execute("INSERT INTO one (at) VALUES (%s)", [began])
            took.append(time.perf_counter() - began)
    return sorted(took)
