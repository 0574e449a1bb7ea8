"""What a call's usage costs by the price book: each meter times its price line.

The rules, as providers' billing pages have them (docs/prices.md):
- a cache meter without a price of its own is charged like the next of ``FALLBACKS``; the input of
  an embedding like ``embeddings``, where that has a price;
- audio and images are parts of input or output: where one has a price, that part is charged at it
  and the rest as text, else all of it as text;
- reasoning is a part of output and never charged apart;
- requests and tool calls are charged where they have a price; images that were made and seconds of
  audio too, and they must have one where the model's tokens have none;
- usage is priced when every meter that is charged has a line; else it costs nothing we know.

A public price is first raised by the surcharge of its region, then lowered by the discount that
was agreed; a contract's price is final. A list price in another currency than the contract's is no
price to compare it with: nothing is converted here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.calls import Route
from spend.meters import DISJOINT, WORK
from spend.prices.discounts import DISCOUNT, UPLIFT, Asked, Discount, lowered, raised
from spend.prices.prices import CONTRACT, PriceBook, PriceLine, tier_of

METHOD: Final = "price-book/2"
"""Written on every charge that this made."""

FALLBACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "cache_read": ("input",),
    "cache_write": ("cache_write_5m", "input"),
    "cache_write_5m": ("cache_write", "input"),
    "cache_write_1h": ("cache_write_5m", "cache_write", "input"),
}
"""Meter -> meters whose price it takes when it has none."""

PARTS: Final[Mapping[str, str]] = {
    "input_audio": "input",
    "output_audio": "output",
    "input_image": "input",
    "output_image": "output",
}
"""A meter that can be charged apart -> the meter that it is a part of."""

EMBEDDINGS: Final = "embeddings"
"""A meter of prices only: the input of calls of the operation of this name."""

REQUESTS: Final = "requests"
"""Calls that ended well. No column counts it, as every cell knows its calls."""

EXTRAS: Final = (REQUESTS, "tool_calls")
"""Charged where there is a price for it; else it belongs to what the call costs anyway."""

WHOLES: Final = ("images", "seconds")
"""What a call made or heard: it has to have a price where the model's tokens have none."""

CHARGED: Final = (*DISJOINT, *PARTS, *EXTRAS, *WHOLES)
"""Every meter that a charge can be for."""

PRICED: Final = (*CHARGED, EMBEDDINGS)
"""Every meter that a price line can be for."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What 1,000,000 units of a meter cost, at list price and as contracted, and why."""

    price: PriceLine
    unit_price: Decimal
    """6 decimals, as the next."""
    list_unit_price: Decimal | None
    """What the public list asks, with the surcharge of the region, in the price's currency; None:
    it does not say, or it asks in another one."""
    uplift: Discount | None = None
    discount: Discount | None = None
    steps: "tuple[Rate, ...]" = ()
    """Where the price depends on the volume of the month: of each step, the first from 0 on."""


@dataclass(frozen=True, slots=True)
class Line:
    """One meter of a call, charged."""

    meter: str
    quantity: int
    rate: Rate
    amount: Decimal

    @property
    def price(self) -> PriceLine:
        """The line of the book."""
        return self.rate.price

    @property
    def list_amount(self) -> Decimal | None:
        """What it would cost at list prices; None: unknown."""
        asked = self.rate.list_unit_price
        return None if asked is None else money.cost(self.quantity, asked)


@dataclass(frozen=True, slots=True)
class Rates:
    """The prices of all meters of a route in one band, over a time when none changes."""

    lines: Mapping[str, Rate]
    """By the meter they are charged for, which is the line's own or one that falls back on it."""

    @property
    def by_tokens(self) -> bool:
        """Whether the model is sold by tokens, as far as is known."""
        return any(meter in self.lines for meter in DISJOINT)

    @property
    def by_request(self) -> bool:
        """Whether it is sold by nothing but requests: then a call need not say what it used."""
        return REQUESTS in self.lines and not any(meter in self.lines for meter in WORK)

    def is_charged(self, meter: str) -> bool:
        """Whether what was used of a meter that is no part of another has to have a price."""
        return meter in DISJOINT or meter in self.lines or (meter in WHOLES and not self.by_tokens)

    def quantities(self, usage: Mapping[str, int]) -> dict[str, int]:
        """How much of each meter is charged. Meters with nothing are left out."""
        charged = {
            meter: usage.get(meter, 0)
            for meter in (*DISJOINT, *EXTRAS, *WHOLES)
            if self.is_charged(meter)
        }
        for part, whole in PARTS.items():
            if part in self.lines:
                charged[part] = min(usage.get(part, 0), charged[whole])
                charged[whole] -= charged[part]
        return {meter: quantity for meter, quantity in charged.items() if quantity}

    def charge(self, usage: Mapping[str, int]) -> list[Line] | None:
        """A call's or a cell's lines; None when something that was used has no price.

        ``usage`` may hold REQUESTS. Prices that depend on the month's volume: the first step.
        """
        lines = []
        for meter, quantity in self.quantities(usage).items():
            rate = self.lines.get(meter)
            if rate is None:
                return None
            lines.append(Line(meter, quantity, rate, money.cost(quantity, rate.unit_price)))
        return lines


def rates(
    book: PriceBook, route: Route, *, band: int, at: datetime, known_at: datetime | None = None
) -> Rates:
    """The prices of a call of ``route`` whose prompt is in ``band`` and that starts at ``at``.

    ``known_at`` is K of its slot (``spend/prices/knowledge.py``); None: by what is known today.
    """
    call = _Call(book, route, band, at)
    found: dict[str, Rate] = {}
    for meter in CHARGED:
        moment = known_at
        if known_at is not None:
            moment = call.priced_from(meter, known_at)
            if moment is None:
                continue
        rate = call.rate(meter, moment)
        if rate is not None:
            found[meter] = rate
    return Rates(found)


@dataclass(frozen=True, slots=True)
class _Call:
    """What a book is asked for."""

    book: PriceBook
    route: Route
    band: int
    at: datetime

    def candidates(self, meter: str) -> tuple[str, ...]:
        """Meters whose price a meter can have, best first."""
        if meter == "input" and self.route.operation == EMBEDDINGS:
            return EMBEDDINGS, meter
        return meter, *FALLBACKS.get(meter, ())

    def priced_from(self, meter: str, known_at: datetime) -> datetime | None:
        """By which moment of knowledge a meter is priced; None: there never was a price."""
        if meter in EXTRAS:
            # They go by what was known when the call was priced, if it was by what it read.
            return self._priced_from("input", known_at) or self._priced_from(meter, known_at)
        return self._priced_from(PARTS.get(meter, meter), known_at)

    def _priced_from(self, meter: str, known_at: datetime) -> datetime | None:
        return self.book.priced_from(
            self.route, self.candidates(meter), band=self.band, at=self.at, known_at=known_at
        )

    def rate(self, meter: str, known_at: datetime | None) -> Rate | None:
        """The price of a meter as known at a moment; None: there is none."""
        for candidate in self.candidates(meter):
            lines = self.book.steps(
                self.route, candidate, band=self.band, at=self.at, known_at=known_at
            )
            if lines:
                public = self._public(meter, known_at)
                steps = tuple(self._rate(line, public, known_at) for line in lines)
                return steps[0] if len(steps) == 1 else replace(steps[0], steps=steps)
        return None

    def _public(self, meter: str, known_at: datetime | None) -> PriceLine | None:
        """What the list has instead of our contract; a part that it has no price for as text."""
        whole = PARTS.get(meter)
        for candidate in (*self.candidates(meter), *([whole] if whole else ())):
            line = self.book.line(
                self.route,
                candidate,
                band=self.band,
                at=self.at,
                known_at=known_at,
                public=True,
            )
            if line is not None:
                return line
        return None

    def _rate(self, line: PriceLine, public: PriceLine | None, known_at: datetime | None) -> Rate:
        if line.book != CONTRACT:
            public = line
        if public is None or public.currency != line.currency:
            return Rate(line, line.unit_price, None)
        uplift = None if public.region else self._applying(UPLIFT, public, known_at)
        asked = raised(public.unit_price, uplift)
        if line.book == CONTRACT:
            return Rate(line, line.unit_price, asked, uplift)
        discount = self._applying(DISCOUNT, line, known_at)
        return Rate(line, lowered(asked, discount), asked, uplift, discount)

    def _applying(self, kind: str, line: PriceLine, known_at: datetime | None) -> Discount | None:
        if self.route.provider is None or self.route.model is None:
            return None
        asked = Asked(
            provider=self.route.provider,
            models=(self.route.model, line.model),
            region=self.route.region,
            service_tier=tier_of(self.route.service_tier),
            meter=line.meter,
        )
        return self.book.discounts.applying(kind, asked, at=self.at, known_at=known_at)
