"""Opens the two kinds of session: one that commits at its end, one that cannot write.

Sessions are opened in three places only: a request of the API, a tick of a job, a batch of the
collector. What they call takes the session and never commits.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from weakref import WeakSet

import psycopg
from sqlalchemy import Engine, QueuePool, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from spend.access.actors import Actor
from store.audit import BY
from store.postgres.pooled import keep_settings

_SETTINGS: Final = {
    "timezone": "UTC",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A Postgres database, as its users see it."""

    engine: Engine
    by: Callable[[], Actor] | None = None
    """Gives whoever changes something, where no transaction says otherwise."""
    _connections: "WeakSet[psycopg.Connection[Any]]" = field(default_factory=WeakSet, compare=False)
    _lock: Lock = field(default_factory=Lock, compare=False)

    def __post_init__(self) -> None:
        event.listen(self.engine, "connect", self._note)

    @contextmanager
    def write(self, by: Callable[[], Actor] | None = None) -> Iterator[Session]:
        """A transaction: committed when the block ends, rolled back when it raises.

        ``by`` gives whoever changes something in it, for the record (``store/audit.py``).
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.info[BY] = by or self.by
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that Postgres itself holds read-only, on one snapshot throughout."""
        reading = self.engine.execution_options(
            postgresql_readonly=True, isolation_level="REPEATABLE READ"
        )
        with Session(reading) as session, session.begin():
            yield session

    def hang_up(self) -> None:
        """End all connections where they are: whoever waits for an answer fails at once.

        For a Postgres that stopped answering, behind a network that still takes what is sent. A
        limit on statements is of no use there, as it is for the server to keep.
        """
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with (
                suppress(psycopg.Error, OSError),  # closed already
                socket.socket(fileno=os.dup(connection.fileno())) as line,
            ):
                line.shutdown(socket.SHUT_RDWR)

    def _note(self, connection: "psycopg.Connection[Any]", _record: object) -> None:
        with self._lock:
            self._connections.add(connection)


def open_database(
    url: str,
    *,
    application: str,
    pool_size: int = 5,
    by: Callable[[], Actor] | None = None,
) -> Database:
    """A database at a ``postgresql://`` URL; connects when first used.

    ``application`` is shown in pg_stat_activity; ``by`` as in ``Database``. Connections answer or
    fail: 5 s to connect, 10 s until what was sent has arrived (on Linux), 30 s for a statement,
    60 s idle inside a transaction (a job may compute that long between two).
    """
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=5,
        connect_args={
            "application_name": f"spanledger {application}",
            # Not that of the database or of PGCLIENTENCODING: of SQL_ASCII text comes as bytes.
            "client_encoding": "UTF8",
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )
    keep_settings(engine, _SETTINGS)
    return Database(engine, by)


def connections(database: Database) -> tuple[int, int]:
    """How many are in use, and how many may be before the next one waits."""
    pool = database.engine.pool
    # It overflows by as many as it keeps: open_database.
    return (pool.checkedout(), 2 * pool.size()) if isinstance(pool, QueuePool) else (0, 0)


def server_version(session: Session) -> str:
    """What the server says it is: 18.6."""
    return str(session.scalar(text("SHOW server_version"))).split()[0]
