"""Reads what was spent in many stretches of time at once, told apart by some dimensions.

By when it was used, as budgets go: whole days come from their sums, so that a month of days costs
the same over any number of calls.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from spend.currencies.exchange import converted
from spend.money import EXACT
from spend.periods import Period
from spend.pieces import pieces_of
from store.budgets.budget_spend import Reading, rows_of
from store.conversion import Conversion
from store.spending.booked_lines import MONEY, summed_to

Values = tuple[str, ...]
"""One for each dimension asked for; '' where nothing was said, ``unallocated`` of nobody's team."""


@dataclass(frozen=True, slots=True)
class SpentApart:
    """What was spent, in one currency as far as there are rates."""

    amounts: Mapping[tuple[int, Values], Decimal]
    """By the place of the period among those asked for. Exact."""
    elsewhere: Mapping[str, Decimal]
    """Currency -> what was spent in it and has no rate: it is in no amount."""


def spent_apart(
    session: Session,
    tenant: int,
    periods: Sequence[Period],
    dimensions: Sequence[str],
    asked: Conversion,
    whole: Period,
) -> SpentApart:
    """What was spent in each of the periods (UTC, disjoint), by values of the dimensions.

    ``dimensions`` are of ``spend.budgets.budgets.DIMENSIONS``, in its order. Rates are those of
    ``whole``, which holds all of these: a mean of rates, or the last one, differs with how long it
    is.
    """
    pieces = pieces_of(periods)
    if pieces is None:
        return SpentApart({}, {})
    reading = Reading(tenant, pieces, asked.to, summed_to(session, MONEY, tenant))
    rows = list(rows_of(session, reading, dimensions))
    exchange = asked.exchange(session, tenant, whole, {row.currency for row in rows})
    place_of = {
        piece: place for place, period in enumerate(periods) for piece in pieces.within(period)
    }
    amounts: defaultdict[tuple[int, Values], Decimal] = defaultdict(Decimal)
    elsewhere: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        place = place_of.get(row.piece)
        if place is None:
            continue
        amount: Decimal | None = row.amount
        if row.currency != asked.to:
            used = exchange.rate(row.currency, row.day)
            amount = None if used is None else converted(row.amount, used)
        if amount is None:
            elsewhere[row.currency] = EXACT.add(elsewhere[row.currency], row.amount)
        else:
            key = place, row.values
            amounts[key] = EXACT.add(amounts[key], amount)
    return SpentApart(amounts, elsewhere)
