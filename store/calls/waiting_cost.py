"""What calls that have no price would cost by price lines that somebody is about to enter.

Nothing is written. Cells are rated by the rules that the charge job goes by
(``spend/prices/rating.py``), as if the lines were known already.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from spend.calls import Route
from spend.capacity.what_if import Traffic
from spend.meters import DISJOINT
from spend.money import EXACT
from spend.prices.corrections import corrected
from spend.prices.discounts import Discounts
from spend.prices.prices import CONTRACT, PriceBook, PriceLine, wanted
from spend.prices.rating import REQUESTS, Rates, rates
from store import parties
from store.breakdowns.dimensions import Question
from store.capacity.what_if_calls import traffic
from store.prices import books, listings
from store.prices.books import Pair
from store.prices.discounts import discounts_of

_NONE: Final = Decimal(0)

_Place = tuple[Route, int, datetime]
"""Route, band, and from when its prices hold."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Calls of a group that have no price, and what they would cost."""

    calls: int = 0
    tokens: int = 0
    costs: Mapping[str, Decimal] = field(default_factory=dict)
    """By currency, exact."""
    unpriced_calls: int = 0
    """Of them those that would have no price still, or did not say what they used."""
    missing: frozenset[str] = frozenset()
    """Meters that were used and would have no price."""

    def plus(self, other: "Waiting") -> "Waiting":
        """Both together."""
        costs = dict(self.costs)
        for currency, amount in other.costs.items():
            costs[currency] = EXACT.add(costs.get(currency, _NONE), amount)
        return Waiting(
            self.calls + other.calls,
            self.tokens + other.tokens,
            costs,
            self.unpriced_calls + other.unpriced_calls,
            self.missing | other.missing,
        )


def waiting_cost(
    session: Session, question: Question, tenant: int, pair: Pair, said: Sequence[PriceLine]
) -> dict[str, Waiting]:
    """What the calls of ``pair`` (provider and model) that have no price would cost, by team.

    The question's period is looked at; its grouping and filters are replaced. ``said`` are contract
    lines that are not in the book; without any, nothing is priced.
    """
    called = parties.routes_called(session, tenant, pair)
    book = _as_if(session, tenant, pair, said, called)
    changes = {moment for route in called for moment in book.changes(route).moments}
    asked = Question(
        period=question.period,
        zone=question.zone,
        group_by=("team",),
        filters={"provider": (pair[0],), "model": (pair[1],)},
    )
    found: dict[str, Waiting] = defaultdict(Waiting)
    known: dict[_Place, Rates] = {}
    for each, _ran in traffic(session, asked, tenant, sorted(changes), {}):
        if each.is_priced:
            continue
        place = (each.route, each.band, each.at)
        if place not in known:
            known[place] = rates(book, each.route, band=each.band, at=each.at)
        team = str(each.key[0])
        found[team] = found[team].plus(_rated(each, known[place]))
    return dict(found)


def _as_if(
    session: Session,
    tenant: int,
    pair: Pair,
    said: Sequence[PriceLine],
    called: Collection[Route],
) -> PriceBook:
    """The book as it would be known with ``said`` in it."""
    names = listings.names(session, tenant)
    lines = books.lines_for(session, tenant, wanted(called, names) | {pair})
    held = [line for line in lines if line.book == CONTRACT and line.known(None)]
    correction = corrected(held, said)
    closed = {line.id for line in correction.closed}
    kept = [line for line in lines if line.id not in closed]
    discounts = Discounts(discounts_of(session, tenant, {pair[0]}))
    return PriceBook([*kept, *correction.opened], names, discounts)


def _rated(each: Traffic, its: Rates) -> Waiting:
    tokens = sum(each.usage.get(name, 0) for name in DISJOINT)
    silent = 0 if its.by_request else each.unmetered_calls
    usage = dict(each.usage) | {REQUESTS: max(each.answered - silent, 0)}
    charged = its.charge(usage)
    if charged is None:
        used = its.quantities(usage)
        missing = frozenset(name for name in used if name not in its.lines)
        return Waiting(each.calls, tokens, {}, each.calls, missing)
    costs: dict[str, Decimal] = {}
    for line in charged:
        currency = line.price.currency
        costs[currency] = EXACT.add(costs.get(currency, _NONE), line.amount)
    return Waiting(each.calls, tokens, costs, silent)
