"""A replica: a standby of the database that questions are answered from, as long as it is near.

What it shows is what the primary was a moment before: the same commits in the same order, up to
one of them. How far it has come is its position in the primary's log, and that alone is compared:
no clock of another machine is asked. It is near as long as it has all that was committed
``most_behind`` seconds ago; else, and where it is away, hangs or is no standby of ours, the primary
answers. Somebody looks every second, so that no question waits to find that out.
Source: PostgreSQL documentation, "Recovery Information Functions" (hot standby, 26.4).
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Final, Literal

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from store.postgres.sessions import Database

log = structlog.get_logger(__name__)

Position = int
"""A place in the log of the primary, in bytes from its beginning."""

NOWHERE: Final[Position] = 0
LAST: Final[Position] = 2**64 - 1
"""Of what nobody knows where it was written: no replica has come so far."""
_LOOKS_EVERY: Final = 1.0
_GOOD_FOR: Final = 5.0
"""Seconds for which a look is believed."""
_HANGS_AFTER: Final = 3.0
"""Seconds in which a replica says how far it is, or is hung up on."""

# Of what reached the disk: a standby gets nothing else, and may wait long for what follows nothing.
# Where commits do not wait for the disk, what they wrote is still before it. Behind a page's last
# record the primary counts the header of the next page (24 bytes, 40 in the first of a file),
# which a standby does not before there is a record on it.
_WHERE: Final = """(
    SELECT at - CASE
        WHEN at % current_setting('wal_block_size')::int = 24 THEN 24
        WHEN at % pg_size_bytes(current_setting('wal_segment_size')) = 40 THEN 40
        ELSE 0
    END
    FROM (
        SELECT CASE
            WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
            WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()
            ELSE pg_current_wal_flush_lsn()
        END - '0/0'::pg_lsn AS at
    ) AS log
)"""
_LOOK: Final = text(
    f"SELECT pg_is_in_recovery() AS replays, ({_WHERE})::bigint AS position,"  # noqa: S608 - constant
    " (SELECT system_identifier FROM pg_control_system()) AS cluster,"
    " current_database() AS database"
)

State = Literal["answers", "behind", "away"]


class NotNear(Exception):  # noqa: N818 - not a failure: the primary is to be asked
    """The replica cannot answer this now."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server says of itself."""

    replays: bool
    """It is a standby."""
    position: Position
    house: tuple[int, str]
    """The cluster that it is of, and its database: a standby's are its primary's."""


def look(connection: Connection) -> Seen:
    """How far a server is, primary or replica. Raises SQLAlchemyError."""
    row = connection.execute(_LOOK).one()
    return Seen(row.replays, row.position or NOWHERE, (row.cluster, row.database))


def position_of(session: Session) -> Position:
    """Behind everything that a session has seen."""
    return int(session.scalar(text(f"SELECT {_WHERE}")) or NOWHERE)


def written(primary: Database) -> Position:
    """Behind everything that was committed so far; LAST where the primary does not say."""
    try:
        with primary.engine.connect() as connection:
            return look(connection).position
    except SQLAlchemyError:
        return LAST


class Replica:
    """One of them. ``start`` it, and ``stop`` it before its databases are closed."""

    def __init__(
        self, primary: Database, standby: Database, lookout: Database, *, most_behind: float
    ) -> None:
        """``standby`` answers; ``lookout``, with one connection, is the same for whoever looks."""
        self.most_behind = most_behind
        """Seconds."""
        self._primary = primary
        self._standby = standby
        self._lookout = lookout
        self._house: tuple[int, str] | None = None
        self._primary_was: deque[tuple[float, Position]] = deque()
        """When (monotonic), and where it was then at least; of the last ``most_behind`` seconds."""
        self._lock = Lock()
        self._looked = float("-inf")
        self._why: str | None = "nobody looked yet"
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="replica", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._stopping.set()
        self._lookout.hang_up()
        self._thread.join(_GOOD_FOR)

    @contextmanager
    def read(self, since: Position) -> Iterator[Session]:
        """A session on one snapshot that holds everything before ``since``, held read-only.

        Raises NotNear, or SQLAlchemyError, before or in the middle: then the primary can answer.
        """
        if time.monotonic() - self._looked > _GOOD_FOR:
            raise NotNear
        with self._standby.engine.connect() as connection:
            # In a transaction of its own: what the next one sees is as old as its beginning, and
            # so at least what was there when this one was asked.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            seen = look(connection)
            connection.rollback()
            if not self._is_ours(seen) or seen.position < since or not self._is_near(seen):
                raise NotNear
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            with Session(connection) as session, session.begin():
                yield session

    def doubt(self) -> None:
        """Has nobody ask it before somebody looked again: it failed."""
        self._looked = float("-inf")

    @property
    def state(self) -> State:
        """Whether it answers, and why not."""
        if self._why is None and time.monotonic() - self._looked <= _GOOD_FOR:
            return "answers"
        return "behind" if self._why == _BEHIND else "away"

    def _is_ours(self, seen: Seen) -> bool:
        return seen.replays and seen.house == self._house

    def _is_near(self, seen: Seen) -> bool:
        oldest = time.monotonic() - self.most_behind
        with self._lock:
            return any(
                when >= oldest and seen.position >= where for when, where in self._primary_was
            )

    def _run(self) -> None:
        while not self._stopping.is_set():
            why: str | None
            try:
                why = self._look()
            except (SQLAlchemyError, OSError) as error:
                why = f"away: {type(getattr(error, 'orig', error)).__name__}"
            if why != self._why and not self._stopping.is_set():
                by = "replica" if why is None else "primary"
                log.warning("questions are answered by another", by=by, why=why)
            self._why = why
            self._looked = time.monotonic() if why in {None, _BEHIND} else float("-inf")
            self._stopping.wait(_LOOKS_EVERY)

    def _look(self) -> str | None:
        """None, or why the primary is to answer."""
        began = time.monotonic()
        with self._primary.engine.connect() as connection:
            primary = look(connection)
        with self._lock:
            self._house = primary.house
            self._primary_was.append((began, primary.position))
            while self._primary_was[0][0] < began - self.most_behind:
                self._primary_was.popleft()
        with self._hanging_up(), self._lookout.engine.connect() as connection:
            standby = look(connection)
        if not standby.replays:
            return "READ_DATABASE_URL leads to a server that is no standby"
        if standby.house != primary.house:
            return "READ_DATABASE_URL leads to a standby of another server, or another database"
        return None if self._is_near(standby) else _BEHIND

    @contextmanager
    def _hanging_up(self) -> Iterator[None]:
        """Hangs up on the replica while the block lasts for too long, again and again.

        Who is hung up on may connect anew and wait once more, as a pooler lets them.
        """
        done = Event()

        def guard() -> None:
            while not done.wait(_HANGS_AFTER):
                self.doubt()
                for each in (self._lookout, self._standby):
                    each.hang_up()

        Thread(target=guard, name="replica guard", daemon=True).start()
        try:
            yield
        except SQLAlchemyError:
            # A pooler may tell one that it is away, and let another wait.
            self._standby.hang_up()
            raise
        finally:
            done.set()


_BEHIND: Final = "it is too far behind"
