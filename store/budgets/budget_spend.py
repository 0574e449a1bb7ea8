"""Reads what was spent in many periods at a time, for any number of budgets.

Whole days and months of UTC come from their sums (``store/tables/days.py``). Lines that are not in
them yet, lines that are booked later than they were used, and parts of days that bounds cut are
added one by one. Budgets go by when something was used, whenever it was booked.
"""

from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Select,
    Subquery,
    Table,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.budgets.budgets import DIMENSIONS, NOT_SAID, OWNER_DIMENSIONS, ROUTE_DIMENSIONS, Filter
from spend.budgets.spending import Counted, Spend, Spending
from spend.currencies.exchange import DAILY
from spend.owners import UNALLOCATED
from spend.periods import Period
from spend.pieces import Pieces, pieces_of
from store.breakdowns.booked_time import day_of, within
from store.breakdowns.shown_routes import shown_routes
from store.conversion import Conversion
from store.spending.booked_lines import MONEY, summed_to
from store.tables.heard import owners
from store.tables.ledger import charges

_UTC: Final = ZoneInfo("UTC")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SpendRead:
    """What was spent in some periods."""

    pieces: Pieces | None
    spending: Spending

    def on(self, wanted: Filter, currency: str, period: Period) -> Counted:
        """What was spent in one of the periods on what fits the filter.

        Raises KeyError for a dimension that nothing is known of.
        """
        within_ = range(0) if self.pieces is None else self.pieces.within(period)
        return self.spending.on(wanted, currency, within_)


def read_spend(
    session: Session,
    tenant: int,
    periods: Iterable[Period],
    filters: Iterable[Filter],
    currencies: Collection[str],
    *,
    now: datetime,
) -> SpendRead:
    """What was spent in each of the periods, for budgets with these filters and currencies.

    What is in other currencies counts at daily rates. Two statements, and for each currency two
    more where there is spend in another one: read them on one snapshot.
    """
    pieces = pieces_of(periods)
    asked = {name for wanted in filters for name in wanted}
    dimensions = [name for name in DIMENSIONS if name in asked]
    if pieces is None:
        return SpendRead(None, Spending(dimensions, ()))
    one = next(iter(currencies)) if len(set(currencies)) == 1 else None
    reading = Reading(tenant, pieces, one, summed_to(session, MONEY, tenant))
    rows = list(rows_of(session, reading, dimensions))
    spent_in = {row.currency for row in rows}
    whole = Period(pieces.cuts[0], pieces.cuts[-1])
    exchanges = {
        to: Conversion(to=to, policy=DAILY, zone=_UTC, now=now).exchange(
            session, tenant, whole, spent_in
        )
        for to in sorted(set(currencies))
    }
    spending = Spending(
        dimensions, rows, lambda currency, to, day: exchanges[to].rate(currency, day)
    )
    return SpendRead(pieces, spending)


def rows_of(session: Session, reading: "Reading", dimensions: Sequence[str]) -> Iterator[Spend]:
    """Sums by piece and dimensions; an edge's, once for each piece that it changes."""
    count, edges = len(reading.pieces.cuts) - 1, reading.pieces.edges
    found = session.execute(told_apart(reading, dimensions)).all()
    for place, currency, day, amount, *values in found:
        its = tuple(values)
        if place < count:
            yield Spend(place, its, currency, amount, day)
            continue
        edge = edges[place - count]
        for piece, signed in ((edge.adds_to, amount), (edge.taken_off, -amount)):
            if piece is not None:
                yield Spend(piece, its, currency, signed, day)


def told_apart(reading: "Reading", dimensions: Sequence[str]) -> Select[Any]:
    """Selects place, currency, day and amount, and a value for each of the dimensions."""
    together = union_all(*reading.parts()).subquery("together")
    keys = [together.c[name] for name in ("payer_id", "route_id", "place", "currency", "day")]
    spent = select(*keys, func.sum(together.c.amount).label("amount")).group_by(*keys)
    return named(spent.subquery("sums"), reading.tenant, dimensions)


def named(sums: Subquery, tenant: int, dimensions: Sequence[str]) -> Select[Any]:
    """The same of sums by payer_id, route_id, place, currency and day."""
    values, joined, shown = [], sums, shown_routes(tenant)
    for table, key, names in (
        (owners, sums.c.payer_id, OWNER_DIMENSIONS),
        (shown, sums.c.route_id, ROUTE_DIMENSIONS),
    ):
        if set(names) & set(dimensions):
            its = (table.c.tenant_id == tenant) & (table.c.id == key)
            # Outer joins: money whose name is missing still counts towards a budget on everything.
            joined = joined.outerjoin(table, its)  # type: ignore[assignment]  # a wider one
    for name in dimensions:
        table = owners if name in OWNER_DIMENSIONS else shown
        unknown = UNALLOCATED if name == "team" else NOT_SAID
        values.append(func.coalesce(table.c[name], unknown).label(name))
    told = [sums.c.place, sums.c.currency, sums.c.day]
    amount = func.sum(sums.c.amount).label("amount")
    return select(*told, amount, *values).select_from(joined).group_by(*told, *values)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of the ledger, in parts that are disjoint."""

    tenant: int
    pieces: Pieces
    one: str | None
    """The currency of all budgets: days are told of what is in others. None: of everything."""
    summed_to: int
    """The last line that is in the sums."""

    def parts(self) -> Iterator[Select[Any]]:
        """Selects payer_id, route_id, place (a piece, or after them an edge), currency, day."""
        rows = charges
        late = rows.c.booked_slot.is_not(None)
        first, last = self.pieces.cuts[0], self.pieces.cuts[-1]
        all_of_it = within(rows.c.slot, Period(first, last))
        place = func.width_bucket(rows.c.slot, _moments(self.pieces.cuts)) - 1
        yield self._lines(place, rows.c.id > self.summed_to, all_of_it)
        if not self.summed_to:
            return
        # Booked later than used: the index of those goes by when they are booked.
        booked = late & (rows.c.booked_slot >= first)
        yield self._lines(place, rows.c.id <= self.summed_to, booked, all_of_it)
        yield from self._edges(~late & (rows.c.id <= self.summed_to))
        yield from self._summed()

    def _edges(self, which: ColumnElement[bool]) -> Iterator[Select[Any]]:
        edges = [edge.part for edge in self.pieces.edges]
        if not edges:
            return
        bounds = [bound for edge in edges for bound in (edge.start, edge.end)]
        number = (func.width_bucket(charges.c.slot, _moments(bounds)) - 1) / 2
        places = len(self.pieces.cuts) - 1 + cast(func.floor(number), Integer)
        where = or_(*(within(charges.c.slot, each) for each in _joined(edges)))
        yield self._lines(places, which, where)

    def _summed(self) -> Iterator[Select[Any]]:
        """Days whose money is told by day come from days, whatever months they are in."""
        days, months = MONEY.days, MONEY.months
        each_day = [
            (first + number * _DAY, piece)
            for first, piece in self.pieces.months
            for number in range(monthrange(first.year, first.month)[1])
        ]
        if self.one is None:
            yield from self._of_sums(days, [*self.pieces.days, *each_day])
            return
        yield from self._of_sums(days, self.pieces.days)
        yield from self._of_sums(months, self.pieces.months, months.c.currency == self.one)
        yield from self._of_sums(days, each_day, days.c.currency != self.one)

    def _of_sums(
        self, sums: Table, which: Sequence[tuple[date, int]], *where: ColumnElement[bool]
    ) -> Iterator[Select[Any]]:
        if not which:
            return
        pairs = func.unnest(
            cast([day for day, _piece in which], ARRAY(Date)),
            cast([piece for _day, piece in which], ARRAY(Integer)),
        )
        columns = Column("day", Date), Column("place", Integer)
        asked = pairs.table_valued(*columns, name="asked").render_derived()
        keys = [sums.c.payer_id, sums.c.route_id, asked.c.place, sums.c.currency]
        day = self._day(sums.c.currency, sums.c.day)
        yield (
            select(*keys, day, func.sum(sums.c.amount).label("amount"))
            .join_from(asked, sums, (sums.c.day == asked.c.day))
            .where(sums.c.tenant_id == self.tenant, *where)
            .group_by(*keys, day)
        )

    def _lines(self, place: ColumnElement[int], *where: ColumnElement[bool]) -> Select[Any]:
        rows = charges
        keys = [rows.c.payer_id, rows.c.route_id, place.label("place"), rows.c.currency]
        day = self._day(rows.c.currency, day_of(rows.c.slot))
        return (
            select(*keys, day, func.sum(rows.c.amount).label("amount"))
            .where(rows.c.tenant_id == self.tenant, *where)
            .group_by(*keys, day)
        )

    def _day(self, currency: ColumnElement[str], day: ColumnElement[date]) -> ColumnElement[Any]:
        if self.one is None:
            return day.label("day")
        return case((currency != self.one, day), else_=cast(null(), Date)).label("day")


def _moments(moments: Sequence[datetime]) -> ColumnElement[Any]:
    return cast(
        literal(list(moments), ARRAY(DateTime(timezone=True))), ARRAY(DateTime(timezone=True))
    )


def _joined(parts: Sequence[Period]) -> list[Period]:
    """Parts in order, those that meet as one."""
    found: list[Period] = []
    for part in parts:
        if found and found[-1].end == part.start:
            found[-1] = Period(found[-1].start, part.end)
        else:
            found.append(part)
    return found
