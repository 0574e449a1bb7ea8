"""Lines of the ledger by when they were used: whole days of UTC come from their sums.

So that what a month came to costs the same over any number of calls. What is not in the sums yet,
what was booked later than used, and parts of days that bounds cut are read line by line.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Subquery,
    Table,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from spend.periods import Period
from store.booked_lines import Lines, cut, summed_to
from store.booked_time import within

KEYS: Final = ("payer_id", "route_id", "currency")
"""By which rows are told apart, as far as the lines have them."""
_LEAST: Final = timedelta(microseconds=1)


def by_days(session: Session, lines: Lines, tenant: int, period: Period) -> Subquery:
    """Rows that come to what the lines do that were used in a period (UTC): KEYS and their sums.

    ``slot`` is a moment in the period, of the same UTC day as the usage.
    """
    known = summed_to(session, lines, tenant)
    return union_all(*_parts(lines, tenant, period, known)).subquery("by_days")


def _parts(lines: Lines, tenant: int, period: Period, known: int) -> Iterator[Select[Any]]:
    rows = lines.rows
    in_it = within(rows.c.slot, period)
    yield _lines(lines, tenant, period, rows.c.id > known, in_it)
    if not known:
        return
    late = rows.c.booked_slot.is_not(None)
    # Booked later than used: the index of those goes by when they are booked.
    booked = late & (rows.c.booked_slot >= period.start)
    yield _lines(lines, tenant, period, rows.c.id <= known, booked, in_it)
    whole, edges = cut(period)
    for edge, sign in edges:
        at = (~late, rows.c.id <= known, within(rows.c.slot, edge))
        yield _lines(lines, tenant, period, *at, sign=sign)
    if whole is not None:
        yield _days(lines.days, lines, tenant, period, whole)


def _lines(
    lines: Lines, tenant: int, period: Period, *where: ColumnElement[bool], sign: int = 1
) -> Select[Any]:
    rows = lines.rows
    return select(
        rows.c.tenant_id,
        _within(rows.c.slot, period),
        *(lines.keys[name].label(name) for name in KEYS if name in lines.keys),
        *((sign * value).label(name) for name, value in lines.sums.items()),
    ).where(rows.c.tenant_id == tenant, *where)


def _days(sums: Table, lines: Lines, tenant: int, period: Period, whole: Period) -> Select[Any]:
    midnight = func.timezone("UTC", cast(sums.c.day, DateTime), type_=DateTime(timezone=True))
    return select(
        sums.c.tenant_id,
        _within(midnight, period),
        *(sums.c[name] for name in KEYS if name in lines.keys),
        *(sums.c[name] for name in lines.sums),
    ).where(
        sums.c.tenant_id == tenant,
        sums.c.day >= whole.start.astimezone(UTC).date(),
        sums.c.day < whole.end.astimezone(UTC).date(),
    )


def _within(moment: ColumnElement[datetime], period: Period) -> ColumnElement[Any]:
    """The moment, brought into the period: bounds cut days, and what is taken off lies beyond."""
    stamp = DateTime(timezone=True)
    first, last = literal(period.start, stamp), literal(period.end - _LEAST, stamp)
    return func.least(func.greatest(moment, first), last).label("slot")
