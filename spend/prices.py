"""The price book: which unit price holds for a meter of a call, among those we know.

Order of precedence, first that has a line wins:
1. our contract for the model's own name, our contract for the name it is listed by,
2. the public list for the model's own name, the public list for the name it is listed by;
and within one of these the line for the call's region before one for all regions, then the line
for its service tier before one for all tiers, then the one for the largest prompts.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import bands
from spend.calls import Route
from spend.providers import SELF_HOSTED

CONTRACT: Final = "contract"
LIST: Final = "list"

_STANDARD_TIERS: Final = frozenset({"auto", "default", "on_demand", "on-demand", "standard"})


@dataclass(frozen=True, slots=True)
class PriceLine:
    """What 1,000,000 units of a meter cost, from when (UTC, inclusive) to when (exclusive)."""

    book: str
    """CONTRACT or LIST."""
    provider: str
    model: str
    meter: str
    unit_price: Decimal
    currency: str
    valid_from: datetime
    valid_to: datetime | None = None
    region: str = ""
    """'' holds for every region without a line of its own."""
    service_tier: str = ""
    above_tokens: int = 0
    """0, or an edge of ``spend/bands.py``."""
    source: str = ""
    reference: str | None = None
    id: int | None = None
    """None until it is in the book."""

    def in_force(self, at: datetime) -> bool:
        """Whether it holds for calls that start at ``at``."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    @property
    def subject(self) -> tuple[str, str, str, str, str, str, int]:
        """What it prices: two lines of one subject never hold at one time."""
        return (
            self.book,
            self.provider,
            self.model,
            self.region,
            self.service_tier,
            self.meter,
            self.above_tokens,
        )

    @property
    def stretch(self) -> tuple[object, ...]:
        """What it prices, and when: no two lines of one moment of knowledge share it."""
        return (*self.subject, self.valid_from, self.valid_to)

    @property
    def said(self) -> tuple[object, ...]:
        """All that it says, wherever it stands and whoever said it."""
        return (*self.stretch, self.unit_price, self.currency)


Names = Mapping[tuple[str, str], tuple[str, str]]
"""(provider, model) as called -> (provider, model) as the public list has it."""


def tier_of(service_tier: str | None) -> str:
    """A service tier as the book names it: '' for the ordinary one, whatever it was called."""
    tier = (service_tier or "").strip().lower()
    return "" if tier in _STANDARD_TIERS else tier


def wanted(routes: Iterable[Route], names: Names) -> set[tuple[str, str]]:
    """Every (provider, model) whose lines can price a call of these routes."""
    found: set[tuple[str, str]] = set()
    for route in routes:
        found.update((provider, model) for _book, provider, model in _places(route, names))
    return found


def _places(route: Route, names: Names) -> list[tuple[str, str, str]]:
    """Where to look for a route's price, best first: (book, provider, model)."""
    if route.provider is None or route.model is None:
        return []
    called = (route.provider, route.model)
    listed = names.get(called)
    places = [(CONTRACT, *called)]
    if listed:
        # A contract is with who bills: never with the provider whose list is borrowed.
        places.append((CONTRACT, route.provider, listed[1]))
    # What runs on our own machines costs what they cost, whatever others ask for the model.
    if route.deployment != SELF_HOSTED:
        places.append((LIST, *called))
        if listed:
            places.append((LIST, *listed))
    return places


class PriceBook:
    """Price lines of one moment of knowledge, ready to be asked. Never changes."""

    def __init__(self, lines: Iterable[PriceLine], names: Names) -> None:
        self._names = names
        self._lines: dict[tuple[str, str, str, str], list[PriceLine]] = defaultdict(list)
        changes: dict[tuple[str, str, str], set[datetime]] = defaultdict(set)
        for line in lines:
            place = (line.book, line.provider, line.model)
            self._lines[*place, line.meter].append(line)
            changes[place].add(line.valid_from)
            if line.valid_to is not None:
                changes[place].add(line.valid_to)
        self._changes = changes

    def line(self, route: Route, meter: str, *, band: int, at: datetime) -> PriceLine | None:
        """The line that prices a meter of a call that starts at ``at``; None: it has no price."""
        tier = tier_of(route.service_tier)
        for place in _places(route, self._names):
            found = [
                line
                for line in self._lines.get((*place, meter), ())
                if line.in_force(at)
                and line.region in {"", route.region}
                and line.service_tier in {"", tier}
                and bands.applies(line.above_tokens, band)
            ]
            if found:
                return max(
                    found,
                    key=lambda each: (each.region, each.service_tier, each.above_tokens),
                )
        return None

    def changes(self, route: Route) -> "Epochs":
        """When the prices of a route change: between two of these they are the same."""
        moments: set[datetime] = set()
        for place in _places(route, self._names):
            moments |= self._changes.get(place, set())
        return Epochs(tuple(sorted(moments)))


@dataclass(frozen=True, slots=True)
class Epochs:
    """Moments (UTC, ascending) that cut time into stretches of unchanged prices."""

    moments: tuple[datetime, ...]

    def of(self, at: datetime) -> int:
        """The number of the stretch that holds ``at``."""
        return bisect_right(self.moments, at)
