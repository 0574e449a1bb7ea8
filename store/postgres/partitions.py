"""Keeps a partition for each day ahead of the calendar, and moves days that came unannounced.

A day without a partition of its own is no accident: the DEFAULT partition takes it, so that a
back-dated span, or one from a clock that is off, never fails a batch. A day lives in one partition
only, so the key holds throughout.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

PARTITIONED: Final = ("sightings", "joined_calls", "contents")
_THERE: Final = text("SELECT to_regclass(:table) IS NOT NULL")
_LOCK: Final = "hashtext('spanledger partitions')"


@dataclass(frozen=True, slots=True)
class Made:
    """A partition that was made for a day, and how many rows it took from the default one."""

    table: str
    day: date
    moved: int


def ensure(session: Session, first: date, last: date) -> list[Made]:
    """Make sure that every day from ``first`` to ``last`` (both included) has its partition.

    Days that have one are left alone; rows of a new one's day move out of the default partition,
    and only who writes to that waits meanwhile. Waits for who holds them still (``hold_still``),
    and at most 2 s for a lock on a table, then raises SQLAlchemy's OperationalError and nothing
    has changed: try again later.
    """
    session.execute(text("SET LOCAL lock_timeout = '60s'"))
    # Or each statement's own 30 s would be over before.
    session.execute(text("SET LOCAL statement_timeout = '65s'"))
    # One process at a time; gone with the transaction.
    session.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    session.execute(text("SET LOCAL lock_timeout = '2s'"))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    made = []
    for table in _tables(session):
        there = days_apart(session, table)
        made += [_make(session, table, day) for day in days if day not in there]
    return made


def hold_still(session: Session) -> None:
    """Lets no day move until the transaction ends; to be called first in it.

    A statement that waits for the default partition while a day moves out of it was planned
    before the day had a partition of its own, and then finds the day's rows in neither.
    """
    session.execute(text(f"SELECT pg_advisory_xact_lock_shared({_LOCK})"))


def strays(session: Session, first: date, last: date) -> list[date]:
    """The days between ``first`` and ``last`` that are in a default partition, oldest first."""
    found: set[date] = set()
    for table in _tables(session):
        days = f"SELECT DISTINCT day FROM {table}_default WHERE day BETWEEN :first AND :last"  # noqa: S608 - our names
        found.update(session.scalars(text(days), {"first": first, "last": last}))
    return sorted(found)


def _tables(session: Session) -> list[str]:
    """Those of PARTITIONED that are there: a database may be of the version before."""
    return [table for table in PARTITIONED if session.scalar(_THERE, {"table": table})]


def name_of(table: str, day: date) -> str:
    """The partition of a day."""
    return f"{table}_{day:%Y_%m_%d}"


def days_apart(session: Session, table: str) -> set[date]:
    """The days (UTC) of a table that have a partition of their own."""
    children = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:of)"
    names = set(session.scalars(text(children), {"of": table})) - {f"{table}_default"}
    return {date(*map(int, name.removeprefix(f"{table}_").split("_"))) for name in names}


def _make(session: Session, table: str, day: date) -> Made:
    """Make a day's table, fill it from the default partition, and only then attach it.

    ATTACH lets readers and writers of the other days go on; CREATE TABLE ... PARTITION OF would
    lock them all out, and fails when the default partition has a row of the day.
    """
    name = name_of(table, day)
    session.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
    # Or a row of the day could still come in, between the move and the ATTACH.
    session.execute(text(f"LOCK TABLE {table}_default IN SHARE ROW EXCLUSIVE MODE"))
    # Two statements, as Citus has no DELETE within another one.
    move = f"INSERT INTO {name} SELECT * FROM {table}_default WHERE day = :day"  # noqa: S608 - our names
    moved = session.execute(text(move), {"day": day}).rowcount  # type: ignore[attr-defined]  # a CursorResult, as it inserts
    session.execute(text(f"DELETE FROM {table}_default WHERE day = :day"), {"day": day})  # noqa: S608 - our names
    bounds = f"FROM ('{day}') TO ('{day + timedelta(days=1)}')"
    session.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {bounds}"))
    if moved and _is_distributed(session, name):
        # What ATTACH copied to the nodes is still here, unseen.
        old_copy = "SELECT truncate_local_data_after_distributing_table(to_regclass(:name))"
        session.execute(text(old_copy), {"name": name})
    return Made(table, day, moved)


def _is_distributed(session: Session, table: str) -> bool:
    """Whether a table is one of a cluster of Citus."""
    if not session.scalar(text("SELECT to_regclass('pg_dist_partition') IS NOT NULL")):
        return False
    known = "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = to_regclass(:name)"
    return bool(session.scalar(text(known), {"name": table}))
