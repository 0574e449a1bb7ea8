"""Adds up, by ids, the lines of the ledger that are booked in a period.

Whole months and days of UTC come from their sums (``store/tables/days.py``); lines that are not in
them yet, hours of days that are not whole, and lines booked later than their slot are added one by
one. Lines as they were known at a moment are all added one by one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Integer,
    Select,
    Subquery,
    Table,
    Text,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from spend.booked import USAGE
from spend.calls import Outcome
from spend.meters import METER_NAMES
from spend.periods import Period
from store.breakdowns.booked_time import booked_in, booked_time, day_of, within
from store.ledger.ledger import NOT_USAGE
from store.tables.days import charge_days, charge_months, usage_days, usage_months
from store.tables.ledger import charges, usage_lines
from store.tables.pools import ledgers

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lines:
    """A table of lines, the sums of its days and months, and how all are added up."""

    rows: Table
    days: Table
    months: Table
    summed_to: Column[Any]
    """Of ``ledgers``: the last line that is in the sums."""
    keys: Mapping[str, ColumnElement[Any]]
    """Columns of the sums -> the same of a line."""
    sums: Mapping[str, ColumnElement[Any]]
    """Likewise, each to be added up."""


def _sourced(column: Column[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, literal(0, BigInteger))


_OF_SOURCE: Final = or_(charges.c.pool_id.is_not(None), charges.c.commitment_id.is_not(None))

MONEY: Final = Lines(
    charges,
    charge_days,
    charge_months,
    ledgers.c.charges_summed_to,
    keys={
        "payer_id": charges.c.payer_id,
        "route_id": charges.c.route_id,
        "currency": charges.c.currency,
        "kind": case((charges.c.kind.in_(NOT_USAGE), charges.c.kind), else_=USAGE),
        "pool_id": _sourced(charges.c.pool_id),
        "commitment_id": _sourced(charges.c.commitment_id),
        "meter": case((_OF_SOURCE, charges.c.meter), else_=literal("", Text)),
    },
    sums={
        "lines": literal(1, BigInteger),
        "amount": charges.c.amount,
        "list_amount": func.coalesce(charges.c.list_amount, 0),
        "contracted_amount": charges.c.contracted_amount,
        "billed_amount": charges.c.billed_amount,
        "unlisted": case((charges.c.list_amount.is_(None), charges.c.quantity), else_=0),
    },
)

TAKEN_IN: Final = Lines(
    usage_lines,
    usage_days,
    usage_months,
    ledgers.c.usage_summed_to,
    keys={"payer_id": usage_lines.c.payer_id, "route_id": usage_lines.c.route_id},
    sums={
        "lines": literal(1, BigInteger),
        "calls": usage_lines.c.calls,
        "errors": case((usage_lines.c.outcome != Outcome.OK, usage_lines.c.calls), else_=0),
        **{
            name: usage_lines.c[name]
            for name in ("unmetered_calls", "unpriced_calls", "unpriced_tokens", *METER_NAMES)
        },
    },
)
"""Usage, as the charge job took it in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is booked in a period; ``known_at``: as far as it was posted by then, None: all."""

    tenant: int
    period: Period
    by_day: bool = False
    known_at: datetime | None = None
    for_rates_to: str | None = None
    """A currency: days are told of money in others, and they are those of its use."""
    named_at: datetime | None = None
    """By what was known when, names are shown; None: as ``known_at``."""
    of_use: bool = False
    """What is of the period, whenever it was booked; not as known at a moment."""


def summed(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The sum, of the kind that is added: of whole numbers Postgres makes a slow NUMERIC."""
    whole = isinstance(value.type, Integer)
    return cast(func.sum(value), BigInteger) if whole else func.sum(value)


def summed_to(session: Session, lines: Lines, tenant: int) -> int:
    """The id of the last line that is in the sums of days; 0: none is."""
    # Told to Postgres as a number: of a subquery's it would not know that few lines are beyond it.
    asked = select(lines.summed_to).where(ledgers.c.tenant_id == tenant)
    return int(session.scalar(asked) or 0)


def added_up(
    session: Session, lines: Lines, asked: Asked, keys: Iterable[str], *, only: str | None = None
) -> Subquery:
    """Sums of what is booked, for each of ``keys`` with belongs_to and day (as of Booked).

    ``only``: lines that have this key. Whoever asks for them does so on the same snapshot, or
    holds the ledger: how far the sums of days go is read here.
    """
    rows = _Rows(lines, asked, list(keys), only)
    if asked.known_at is None:
        pieces = list(rows.pieces(summed_to(session, lines, asked.tenant)))
    else:
        pieces = [rows.posted_by(asked.known_at)]
    together = union_all(*pieces).subquery("pieces")
    grouped = [together.c[name] for name in (*rows.keys, "belongs_to", "day")]
    return (
        select(*grouped, *(summed(together.c[name]).label(name) for name in lines.sums))
        .group_by(*grouped)
        .having(func.sum(together.c.lines) != 0)
        .subquery("booked")
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is booked in a period, in pieces that are disjoint."""

    lines: Lines
    asked: Asked
    keys: Sequence[str]
    only: str | None

    def posted_by(self, moment: datetime) -> Select[Any]:
        rows = self.lines.rows
        return self._raw(booked_in(rows, self.asked.period), rows.c.posted_at <= moment)

    def pieces(self, summed_to: int) -> Iterator[Select[Any]]:
        rows, period = self.lines.rows, self.asked.period
        late = rows.c.booked_slot.is_not(None)
        slot = rows.c.slot if self.asked.of_use else rows.c.booked_slot
        yield self._raw(late, within(slot, period))
        yield self._raw(~late, rows.c.id > summed_to, within(rows.c.slot, period))
        if summed_to:
            whole, edges = cut(period)
            if whole is not None:
                yield from self._whole(whole)
            for edge, sign in edges:
                at = (~late, rows.c.id <= summed_to, within(rows.c.slot, edge))
                yield self._raw(*at, sign=sign)

    def _raw(self, *where: ColumnElement[bool], sign: int = 1) -> Select[Any]:
        rows = self.lines.rows
        before = rows.c.booked_slot.is_not(None) & (rows.c.slot < self.asked.period.start)
        keys = [
            *(self.lines.keys[name].label(name) for name in self.keys),
            case((before, day_of(rows.c.slot)), else_=null()).label("belongs_to"),
            self._day(rows, day_of(booked_time(rows)), day_of(rows.c.slot)),
        ]
        sums = {name: summed(value) for name, value in self.lines.sums.items()}
        told = [(each if sign > 0 else -each).label(name) for name, each in sums.items()]
        its = () if self.only is None else (rows.c[self.only].is_not(None),)
        whose = rows.c.tenant_id == self.asked.tenant
        return select(*keys, *told).where(whose, *where, *its).group_by(*keys)

    def _whole(self, whole: Period) -> Iterator[Select[Any]]:
        """Whole days: by their months, but for money whose days are told apart."""
        months = None if self.asked.by_day else whole_months(whole)
        if months is None:
            yield self._summed(self.lines.days, whole)
            return
        sums, days = self.lines.months, self.lines.days
        yield self._summed(sums, months, ~self._in_others(sums))
        if self._tells_others:
            # Asked once: where all money is in the one currency, no day is read.
            there_is = select(literal(1)).where(*self._in(sums, months), self._in_others(sums))
            yield self._summed(days, months, self._in_others(days), there_is.exists())
        for rest in (Period(whole.start, months.start), Period(months.end, whole.end)):
            if rest.start < rest.end:
                yield self._summed(self.lines.days, rest)

    def _summed(self, sums: Table, of: Period, *where: ColumnElement[bool]) -> Select[Any]:
        keys = [
            *(sums.c[name] for name in self.keys),
            cast(null(), Date).label("belongs_to"),
            self._day(sums, sums.c.day, sums.c.day),
        ]
        return (
            select(*keys, *(summed(sums.c[name]).label(name) for name in self.lines.sums))
            .where(*self._in(sums, of), *where)
            .group_by(*keys)
        )

    def _in(self, sums: Table, of: Period) -> list[ColumnElement[bool]]:
        return [
            sums.c.tenant_id == self.asked.tenant,
            sums.c.day >= of.start.date(),
            sums.c.day < of.end.date(),
            *(() if self.only is None else (sums.c[self.only] != 0,)),
        ]

    @property
    def _tells_others(self) -> bool:
        """Whether days are told of money in other currencies than the one asked for."""
        return self.asked.for_rates_to is not None and "currency" in self.lines.keys

    def _in_others(self, rows: Table) -> ColumnElement[bool]:
        return rows.c.currency != self.asked.for_rates_to if self._tells_others else false()

    def _day(
        self, rows: Table, day: ColumnElement[date], of_use: ColumnElement[date]
    ) -> ColumnElement[Any]:
        never: ColumnElement[Any] = cast(null(), Date)
        if self.asked.for_rates_to is not None:
            return case((self._in_others(rows), of_use), else_=never).label("day")
        return (day if self.asked.by_day else never).label("day")


def cut(period: Period) -> tuple[Period | None, list[tuple[Period, int]]]:
    """Whole days of UTC, and what is to be added (1) to them or taken off them (-1).

    Of a day that a period begins or ends in, the shorter part: a month of Berlin begins and ends
    two hours before a day's end.

    >>> from datetime import UTC
    >>> berlin = Period(
    ...     datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)
    ... )
    >>> whole, edges = cut(berlin)
    >>> f"{whole.start:%m-%d} {whole.end:%m-%d}"
    '10-01 11-01'
    >>> [(f"{edge.start:%m-%d %H}", f"{edge.end:%m-%d %H}", sign) for edge, sign in edges]
    [('09-30 22', '10-01 00', 1), ('10-31 23', '11-01 00', -1)]
    """
    first, last = _midnight(period.start), _midnight(period.end)
    if first == last:
        return None, [(period, 1)]
    edges = []
    begun, ended = period.start - first, period.end - last
    if begun > DAY / 2:
        edges.append((Period(period.start, first + DAY), 1))
        first += DAY
    elif begun:
        edges.append((Period(first, period.start), -1))
    if ended > DAY / 2:
        edges.append((Period(period.end, last + DAY), -1))
        last += DAY
    elif ended:
        edges.append((Period(last, period.end), 1))
    return (Period(first, last) if first < last else None), edges


def whole_months(days: Period) -> Period | None:
    """The whole months of UTC among whole days of it; None: there is none.

    >>> from datetime import UTC
    >>> found = whole_months(
    ...     Period(datetime(2026, 9, 28, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    ... )
    >>> f"{found.start:%m-%d} {found.end:%m-%d}"
    '10-01 12-01'
    """
    # A month after the first day less one is the first that begins in the days.
    first = (days.start - DAY).replace(day=28) + 4 * DAY
    first, last = first.replace(day=1), days.end.replace(day=1)
    return Period(first, last) if first < last else None


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
