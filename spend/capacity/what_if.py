"""What if these calls had gone elsewhere: real usage, rated by other prices. Nothing is written.

Usage of one band, one route and one stretch of unchanged prices is rated together: each meter times
its line, so the sum is what the calls would cost one by one, to the last digit. What a change of
model does to the usage itself cannot be known: it is assumed, and the assumptions are said.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.calls import Route
from spend.capacity.economics import tokens_of
from spend.capacity.pools import Pool
from spend.capacity.targets import ApiTarget
from spend.capacity.what_if_terms import Terms, adjusted
from spend.prices.prices import PriceBook, tier_of
from spend.prices.rating import REQUESTS, Line, Rate, Rates, rates
from spend.prices.volume_steps import in_steps, month_of, shared
from spend.totals import Totals, plus

_OF_STEPS: Final = (
    "The price of {} has volume steps: a month's calls share them, and nothing else counts."
)

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls that are rated together."""

    key: Key
    """The group that they are told in."""
    route: Route
    """What they called really: operation, region and tier go with them."""
    band: int
    at: datetime
    """Prices of this moment (UTC) hold for all of them."""
    calls: int
    answered: int
    """Calls that ended well."""
    unmetered_calls: int
    """Of those, calls that did not say what they used."""
    is_priced: bool
    """Whether the ledger has a price for what they used."""
    usage: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rated:
    """What a group of calls would cost there."""

    cost: Decimal | None = None
    """Of all that has a price there; None: nothing has."""
    low: Decimal | None = None
    high: Decimal | None = None
    """The same by the lowest and the highest tokenizer factor."""
    of_unpriced: Decimal = Decimal(0)
    """Of ``cost``: what calls would cost there that have no price here."""
    unpriced_calls: int = 0
    """Calls whose cost there is not known."""
    unpriced_tokens: int = 0
    """What those used here."""
    missing: frozenset[str] = frozenset()
    """Meters without a price there."""


@dataclass(frozen=True, slots=True)
class Here:
    """What a group of calls cost really."""

    totals: Totals = field(default_factory=Totals)
    """Of these ``cost`` are their charges; of pool-hours their shares, which are busy ones."""
    idle_cost: Decimal = Decimal(0)
    """Their part, by cost, of what nobody used of the pools that they ran on."""

    @property
    def cost(self) -> Decimal | None:
        """With their part of idle hours: what it costs to have them run where they run."""
        cost = self.totals.cost
        return None if cost is None else money.total([cost, self.idle_cost])


def difference(here: Here, there: Rated) -> Decimal | None:
    """What the calls would cost more there (below 0: less); None: not known.

    Of the calls that have a price here. Where some of those have none there, the two sums are not
    of the same calls.
    """
    if here.cost is None or there.cost is None or there.missing:
        return None
    return money.EXACT.subtract(money.EXACT.subtract(there.cost, there.of_unpriced), here.cost)


@dataclass(frozen=True, slots=True)
class ToApi:
    """Everything goes to a model of a provider."""

    target: ApiTarget
    terms: Terms
    prices_at: datetime | None = None
    """By whose prices (UTC); None: those of each call's own time."""


def route_there(target: ApiTarget, called: Route) -> Route:
    """The route of a call there. What it was for, its operation, goes with it.

    So does its tier unless another is asked for, and its region if the provider is the same.
    """
    same = called.provider == target.provider
    return replace(
        target.route,
        operation=called.operation,
        service_tier=target.service_tier or called.service_tier,
        region=target.region or (called.region if same else None),
    )


class Rater:
    """Rates traffic on one target. Remembers prices as long as they hold."""

    def __init__(self, book: PriceBook, asked: ToApi) -> None:
        self._book = book
        self._asked = asked
        self._known: dict[tuple[Route, int, datetime], Rates] = {}
        self._notes: dict[str, None] = {}

    def rated(self, traffic: Sequence[Traffic]) -> list[Rated]:
        """What calls would cost there, one for each; no two of a month's volume steps apart."""
        terms = self._asked.terms
        factors = (terms.tokenizer, terms.tokenizer_low, terms.tokenizer_high)
        costs = zip(*(self._costs(traffic, factor) for factor in factors), strict=True)
        return [self._one(each, *of_each) for each, of_each in zip(traffic, costs, strict=True)]

    def notes(self) -> list[str]:
        """What is to be said of the prices that were taken."""
        return list(self._notes)

    def _prices(self, each: Traffic) -> Rates:
        route = route_there(self._asked.target, each.route)
        at = each.at if self._asked.prices_at is None else self._asked.prices_at
        key = (route, each.band, at)
        if key not in self._known:
            self._known[key] = rates(self._book, route, band=each.band, at=at)
        return self._known[key]

    def _there(self, each: Traffic, factor: Decimal) -> dict[str, int]:
        return adjusted(each.usage, self._asked.terms, factor) | {REQUESTS: each.answered}

    def _costs(self, traffic: Sequence[Traffic], factor: Decimal) -> list[Decimal | None]:
        charged = [self._prices(each).charge(self._there(each, factor)) for each in traffic]
        stepped = _in_steps(traffic, charged)
        return [
            None
            if lines is None
            else money.total(
                [stepped.get((place, line.meter), line.amount) for line in lines],
            )
            for place, lines in enumerate(charged)
        ]

    def _one(
        self, each: Traffic, cost: Decimal | None, low: Decimal | None, high: Decimal | None
    ) -> Rated:
        prices = self._prices(each)
        used = prices.quantities(self._there(each, self._asked.terms.tokenizer))
        if cost is None:
            missing = frozenset(name for name in used if name not in prices.lines)
            tokens = tokens_of(each.usage)
            return Rated(unpriced_calls=each.calls, unpriced_tokens=tokens, missing=missing)
        self._note(each, prices, used)
        unknown = 0 if prices.by_request else each.unmetered_calls
        if each.calls and unknown == each.calls:
            return Rated(unpriced_calls=unknown)
        of_unpriced = money.amount(0) if each.is_priced else cost
        return Rated(cost, low, high, of_unpriced, unknown)

    def _note(self, each: Traffic, prices: Rates, used: Iterable[str]) -> None:
        tier = tier_of(route_there(self._asked.target, each.route).service_tier)
        for meter in used:
            rate = prices.lines[meter]
            if meter == "cache_read" and rate.price.meter == "input":
                told = "Tokens from a cache are charged as input: it has no price of theirs."
                self._notes[told] = None
            if tier and not rate.price.service_tier:
                told = f"There is no {tier} price of {meter}: the ordinary one is taken."
                self._notes[told] = None
            if rate.steps:
                self._notes[_OF_STEPS.format(meter)] = None


def _in_steps(
    traffic: Sequence[Traffic], charged: Sequence[list[Line] | None]
) -> dict[tuple[int, str], Decimal]:
    """What lines cost whose price depends on the month's volume: by place in both, and meter.

    The units of a month (UTC) share its steps in proportion, stretch after stretch of unchanged
    prices. Nothing else that was bought counts.
    """
    alike: dict[tuple[datetime, tuple[Rate, ...]], list[tuple[int, Line]]] = defaultdict(list)
    for place, lines in enumerate(charged):
        for line in lines or ():
            if line.rate.steps:
                alike[traffic[place].at, line.rate.steps].append((place, line))
    costs = {}
    before: dict[object, int] = defaultdict(int)
    for (at, steps), found in sorted(alike.items(), key=lambda each: each[0][0]):
        volume = (month_of(at), steps[0].price.base)
        quantities = [line.quantity for _place, line in found]
        edges = [step.price.above_monthly for step in steps]
        whole = in_steps(before[volume], sum(quantities), edges)
        before[volume] += sum(quantities)
        for (place, line), parts in zip(found, shared(quantities, whole), strict=True):
            amounts = [money.cost(n, step.unit_price) for n, step in zip(parts, steps, strict=True)]
            costs[place, line.meter] = money.total(amounts)
    return costs


def all_of(groups: Iterable[Rated]) -> Rated:
    """Groups together; a cost is None only where none has one."""
    return functools.reduce(_added, groups, Rated())


def _added(one: Rated, other: Rated) -> Rated:
    return Rated(
        cost=plus(one.cost, other.cost),
        low=plus(one.low, other.low),
        high=plus(one.high, other.high),
        of_unpriced=money.total([one.of_unpriced, other.of_unpriced]),
        unpriced_calls=one.unpriced_calls + other.unpriced_calls,
        unpriced_tokens=one.unpriced_tokens + other.unpriced_tokens,
        missing=one.missing | other.missing,
    )


@dataclass(frozen=True, slots=True)
class ToPool:
    """Everything runs on a pool, beside what ran there."""

    pool: Pool
    terms: Terms


@dataclass(frozen=True, slots=True)
class PoolThere:
    """What a pool would take to run the calls, too."""

    machines: int
    """Like it, so many that the busiest hour fits."""
    busiest: datetime
    """That hour, UTC."""
    extra_cost: Decimal
    """What the further machines cost: the pool itself is paid for, whatever runs on it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a target comes to, with what is to be said of it."""

    name: str
    by_group: Mapping[Key, Rated]
    whole: Rated
    notes: tuple[str, ...]
    on_pool: PoolThere | None = None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Calls as they were, and what they would have cost elsewhere."""

    here: Mapping[Key, Here]
    whole: Here
    there: tuple[Answer, ...]
    """One for each target, in order."""
    elsewhere: Mapping[str, Decimal] = field(default_factory=dict)
    """Currency -> what the same calls cost in it: not compared with anything."""
