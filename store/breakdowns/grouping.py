"""Adds up rows of cells, buckets and charges by the dimensions of a question.

First by id, each table for itself, so that the dictionaries are joined to few rows; then all of
them by what was asked. Tables are put together by UNION ALL: a group that only one of them knows is
kept, and NULL groups with NULL.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Numeric,
    Row,
    Select,
    SmallInteger,
    Subquery,
    and_,
    bindparam,
    cast,
    func,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.capacity.pools import HOUR
from spend.moments import moment_text
from spend.periods import day_start, days_in, month_period, months_in
from spend.slots import SLOT
from store.breakdowns.booked_time import booked_time
from store.breakdowns.dimensions import (
    OWNED,
    ROUTED,
    TIMED,
    Question,
    conditions,
    is_booked,
    named_period,
)
from store.breakdowns.shown_routes import shown_routes
from store.ownership import payers
from store.tables.heard import owners

Key = tuple[str | None, ...]
"""A value for each dimension asked for, in the order asked; None where nothing was said."""

PIECES: Final = {"quarter": SLOT, "hour": HOUR}
"""What charts can be grouped by beside DIMENSIONS, from the period's start on: a group is called by
the moment (UTC) at which it begins."""

MOST_ROWS: Final = 50_000
"""Rows that one question may find. More are of no use to a reader, and would hold a worker."""


class TooManyRowsError(Exception):
    """The answer has more than MOST_ROWS rows: ask for fewer dimensions or a shorter time."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table (with tenant_id, slot, owner_id, route_id), the sums it gives, over which rows.

    What it tells is of who pays, by the ownership rules, not of who was heard.
    """

    rows: FromClause
    sums: Mapping[str, ColumnElement[Any]]
    where: Sequence[ColumnElement[bool]] = ()


def added_up(
    session: Session,
    question: Question,
    tenant: int,
    parts: Sequence[Part],
    *,
    also_by: Sequence[str] = (),
    most: int = MOST_ROWS,
) -> Iterator[tuple[Key, Row[Any]]]:
    """The sums of all parts for each group, in no order; sums that no part gives are None.

    ``also_by`` names columns of the parts to group by beyond the question's dimensions. More than
    ``most`` groups raise TooManyRowsError.
    """
    pieces = _pieces(question)
    by_id = _by_id(session, question, tenant, parts, pieces, also_by)
    asked = _by_dimension(question, tenant, by_id, also_by)
    found = session.execute(asked.limit(most + 1)).all()
    if len(found) > most:
        raise TooManyRowsError
    key_of = _keys(question, pieces)
    for row in found:
        yield key_of(row), row


def bounds_of(question: Question) -> list[datetime]:
    """Where days and months begin and end that a question tells apart, or filters by."""
    pieces = _pieces(question)
    bounds = [] if pieces is None else list(pieces.starts)
    for name in TIMED:
        for value in question.filters.get(name, ()):
            period = named_period(name, value, question.zone)
            bounds += [period.start, period.end]
    return bounds


@dataclass(frozen=True, slots=True)
class _Pieces:
    """What the period is cut into: where each part begins, and its name."""

    starts: list[datetime]
    names: list[str]


def _pieces(question: Question) -> _Pieces | None:
    period, zone = question.period, question.zone
    if "day" in question.group_by:
        days = list(days_in(period, zone))
        return _Pieces([day_start(day, zone) for day in days], [str(day) for day in days])
    for name, length in PIECES.items():
        if name in question.group_by:
            count = math.ceil((period.end - period.start) / length)
            bounds = [period.start + place * length for place in range(count)]
            return _Pieces(bounds, [moment_text(each) for each in bounds])
    if "month" in question.group_by:
        months = list(months_in(period, zone))
        starts = [month_period(month, zone).start for month in months]
        return _Pieces(starts, [str(month) for month in months])
    return None


def _by_id(
    session: Session,
    question: Question,
    tenant: int,
    parts: Sequence[Part],
    pieces: _Pieces | None,
    also_by: Sequence[str],
) -> Subquery:
    names = list(dict.fromkeys(name for part in parts for name in part.sums))
    selects: list[Select[Any]] = []
    for part in parts:
        source, payer = payers.joined(session, tenant, part.rows, part.rows.c.slot)
        keys: list[ColumnElement[Any]] = [part.rows.c[name] for name in also_by]
        if pieces:
            # Postgres finds the piece in bounds that Python computed: it need not know the zone,
            # and both cannot have different ideas of it.
            starts = bindparam("starts", pieces.starts, ARRAY(DateTime(timezone=True)))
            booked = is_booked(question, part.rows)
            moment = booked_time(part.rows) if booked else part.rows.c.slot
            keys.append(func.width_bucket(moment, starts, type_=SmallInteger).label("piece"))
        if any(name in OWNED for name in question.group_by):
            keys.append(payer.label("payer_id"))
        if any(name in ROUTED for name in question.group_by):
            keys.append(part.rows.c.route_id)
        sums = [part.sums.get(name, cast(null(), Numeric)).label(name) for name in names]
        selects.append(
            select(*keys, *sums)
            .select_from(source)
            .where(*conditions(question, tenant, part.rows, part.rows.c.slot, payer), *part.where)
            .group_by(*keys)
        )
    return union_all(*selects).subquery("by_id") if len(selects) > 1 else selects[0].subquery()


def _by_dimension(
    question: Question, tenant: int, by_id: Subquery, also_by: Sequence[str]
) -> Select[Any]:
    keys: list[ColumnElement[Any]] = []
    source: FromClause = by_id
    for dictionary, names, column in (
        (owners, OWNED, "payer_id"),
        (shown_routes(tenant, question.as_known_at), ROUTED, "route_id"),
    ):
        if column in by_id.c:
            # An outer join: money whose owner is not in the dictionary must still be counted.
            source = source.outerjoin(
                dictionary,
                and_(dictionary.c.tenant_id == tenant, dictionary.c.id == by_id.c[column]),
            )
            keys += [dictionary.c[name] for name in names if name in question.group_by]
    keys += [by_id.c[name] for name in ("piece", *also_by) if name in by_id.c]
    grouped = {key.key for key in keys} | {"payer_id", "route_id"}
    sums = [func.sum(column).label(column.key) for column in by_id.c if column.key not in grouped]
    return select(*keys, *sums).select_from(source).group_by(*keys)


def _keys(question: Question, pieces: _Pieces | None) -> Callable[[Row[Any]], Key]:
    """What tells a row's key."""
    timed: dict[str, list[str]] = {}
    if pieces is not None:
        # A day's name begins with that of its month.
        timed = dict.fromkeys(PIECES, pieces.names)
        timed |= {"day": pieces.names, "month": [each[:7] for each in pieces.names]}
    told = [(name, timed.get(name)) for name in question.group_by]
    return lambda row: tuple(
        getattr(row, name) if names is None else names[row.piece - 1] for name, names in told
    )
