"""What if these calls had gone elsewhere: real usage, rated by other prices. Nothing is written.

Usage of one band, one route and one stretch of unchanged prices is rated together: each meter times
its line, so the sum is what the calls would cost one by one, to the last digit. What a change of
model does to the usage itself cannot be known: it is assumed, and the assumptions are said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from spend import money
from spend.calls import Route
from spend.meters import CACHE_WRITES, DISJOINT, METERS
from spend.prices import PriceBook, tier_of
from spend.rating import REQUESTS, Rates, rates
from spend.targets import ApiTarget
from spend.totals import Totals, plus

ONE: Final = Decimal(1)
_OUTPUTS: Final = frozenset(
    meter.name for meter in METERS if "output" in (meter.name, meter.of_which)
)
_OTHERS: Final = tuple(meter.name for meter in METERS if meter.unit not in {"token", "ms"})
_PLAIN: Final = ("input", "output")
_TOKENS: Final = tuple(meter.name for meter in METERS if meter.unit == "token")

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """How usage is assumed to change on the way."""

    tokenizer: Decimal = ONE
    """Tokens there for each token here."""
    tokenizer_low: Decimal = ONE
    tokenizer_high: Decimal = ONE
    """Bounds of it, for a range beside the figure."""
    keeps_cache: bool = True
    """False: nothing is read from a cache there, or written to one; all of it is input."""
    cache_hit_change: Decimal = Decimal(0)
    """Added to the share of input (without cache writes) that is read from a cache, -1 to 1."""
    output: Decimal = ONE
    """Output there for each token of output here, beyond the tokenizer's."""

    @property
    def is_range(self) -> bool:
        """Whether there is more than one factor."""
        return not self.tokenizer_low == self.tokenizer == self.tokenizer_high


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


def adjusted(usage: Mapping[str, int], terms: Terms, factor: Decimal) -> dict[str, int]:
    """Usage as it is assumed to be there, with one of the tokenizer's factors."""
    there = {
        name: _scaled(usage.get(name, 0), factor * (terms.output if name in _OUTPUTS else ONE))
        for name in _TOKENS
    }
    if not terms.keeps_cache:
        for name in ("cache_read", *CACHE_WRITES):
            there["input"] += there[name]
            there[name] = 0
    elif terms.cache_hit_change:
        whole = there["input"] + there["cache_read"]
        hits = there["cache_read"] + _scaled(whole, terms.cache_hit_change)
        there["cache_read"] = min(max(hits, 0), whole)
        there["input"] = whole - there["cache_read"]
    return there | {name: usage.get(name, 0) for name in _OTHERS}


def _scaled(count: int, factor: Decimal) -> int:
    if factor == ONE:
        return count
    return int((count * factor).to_integral_value(ROUND_HALF_EVEN))


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

    def __init__(self, book: PriceBook, target: ApiTarget, terms: Terms) -> None:
        self._book = book
        self._target = target
        self._terms = terms
        self._known: dict[tuple[Route, int, datetime], Rates] = {}

    def rated(self, traffic: Iterable[Traffic]) -> Rated:
        """What calls would cost there, together."""
        found = Rated()
        for each in traffic:
            found = added(found, self._one(each))
        return found

    def prices(self, called: Route, band: int, at: datetime) -> Rates:
        """What holds there for calls of a route."""
        route = route_there(self._target, called)
        key = (route, band, at)
        if key not in self._known:
            self._known[key] = rates(self._book, route, band=band, at=at)
        return self._known[key]

    def notes(self) -> list[str]:
        """What is to be said of the prices that were taken."""
        found: dict[str, None] = {}
        for (route, _band, _at), prices in self._known.items():
            tier = tier_of(route.service_tier)
            for meter, rate in prices.lines.items():
                line = rate.price
                if meter == "cache_read" and line.meter == "input":
                    found[
                        "Tokens from a cache are charged as input: it has no price of theirs."
                    ] = None
                if tier and not line.service_tier and meter in _PLAIN:
                    found[f"There is no {tier} price of {meter}: the ordinary one is taken."] = None
                if rate.steps:
                    found[f"The price of {meter} has volume steps: the first one is taken."] = None
        return list(found)

    def _one(self, each: Traffic) -> Rated:
        prices, terms = self.prices(each.route, each.band, each.at), self._terms
        costs = [
            _cost(prices, adjusted(each.usage, terms, factor) | {REQUESTS: each.answered})
            for factor in (terms.tokenizer, terms.tokenizer_low, terms.tokenizer_high)
        ]
        if costs[0] is None:
            usage = adjusted(each.usage, terms, terms.tokenizer)
            used = prices.quantities(usage)
            tokens = sum(each.usage.get(name, 0) for name in DISJOINT)
            missing = frozenset(name for name in used if name not in prices.lines)
            return Rated(unpriced_calls=each.calls, unpriced_tokens=tokens, missing=missing)
        unknown = 0 if prices.by_request else each.unmetered_calls
        if each.calls and unknown == each.calls:
            return Rated(unpriced_calls=unknown)
        return Rated(
            cost=costs[0],
            low=costs[1],
            high=costs[2],
            of_unpriced=money.amount(0) if each.is_priced else costs[0],
            unpriced_calls=unknown,
        )


def _cost(prices: Rates, usage: Mapping[str, int]) -> Decimal | None:
    lines = prices.charge(usage)
    return None if lines is None else money.total([line.amount for line in lines])


def added(one: Rated, other: Rated) -> Rated:
    """Two groups together; a cost is None only where neither has one."""
    return Rated(
        cost=plus(one.cost, other.cost),
        low=plus(one.low, other.low),
        high=plus(one.high, other.high),
        of_unpriced=money.total([one.of_unpriced, other.of_unpriced]),
        unpriced_calls=one.unpriced_calls + other.unpriced_calls,
        unpriced_tokens=one.unpriced_tokens + other.unpriced_tokens,
        missing=one.missing | other.missing,
    )


UNKNOWN: Final = (
    "Quality: whether another model's answers would do.",
    "Tokenizers: the same text is another number of tokens elsewhere; give a factor and its range.",
    "Length: another model may answer, and reason, at greater or smaller length.",
    "Latency and failures: retries and rate limits there are not in the figures.",
    "Caches: whether as much would be found in them there.",
)
"""What real calls cannot tell of calls that were never made."""


def assumptions(terms: Terms) -> list[str]:
    """What is assumed of usage, in words."""
    told = []
    if terms.tokenizer == ONE and not terms.is_range:
        told.append("As many tokens there as here.")
    else:
        ends = f", {terms.tokenizer_low} to {terms.tokenizer_high}" if terms.is_range else ""
        told.append(f"{terms.tokenizer} tokens there for one here{ends}.")
        told.append("Each prompt stays in the price tier of its size here.")
    if terms.output != ONE:
        told.append(f"{terms.output} tokens of output there for one here.")
    if not terms.keeps_cache:
        told.append("Nothing is found in a cache there, and nothing written: all of it is input.")
    elif terms.cache_hit_change:
        points = (terms.cache_hit_change * 100).normalize()
        told.append(f"{points:+f} points of the input are found in a cache there.")
    else:
        told.append("As much is found in a cache there as here.")
    return told
