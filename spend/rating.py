"""What a call's usage costs by the price book: each meter times its price line.

The rules, as providers' billing pages have them (docs/prices.md):
- a cache meter without a price of its own is charged like the next of ``FALLBACKS``;
- audio and images are parts of input or output: where one has a price, that part is charged at it
  and the rest as text, else all of it as text;
- reasoning is a part of output and never charged apart;
- usage is priced when every meter that is charged has a line; else it costs nothing we know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.calls import Route
from spend.meters import DISJOINT
from spend.prices import PriceBook, PriceLine

METHOD: Final = "price-book/1"
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

CHARGED: Final = (*DISJOINT, *PARTS)
"""Every meter that a charge can be for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One meter of a call, charged."""

    meter: str
    quantity: int
    price: PriceLine
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Rates:
    """The price lines of all meters of a route in one band, over a time when none changes."""

    lines: Mapping[str, PriceLine]
    """By the meter they are charged for, which is the line's own or one that falls back on it."""

    def quantities(self, usage: Mapping[str, int]) -> dict[str, int]:
        """How much of each meter is charged. Meters with nothing are left out."""
        charged = {meter: usage.get(meter, 0) for meter in DISJOINT}
        for part, whole in PARTS.items():
            if part in self.lines:
                charged[part] = min(usage.get(part, 0), charged[whole])
                charged[whole] -= charged[part]
        return {meter: quantity for meter, quantity in charged.items() if quantity}

    def charge(self, usage: Mapping[str, int]) -> list[Line] | None:
        """A call's or a cell's lines; None when something that was used has no price."""
        lines = []
        for meter, quantity in self.quantities(usage).items():
            price = self.lines.get(meter)
            if price is None:
                return None
            lines.append(Line(meter, quantity, price, money.cost(quantity, price.unit_price)))
        return lines


def rates(
    book: PriceBook, route: Route, *, band: int, at: datetime, known_at: datetime | None = None
) -> Rates:
    """The prices of a call of ``route`` whose prompt is in ``band`` and that starts at ``at``.

    ``known_at`` is K of its slot (``spend/knowledge.py``); None: by what is known today.
    """
    found: dict[str, PriceLine] = {}
    for meter in CHARGED:
        candidates = (meter, *FALLBACKS.get(meter, ()))
        moment = known_at
        if known_at is not None:
            of = PARTS.get(meter, meter)
            meters = (of, *FALLBACKS.get(of, ()))
            moment = book.priced_from(route, meters, band=band, at=at, known_at=known_at)
            if moment is None:
                continue
        for candidate in candidates:
            line = book.line(route, candidate, band=band, at=at, known_at=moment)
            if line is not None:
                found[meter] = line
                break
    return Rates(found)
