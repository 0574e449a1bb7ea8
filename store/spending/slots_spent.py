"""Reads what was spent in each quarter hour on what fits each of some filters."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, FromClause, and_, func, or_, select, true
from sqlalchemy.orm import Session

from spend.budgets.budgets import NOT_SAID, OWNER_DIMENSIONS, Filter
from spend.currencies.exchange import DAILY, converted
from spend.money import EXACT
from spend.owners import UNALLOCATED
from spend.periods import Period, month_period, months_in
from store.breakdowns.booked_time import within
from store.breakdowns.shown_routes import shown_routes
from store.conversion import Conversion
from store.tables.heard import owners
from store.tables.ledger import charges

_UTC: Final = ZoneInfo("UTC")
_AT_ONCE: Final = 20
"""Filters that a scan of the ledger sums up."""

Slots = dict[datetime, Decimal]
"""Quarter hours (UTC) with spend -> what was spent."""


def slots_spent(
    session: Session,
    tenant: int,
    asked: Sequence[tuple[Filter, str]],
    period: Period,
    *,
    now: datetime,
) -> list[Slots]:
    """For each filter and currency what was spent, by when it was used.

    What is in other currencies counts at daily rates, what has none doesn't. Month by month: a
    statement for some filters reads a month of the ledger.
    """
    read = _read(session, tenant, [wanted for wanted, _ in asked], period)
    spent_in = {currency for _, currency, _, _ in read}
    exchanges = {
        to: Conversion(to=to, policy=DAILY, zone=_UTC, now=now).exchange(
            session, tenant, period, spent_in
        )
        for to in sorted({currency for _, currency in asked})
    }
    found: list[Slots] = [{} for _ in asked]
    for place, currency, slot, amount in read:
        to, in_it = asked[place][1], amount
        if currency != to:
            rate = exchanges[to].rate(currency, slot.date())
            if rate is None:
                continue
            in_it = converted(amount, rate)
        found[place][slot] = EXACT.add(found[place].get(slot, Decimal(0)), in_it)
    return found


def _read(
    session: Session, tenant: int, filters: Sequence[Filter], period: Period
) -> list[tuple[int, str, datetime, Decimal]]:
    """Place of the filter, currency, slot (UTC) and amount."""
    read = []
    for month in months_in(period, _UTC):
        its = month_period(month, _UTC)
        part = Period(max(its.start, period.start), min(its.end, period.end))
        for first in range(0, len(filters), _AT_ONCE):
            some = filters[first : first + _AT_ONCE]
            sums = [func.sum(charges.c.amount).filter(_fits(each, tenant)) for each in some]
            rows = session.execute(
                select(charges.c.slot, charges.c.currency, *sums)
                .where(charges.c.tenant_id == tenant, within(charges.c.slot, part))
                .group_by(charges.c.slot, charges.c.currency)
            )
            for slot, currency, *amounts in rows:
                for place, amount in enumerate(amounts, start=first):
                    if amount is not None:
                        read.append((place, currency, slot.astimezone(UTC), amount))
    return read


def _fits(wanted: Filter, tenant: int) -> ColumnElement[bool]:
    """Whether a line counts, as ``store/budgets/budget_spend.py`` tells values apart."""
    of_owner = {name: wanted[name] for name in wanted if name in OWNER_DIMENSIONS}
    of_route = {name: wanted[name] for name in wanted if name not in of_owner}
    return and_(
        true(),
        *_among(charges.c.payer_id, owners, of_owner, tenant),
        *_among(charges.c.route_id, shown_routes(tenant), of_route, tenant),
    )


def _among(
    id_: Column[int], names: FromClause, wanted: Filter, tenant: int
) -> Iterator[ColumnElement[bool]]:
    if not wanted:
        return
    known = select(names.c.id).where(names.c.tenant_id == tenant)
    fitting = known.where(
        *(func.coalesce(names.c[name], _unsaid(name)).in_(each) for name, each in wanted.items())
    )
    # Money whose name is missing has no values.
    if all(_unsaid(name) in each for name, each in wanted.items()):
        yield or_(id_.in_(fitting), id_.not_in(known))
    else:
        yield id_.in_(fitting)


def _unsaid(name: str) -> str:
    return UNALLOCATED if name == "team" else NOT_SAID
