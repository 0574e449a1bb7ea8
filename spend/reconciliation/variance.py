"""Why a bill and our estimate differ: values of the comparison.

*Variance* is billed less estimated, in the bill's currency, in parts that each have one reason and
add up to it, to the last 1e-12. How it is found: ``spend/reconciliation/reconcile.py``;
docs/reconcile.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Final

from spend.money import EXACT, ROUNDING
from spend.periods import Period
from spend.reconciliation.bills import USAGE

LAG: Final = timedelta(days=3)
"""How far apart a provider's count of usage and ours may be, and still be the same usage."""

DEFAULT_PERCENT: Final = Decimal(1)
DEFAULT_UNITS: Final = Decimal(5)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much a bill and our estimate may differ: what is larger of the two."""

    percent: Decimal = DEFAULT_PERCENT
    """Of what is billed."""
    units: Decimal = DEFAULT_UNITS
    """Of the bill's currency."""

    def of(self, billed: Decimal) -> Decimal:
        """The largest difference that is let through."""
        share = EXACT.multiply(billed.copy_abs(), self.percent.scaleb(-2, EXACT))
        return max(share, self.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """What the ledger says that usage of a piece of time cost, summed."""

    piece: Period
    """A day, or where the bill has no days, its period; UTC."""
    kind: str = USAGE
    """USAGE, CREDIT (what a commitment covers) or FEE (what was paid for one)."""
    model: str | None
    """As called."""
    listed: str | None = None
    """The same as a public list has it, where it is known."""
    meter: str | None
    """None: not of the price book, such as the hours of a pool."""
    region: str | None = None
    service_tier: str | None = None
    quantity: Decimal
    """In the meter's unit."""
    amount: Decimal = Decimal(0)
    """As it should be billed."""
    currency: str
    unpriced: bool = False
    """Whether it has no price: then the amount says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What a bill says of a piece of time, summed over lines that say the same."""

    piece: Period
    kind: str
    """One of ``spend/reconciliation/bills.py``."""
    account: str | None = None
    model: str | None = None
    listed: str | None = None
    """As of Estimated."""
    meter: str | None = None
    region: str | None = None
    service_tier: str | None = None
    description: str | None = None
    """Of what is for no model."""
    unit: str | None = None
    quantity: Decimal | None
    """None: some of it does not tell."""
    amount: Decimal
    rate: Decimal | None = None
    """What one unit of the price's currency is in the bill's, where the bill tells it."""
    elsewhere: bool = False
    """Whether another bill says so, of another period: it is only looked at for timing."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """A variance by its reasons. Each may have any sign."""

    price: Decimal = Decimal(0)
    """Of what both count, at another unit price."""
    more: Decimal = Decimal(0)
    """Of models that we heard, more is billed than we heard: at our price."""
    less: Decimal = Decimal(0)
    """Less is billed than we heard, or nothing."""
    scope: Decimal = Decimal(0)
    """What we never heard of."""
    timing: Decimal = Decimal(0)
    """What is billed on another day than we count it, or in another period."""
    credits: Decimal = Decimal(0)
    """Credits, refunds and adjustments of the bill, less those that we counted on."""
    fx: Decimal = Decimal(0)
    """Our estimate at the provider's rate, less the same at ours."""
    tax_and_fees: Decimal = Decimal(0)
    """Less what we paid for commitments."""

    @property
    def quantity(self) -> Decimal:
        """More and less, together."""
        return EXACT.add(self.more, self.less)

    @property
    def total(self) -> Decimal:
        """Billed less estimated."""
        return reduce(EXACT.add, _amounts(self))

    def plus(self, other: "Buckets") -> "Buckets":
        """The exact sum, each by itself."""
        return Buckets(*map(EXACT.add, _amounts(self), _amounts(other)))

    @property
    def is_nothing(self) -> bool:
        """Whether each is 0."""
        return not any(_amounts(self))


BUCKETS: Final = tuple(each.name for each in fields(Buckets))
NO_DIFFERENCE: Final = Buckets()


def _amounts(buckets: Buckets) -> tuple[Decimal, ...]:
    return tuple(getattr(buckets, name) for name in BUCKETS)


def summed(buckets: Iterable[Buckets]) -> Buckets:
    """The sum of many."""
    return reduce(Buckets.plus, buckets, NO_DIFFERENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One thing that is billed or was heard: a meter of a model, or what else is on a bill."""

    kind: str
    """Of ``spend/reconciliation/bills.py``."""
    model: str | None
    meter: str | None = None
    """None: all of the model together, as the bill does not tell them apart."""
    region: str | None = None
    service_tier: str | None = None
    description: str | None = None
    heard_quantity: Decimal | None
    """Units; None: it is no usage."""
    billed_quantity: Decimal | None
    """None: the bill does not tell."""
    estimated: Decimal
    """In the bill's currency, at our rate."""
    billed: Decimal
    buckets: Buckets
    heard: bool
    """Whether we ever heard of it in the time that was looked at."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what is billed we heard of."""

    estimated: Decimal
    billed: Decimal
    unit: str
    """``token``, or ``money`` where the bill tells no tokens."""

    def plus(self, other: "Coverage") -> "Coverage":
        """Of both together, in the same unit."""
        estimated = EXACT.add(self.estimated, other.estimated)
        return Coverage(estimated, EXACT.add(self.billed, other.billed), self.unit)

    @property
    def share(self) -> Decimal | None:
        """Estimated by billed, with 6 decimals; None: nothing is billed."""
        if not self.billed:
            return None
        share = ROUNDING.divide(self.estimated, self.billed)
        return share.quantize(Decimal("0.000001"), context=ROUNDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """A bill beside the estimate of its provider and period."""

    period: Period
    currency: str
    lines: tuple[Compared, ...]
    """The largest difference first."""
    days: Mapping[Period, Buckets]
    """By the day that it is billed or estimated on; of a bill without days, its period alone."""
    coverage: Coverage
    models: Mapping[str, Coverage]
    rates: Mapping[str, tuple[Decimal, bool]] = field(default_factory=dict)
    """Currency of estimates -> the provider's rate into the bill's, and whether the bill tells it.
    """
    sources: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Currency of estimates -> what is estimated in it, and the same in the bill's at our rate."""
    notes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """A model as we or the bill call it -> as it is called in ``lines``."""

    @property
    def buckets(self) -> Buckets:
        """The whole variance by its reasons."""
        return summed(each.buckets for each in self.lines)

    @property
    def estimated(self) -> Decimal:
        """In the bill's currency, at our rate."""
        return reduce(EXACT.add, (each.estimated for each in self.lines), Decimal(0))

    @property
    def billed(self) -> Decimal:
        """The bill's total."""
        return reduce(EXACT.add, (each.billed for each in self.lines), Decimal(0))

    @property
    def difference(self) -> Decimal:
        """Billed less estimated."""
        return EXACT.subtract(self.billed, self.estimated)
