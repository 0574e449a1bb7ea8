"""The price book: which unit price holds for a meter of a call, among those that were known.

Order of precedence, first that has a line wins:
1. our contract for the model's own name, our contract for the name it is listed by,
2. the public list for the model's own name, the public list for the name it is listed by,
3. the supplement, a second list, likewise: it prices what the list lacks;
and within one of these the line for the call's region before one for all regions, then the line
for its service tier before one for all tiers, then the one for the largest prompts.

Whatever currency a line is in: what it prices is charged in that one. One subject has one line at a
time, in one currency, so no currency goes before another.

A book holds what was known when. By which moment of it a call is priced:
``spend/prices/knowledge.py``.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend.calls import Route
from spend.prices import bands
from spend.prices.discounts import Discounts
from spend.prices.knowledge import was_known
from spend.providers import SELF_HOSTED

CONTRACT: Final = "contract"
LIST: Final = "list"
SUPPLEMENT: Final = "supplement"

_STANDARD_TIERS: Final = frozenset({"auto", "default", "on_demand", "on-demand", "standard"})


@dataclass(frozen=True, slots=True)
class PriceLine:
    """What 1,000,000 units of a meter cost, from when (UTC, inclusive) to when (exclusive)."""

    book: str
    """CONTRACT, LIST or SUPPLEMENT."""
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
    """0, or an edge of ``spend/prices/bands.py``."""
    above_monthly: int = 0
    """A volume step: it holds for what is used of its subject above so many units in a month of
    UTC. Steps stand beside the line of 0, their base; without one in force they never hold."""
    source: str = ""
    reference: str | None = None
    entered_by: str | None = None
    id: int | None = None
    """None until it is in the book; so is ``known_from``."""
    known_from: datetime | None = None
    known_to: datetime | None = None
    """From when to when (UTC, half-open) it was believed; None: still."""

    def in_force(self, at: datetime) -> bool:
        """Whether it holds for calls that start at ``at``."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def known(self, at: datetime | None) -> bool:
        """Whether it was believed at a moment; None: as far as is known today."""
        return was_known(self.known_from, self.known_to, at)

    @property
    def base(self) -> tuple[str | int, ...]:
        """What it prices, whatever the volume, and in which currency: its steps' is the same.

        So each currency has steps of its own, and only what is charged in it counts for them.
        """
        return (*self.subject[:-1], self.currency)

    @property
    def subject(self) -> tuple[str | int, ...]:
        """What it prices: two lines of one subject never hold at one time."""
        return (
            self.book,
            self.provider,
            self.model,
            self.region,
            self.service_tier,
            self.meter,
            self.above_tokens,
            self.above_monthly,
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
        for book in (LIST, SUPPLEMENT):
            places.append((book, *called))
            if listed:
                places.append((book, *listed))
    return places


class PriceBook:
    """Price lines with what was known of them when, ready to be asked. Never changes."""

    def __init__(
        self, lines: Iterable[PriceLine], names: Names, discounts: Discounts | None = None
    ) -> None:
        """``discounts`` are not in what ``line`` answers: ``rating.py`` applies them."""
        self.discounts = discounts or Discounts()
        self._names = names
        self._lines: dict[tuple[str, str, str, str], list[PriceLine]] = defaultdict(list)
        changes: dict[tuple[str, str, str], set[datetime]] = defaultdict(set)
        for line in lines:
            place = (line.book, line.provider, line.model)
            self._lines[*place, line.meter].append(line)
            moments = (line.valid_from, line.valid_to, line.known_from, line.known_to)
            changes[place].update(moment for moment in moments if moment is not None)
        self._changes = changes

    def line(
        self,
        route: Route,
        meter: str,
        *,
        band: int,
        at: datetime,
        known_at: datetime | None = None,
        public: bool = False,
    ) -> PriceLine | None:
        """The line that prices a meter of a call that starts at ``at``; None: it has no price.

        By what was known at ``known_at``; None: by what is known today. ``public`` leaves our
        contracts out of it.
        """
        for book, found in self._fitting(route, meter, band, at):
            if public and book == CONTRACT:
                continue
            known = [line for line in found if not line.above_monthly and line.known(known_at)]
            if known:
                return max(known, key=_particular)
        return None

    def steps(
        self, route: Route, meter: str, *, band: int, at: datetime, known_at: datetime | None = None
    ) -> tuple[PriceLine, ...]:
        """What ``line`` answers and its volume steps, the base first and the highest step last.

        Empty where it answers None; the base alone where nothing depends on the volume.
        """
        base = self.line(route, meter, band=band, at=at, known_at=known_at)
        if base is None:
            return ()
        beside = self._lines[base.book, base.provider, base.model, base.meter]
        steps = (
            line
            for line in beside
            if line.base == base.base and line.in_force(at) and line.known(known_at)
        )
        return tuple(sorted(steps, key=lambda each: each.above_monthly))

    def priced_from(
        self,
        route: Route,
        meters: Sequence[str],
        *,
        band: int,
        at: datetime,
        known_at: datetime,
    ) -> datetime | None:
        """By which moment of knowledge a call that starts at ``at`` is priced for ``meters``.

        ``known_at`` where a line for one of them was known then; else the first later moment at
        which one became known; None where none ever was.
        """
        lines = [
            line
            for meter in meters
            for _book, found in self._fitting(route, meter, band, at)
            for line in found
            if not line.above_monthly
        ]
        if any(line.known(known_at) for line in lines):
            return known_at
        later = (
            line.known_from
            for line in lines
            if line.known_from is not None
            and line.known_from > known_at
            and line.known(line.known_from)  # one that was mended at once was never known
        )
        return min(later, default=None)

    def _fitting(
        self, route: Route, meter: str, band: int, at: datetime
    ) -> Iterator[tuple[str, list[PriceLine]]]:
        """Lines in force for a meter of a call, whenever known: book and lines, best first."""
        tier = tier_of(route.service_tier)
        for place in _places(route, self._names):
            lines = self._lines.get((*place, meter))
            if not lines:
                continue
            fitting = [
                line
                for line in lines
                if line.in_force(at)
                and line.region in {"", route.region}
                and line.service_tier in {"", tier}
                and bands.applies(line.above_tokens, band)
            ]
            yield place[0], fitting

    def has_lines(self, route: Route) -> bool:
        """Whether there is a price for calls of a route, whenever in force, as known today."""
        places = set(_places(route, self._names))
        return any(
            line.known(None)
            for place, lines in self._lines.items()
            if place[:3] in places
            for line in lines
        )

    def of_base(self, line: PriceLine) -> list[PriceLine]:
        """The lines and volume steps with the same base as ``line``, whenever they held."""
        beside = self._lines.get((line.book, line.provider, line.model, line.meter), ())
        return [each for each in beside if each.base == line.base]

    def changes(self, route: Route) -> "Epochs":
        """When the prices of a route, or what is known of them, change.

        Between two of these they are the same for calls that are priced by what was known at
        their own time, or all by one moment.
        """
        moments: set[datetime] = set()
        for place in _places(route, self._names):
            moments |= self._changes.get(place, set())
        if route.provider is not None:
            moments |= self.discounts.changes(route.provider)
        return Epochs(tuple(sorted(moments)))


def _particular(line: PriceLine) -> tuple[str, str, int]:
    return line.region, line.service_tier, line.above_tokens


@dataclass(frozen=True, slots=True)
class Epochs:
    """Moments (UTC, ascending) that cut time into stretches of unchanged prices."""

    moments: tuple[datetime, ...]

    def of(self, at: datetime) -> int:
        """The number of the stretch that holds ``at``."""
        return bisect_right(self.moments, at)

    def also(self, moments: Iterable[datetime]) -> "Epochs":
        """Cut at these, too."""
        return Epochs(tuple(sorted({*self.moments, *moments})))
