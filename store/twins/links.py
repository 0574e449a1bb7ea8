"""What sightings are linked by, and where such links are gathered for a roll."""

from datetime import date
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    FromClause,
    Interval,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    insert,
    literal,
    literal_column,
    or_,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.sql.elements import ColumnElement

from spend.meters import DISJOINT, INPUTS
from store.narrow import column_of
from store.tables.heard import sightings

_STORED: Final = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "role",
    "outcome",
    "answer_id",
    "emitter_id",
    "owner_id",
    "start_at",
    "duration_us",
    "kin_id",
)
_USED: Final = ("prompt", "answer")
"""Tokens in and out, caches and reasoning included; NULL where none were told."""


def temporary(name: str, *more: Column[Any]) -> Table:
    """A temporary table of links, gone with the transaction."""
    return Table(
        name,
        MetaData(),
        *(Column(link, column_of(sightings, link).type) for link in _STORED),
        *(Column(link, BigInteger) for link in _USED),
        *more,
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DROP",
    )


NEW: Final = temporary("new_sightings")
NEAR: Final = temporary("near_sightings")
LINKED: Final = temporary("linked_sightings")
KIN: Final = temporary("kin_sightings")
BESIDE: Final = temporary("sightings_beside", Column("service", Text))


def links_of(table: FromClause) -> list[ColumnElement[Any]]:
    """The links of ``sightings``, or of an alias of it."""
    told = func.num_nonnulls(*(table.c[name] for name in DISJOINT)) > 0
    prompt: ColumnElement[int] = literal_column("0", BigInteger)
    for name in INPUTS:
        prompt += func.coalesce(column_of(table, name), 0)
    used = {"prompt": prompt, "answer": func.coalesce(column_of(table, "output"), 0)}
    return [
        *(column_of(table, name) for name in _STORED),
        *(case((told, value)).label(name) for name, value in used.items()),
    ]


def gather(session: Session, table: Table, rows: Select[Any]) -> None:
    """Fills a temporary table, and counts it for the planner's sake."""
    session.execute(DropTable(table, if_exists=True))
    session.execute(CreateTable(table))
    session.execute(insert(table).from_select([column.name for column in table.columns], rows))
    session.execute(text(f"ANALYZE {table.name}"))


def one_of(column: ColumnElement[Any], values: Select[Any]) -> ColumnElement[bool]:
    """Whether a column of sightings is one of these, each looked up in an index.

    An array and no join: a day that was just filled has no statistics yet, so Postgres guesses one
    row there, and compares every sighting with every other. Nor a lateral subquery with a limit,
    which Citus refuses beyond one shard.
    """
    return column.bool_op("=")(func.any(func.array(values.scalar_subquery())))


def day_of(moment: ColumnElement[Any]) -> ColumnElement[date]:
    """The day (UTC) of a moment: with it only the partitions of that day are looked into."""
    return cast(func.timezone("UTC", moment), Date)


def end_of(one: FromClause) -> ColumnElement[Any]:
    """When a sighting ended."""
    return one.c.start_at + interval(func.coalesce(column_of(one, "duration_us"), 0))


def one_within_other(one: FromClause, other: FromClause, slack: int) -> ColumnElement[bool]:
    """Whether one of two lies within the other's time, but for some microseconds."""
    starts = microseconds(one.c.start_at) - microseconds(other.c.start_at)
    ends = (
        starts
        + func.coalesce(column_of(one, "duration_us"), literal(0, BigInteger))
        - func.coalesce(column_of(other, "duration_us"), literal(0, BigInteger))
    )
    return or_(and_(starts >= -slack, ends <= slack), and_(starts <= slack, ends >= -slack))


def interval(microseconds_: ColumnElement[int]) -> ColumnElement[Any]:
    """Microseconds as an interval."""
    return cast(microseconds_, BigInteger) * literal_column("interval '1 microsecond'", Interval)


def microseconds(moment: ColumnElement[Any]) -> ColumnElement[int]:
    """A moment as microseconds since 1970."""
    return cast(extract("epoch", moment) * 1_000_000, BigInteger)
