"""What changes list prices: surcharges of regions (*uplifts*), and discounts that were agreed.

Both are per cent, for the models of a provider by a pattern. The uplift comes first, on a public
price that is for every region; the discount on what that gives. Each result is a unit price of 6
decimals, so a quantity times it is exact. A contract line is a price of its own: final.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from spend import money
from spend.patterns import fits_one
from spend.prices.knowledge import was_known

DISCOUNT: Final = "discount"
UPLIFT: Final = "uplift"

PERCENT_DIGITS: Final = 6
"""A percentage's decimals; before the point it has three digits at most."""

_WHOLE: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Discount:
    """So many per cent less (or, an uplift, more) than the list's price, over a time (UTC)."""

    kind: str
    """DISCOUNT or UPLIFT."""
    provider: str
    model: str
    """A model's name, as called or as listed; with ``*`` at the end all that begin so."""
    percent: Decimal
    """0 to 100 of a discount, 0 to 999.999999 of an uplift."""
    valid_from: datetime
    valid_to: datetime | None = None
    """Exclusive; None: no end."""
    region: str = ""
    """'' is every region; so with the next two."""
    service_tier: str = ""
    meter: str = ""
    """Of the price line: what is charged as input has the discount of input."""
    source: str = ""
    reference: str | None = None
    entered_by: str | None = None
    known_from: datetime | None = None
    """None: ever since."""
    known_to: datetime | None = None
    id: int | None = None
    """None until it is stored."""

    def in_force(self, at: datetime) -> bool:
        """Whether it holds for calls that start at ``at``."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def known(self, at: datetime | None) -> bool:
        """Whether it was believed at a moment; None: as far as is known today."""
        return was_known(self.known_from, self.known_to, at)

    @property
    def subject(self) -> tuple[str, str, str, str, str, str]:
        """What it changes: two of one subject never hold at one time."""
        return (
            self.kind,
            self.provider,
            self.model,
            self.region,
            self.service_tier,
            self.meter,
        )

    @property
    def effect(self) -> tuple[object, ...]:
        """What it does, whoever said it, for whatever term."""
        return (*self.subject, self.percent)

    @property
    def stretch(self) -> tuple[object, ...]:
        """What it changes, and when: no two of one moment of knowledge share it."""
        return (*self.subject, self.valid_from, self.valid_to)

    @property
    def said(self) -> tuple[object, ...]:
        """All that it says, whoever said it."""
        return (*self.stretch, self.percent)

    def fits(self, asked: "Asked") -> bool:
        """Whether it is for such a price, whenever that is."""
        return (
            self.provider == asked.provider
            and self.region in {"", asked.region}
            and self.service_tier in {"", asked.service_tier}
            and self.meter in {"", asked.meter}
            and any(fits_one(model, [self.model]) for model in asked.models)
        )

    @property
    def precision(self) -> tuple[int, bool, bool, bool, bool]:
        """Of several that fit the one that says most precisely for what: the greatest."""
        pattern = self.model.endswith("*")
        return (
            len(self.model) - pattern,
            not pattern,
            bool(self.region),
            bool(self.service_tier),
            bool(self.meter),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """The price that a discount is looked for."""

    provider: str
    """Who bills."""
    models: tuple[str, ...]
    """The model as called, and as the list has it."""
    region: str | None
    service_tier: str
    meter: str


class Discounts:
    """All discounts and uplifts, ready to be asked. Never changes."""

    def __init__(self, lines: Iterable[Discount] = ()) -> None:
        self._of: dict[tuple[str, str], list[Discount]] = defaultdict(list)
        for line in lines:
            self._of[line.kind, line.provider].append(line)

    def applying(
        self, kind: str, asked: Asked, *, at: datetime, known_at: datetime | None = None
    ) -> Discount | None:
        """The one for a price at ``at``, as was known at ``known_at`` (None: as it is today)."""
        found = [
            line
            for line in self._of.get((kind, asked.provider), ())
            if line.in_force(at) and line.known(known_at) and line.fits(asked)
        ]
        return max(found, key=lambda each: (each.precision, each.id or 0), default=None)

    def changes(self, provider: str) -> set[datetime]:
        """When any of a provider's begins or ends, or what is known of it changes."""
        return {
            moment
            for kind in (UPLIFT, DISCOUNT)
            for line in self._of.get((kind, provider), ())
            for moment in (line.valid_from, line.valid_to, line.known_from, line.known_to)
            if moment is not None
        }


def raised(unit_price: Decimal, uplift: Discount | None) -> Decimal:
    """The list's price with its surcharge: 6 decimals, half to even."""
    if uplift is None:
        return unit_price
    return _share(unit_price, money.EXACT.add(_WHOLE, uplift.percent))


def lowered(unit_price: Decimal, discount: Discount | None) -> Decimal:
    """What is paid instead of the list's price: 6 decimals, half to even."""
    if discount is None:
        return unit_price
    return _share(unit_price, money.EXACT.subtract(_WHOLE, discount.percent))


def _share(unit_price: Decimal, percent: Decimal) -> Decimal:
    product = money.EXACT.multiply(unit_price, percent)
    return money.quantised(product.scaleb(-2, money.EXACT))
