"""Lines of the ledger by when they were used: whole days of UTC come from their sums.

So that what a month came to costs the same over any number of calls. What is not in the sums yet,
what was booked later than used, and the shorter parts of days that bounds cut (the two hours at
which days of Berlin and of UTC differ) are read line by line.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Select,
    Subquery,
    case,
    column,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.periods import Period
from store.breakdowns.booked_time import within
from store.spending.booked_lines import DAY, Lines, summed, summed_to

KEYS: Final = ("payer_id", "route_id", "currency")
"""By which rows are told apart unless it is said, as far as the lines have them."""
_STAMP: Final = DateTime(timezone=True)


def by_days(
    session: Session,
    lines: Lines,
    tenant: int,
    period: Period,
    cuts: Iterable[datetime] = (),
    *,
    keys: Collection[str] = KEYS,
) -> Subquery:
    """Rows that come to what the lines do that were used in a period (UTC): ``keys`` and the sums.

    ``slot`` is a moment of the same UTC day as the usage, between the same bounds: of the period,
    and of ``cuts``.
    """
    lines = replace(lines, keys={name: its for name, its in lines.keys.items() if name in keys})
    known = summed_to(session, lines, tenant)
    each = union_all(*_parts(lines, tenant, period, known, cuts)).subquery("each")
    # What is taken off a day that bounds cut can lie beyond them, and so can its sum.
    return select(each).where(within(each.c.slot, period)).subquery("by_days")


@dataclass(frozen=True, slots=True)
class _Shares:
    """How the days of UTC that a period touches are put together."""

    sums: list[tuple[date, datetime]]
    """Days whose sums stand at a moment of theirs."""
    moved: list[tuple[Period, datetime]]
    """Parts of those on the other side of a bound: taken off there, and added where they are."""
    lines: list[Period]
    """Days that are cut more than once."""


def _shares(period: Period, cuts: Iterable[datetime]) -> _Shares:
    bounds = {each.astimezone(UTC) for each in (period.start, period.end, *cuts)}
    within_days: dict[datetime, list[datetime]] = {}
    for bound in sorted(bounds):
        midnight = bound.replace(hour=0, minute=0, second=0, microsecond=0)
        if bound != midnight:
            within_days.setdefault(midnight, []).append(bound)
    found = _Shares([], [], [])
    day = period.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < period.end:
        inside = within_days.get(day, [])
        if len(inside) > 1:
            found.lines.append(Period(day, day + DAY))
        else:
            late = bool(inside) and inside[0] - day <= DAY / 2
            found.sums.append((day.date(), inside[0] if late else day))
            if inside:
                # The sum stands where the longer part of the day is.
                other = Period(day, inside[0]) if late else Period(inside[0], day + DAY)
                found.moved.append((other, inside[0] if late else day))
        day += DAY
    return found


def _parts(
    lines: Lines, tenant: int, period: Period, known: int, cuts: Iterable[datetime]
) -> Iterator[Select[Any]]:
    rows = lines.rows
    in_it = within(rows.c.slot, period)
    yield _lines(lines, tenant, rows.c.id > known, in_it)
    if not known:
        return
    late = rows.c.booked_slot.is_not(None)
    # Booked later than used: the index of those goes by when they are booked.
    booked = late & (rows.c.booked_slot >= period.start)
    yield _lines(lines, tenant, rows.c.id <= known, booked, in_it)
    shares = _shares(period, cuts)
    if shares.lines:
        read = or_(*(within(rows.c.slot, each) for each in shares.lines))
        yield _lines(lines, tenant, ~late, rows.c.id <= known, read, in_it)
    if shares.moved:
        yield _moved(lines, tenant, shares.moved, ~late, rows.c.id <= known)
    if shares.sums:
        yield _days(lines, tenant, shares.sums)


def _lines(lines: Lines, tenant: int, *where: ColumnElement[bool]) -> Select[Any]:
    rows = lines.rows
    return select(
        rows.c.tenant_id,
        rows.c.slot,
        *(its.label(name) for name, its in lines.keys.items()),
        *(value.label(name) for name, value in lines.sums.items()),
    ).where(rows.c.tenant_id == tenant, *where)


def _moved(
    lines: Lines, tenant: int, moved: list[tuple[Period, datetime]], *where: ColumnElement[bool]
) -> Select[Any]:
    """Each part added up, twice: added where it is, and taken off where its day's sum stands."""
    rows = lines.rows
    parts = _given(
        starts=([each.start for each, _slot in moved], _STAMP),
        ends=([each.end for each, _slot in moved], _STAMP),
        stands=([slot for _each, slot in moved], _STAMP),
    )
    keys = [its.label(name) for name, its in lines.keys.items()]
    # Of each part by itself, so that Postgres looks for it by its index.
    part = (
        select(*keys, *(summed(value).label(name) for name, value in lines.sums.items()))
        .where(
            rows.c.tenant_id == tenant,
            rows.c.slot >= parts.c.starts,
            rows.c.slot < parts.c.ends,
            *where,
        )
        .group_by(*keys)
        .lateral("part")
    )
    kept = _given(kept=([True, False], Boolean()), name="sides")
    sign = case((kept.c.kept, 1), else_=-1)
    return (
        select(
            literal(tenant).label("tenant_id"),
            case((kept.c.kept, parts.c.starts), else_=parts.c.stands).label("slot"),
            *(part.c[key.name] for key in keys),
            *((sign * part.c[name]).label(name) for name in lines.sums),
        )
        .select_from(parts)
        .join(part, true())
        .join(kept, true())
    )


def _days(lines: Lines, tenant: int, sums: list[tuple[date, datetime]]) -> Select[Any]:
    days = lines.days
    at = _given(day=([day for day, _slot in sums], Date()), at=([slot for _, slot in sums], _STAMP))
    return (
        select(
            days.c.tenant_id,
            at.c["at"].label("slot"),
            *(days.c[name] for name in lines.keys),
            *(days.c[name] for name in lines.sums),
        )
        .join_from(days, at, days.c.day == at.c.day)
        .where(days.c.tenant_id == tenant, days.c.day >= sums[0][0], days.c.day <= sums[-1][0])
    )


def _given(name: str = "given", **columns: tuple[list[Any], Any]) -> FromClause:
    """Values as rows."""
    arrays = [literal(values, ARRAY(kind)) for values, kind in columns.values()]
    return (
        func.unnest(*arrays)
        .table_valued(*(column(each, kind) for each, (_values, kind) in columns.items()))
        .render_derived(name)
    )
