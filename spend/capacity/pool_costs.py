"""What an hour of a pool costs: the sum of named components, each exact.

Amounts for a time (rent, racks, people) and amounts for a term (reservations, depreciation) are
spread over real hours (``spend/capacity/spreading.py``). Energy is kWh x PUE x tariff, rounded once
an hour to 1e-12, half to even.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from spend import money
from spend.capacity.energy import MeasuredHour
from spend.capacity.spreading import accrued, accrued_of_term, months_later
from spend.capacity.tariffs import Tariff, price_of_hour

DEPRECIATION: Final = "depreciation"
ENERGY: Final = "energy"
UNITS: Final = "units"
SEATS: Final = "seats"
RENTS: Final = ("rental", "reservation")
KINDS: Final = (
    *RENTS,
    DEPRECIATION,
    ENERGY,
    UNITS,
    SEATS,
    "colocation",
    "support",
    "licences",
    "network",
    "engineering",
    "other",
)
"""Kinds of components, as finance books them."""
NEVER_BILLED: Final = (DEPRECIATION,)
NOT_BILLED: Final = (DEPRECIATION, "engineering")
"""Kinds that are on nobody's invoice unless the component says so."""
DISPOSAL: Final = "disposal"
"""Kind of the part that stands for what was left of something when it went out of service."""

_MILLIJOULES_PER_KWH: Final = 3_600_000_000
_HOUR: Final = timedelta(hours=1)
_US: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Recurring:
    """So much each hour, day, month or year, times a quantity: GPUs, racks, hours, people."""

    amount: Decimal
    per: str
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class ForTerm:
    """So much for a term of months from the component's beginning: paid in advance."""

    amount: Decimal
    months: int
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Depreciation:
    """Price less residual value in a straight line over the hours of a life of months."""

    purchase: Decimal
    residual: Decimal
    life_months: int
    disposed_for: Decimal | None = None
    """What was had for it when it went out of service early; None: its residual value."""


@dataclass(frozen=True, slots=True)
class Energy:
    """Watts at the wall of the machines, times PUE for the building around them."""

    tariffs: tuple[Tariff, ...]
    watts: Decimal = Decimal(0)
    """Drawn when busy the whole hour."""
    idle_watts: Decimal = Decimal(0)
    """Drawn when nothing runs; in between in proportion."""
    pue: Decimal = Decimal(1)
    measured: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Resource attributes of those whose energy counts, where it is measured; empty: nobody's."""


@dataclass(frozen=True, slots=True)
class Component:
    """One reason why a pool costs something, while it is in force."""

    name: str
    kind: str
    valid_from: datetime
    """UTC; of something that was bought, when it went into service."""
    valid_to: datetime | None
    terms: Recurring | ForTerm | Depreciation | Energy
    billed: bool
    """Whether it is on somebody's invoice."""
    zone: str = "UTC"
    source: str | None = None
    """Who says so: a contract, an invoice; and where it is found."""
    reference: str | None = None

    @property
    def ends(self) -> datetime | None:
        """When it costs no more, by itself or as it was ended."""
        if isinstance(self.terms, ForTerm):
            own = months_later(self.valid_from, self.terms.months, self.zone)
        elif isinstance(self.terms, Depreciation):
            own = months_later(self.valid_from, self.terms.life_months, self.zone)
        else:
            return self.valid_to
        return own if self.valid_to is None else min(own, self.valid_to)

    def holds_in(self, hour: datetime) -> bool:
        """Whether it is in force in some of the hour that begins so (UTC)."""
        return self.valid_from < hour + _HOUR and (self.ends is None or hour < self.ends)


@dataclass(frozen=True, slots=True)
class CostPart:
    """What one component costs in one hour, exact."""

    name: str
    kind: str
    billed: bool
    amount: Decimal
    kwh: Decimal | None = None
    """Of energy: at the machines, without PUE, 6 decimals; and how much of it was measured."""
    measured_kwh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class HourCost:
    """What a pool costs in one hour."""

    parts: tuple[CostPart, ...]

    @property
    def amount(self) -> Decimal:
        """All of it."""
        return money.total([part.amount for part in self.parts])

    @property
    def billed(self) -> Decimal:
        """What of it is on somebody's invoice."""
        return money.total([part.amount for part in self.parts if part.billed])

    @property
    def unused(self) -> "HourCost":
        """What of it no call can have used: what was lost by a disposal."""
        return HourCost(tuple(part for part in self.parts if part.kind == DISPOSAL))

    @property
    def running(self) -> "HourCost":
        """The rest, which is split."""
        return HourCost(tuple(part for part in self.parts if part.kind != DISPOSAL))


def hour_cost(
    components: Sequence[Component],
    hour: datetime,
    busy: Fraction,
    measured: Mapping[str, MeasuredHour],
) -> HourCost:
    """What the hour from ``hour`` (UTC) costs, with the pool busy for that share of it.

    ``measured`` is by the component's name. Components that are not in force have no part.
    """
    parts = []
    for component in components:
        start = max(hour, component.valid_from)
        end = min(hour + _HOUR, component.ends or hour + _HOUR)
        if start >= end:
            continue
        if isinstance(component.terms, Energy):
            found = measured.get(component.name)
            parts.append(_energy(component, component.terms, (hour, start, end), busy, found))
            continue
        atoms = _accrued(component, end) - _accrued(component, start)
        parts.append(_part(component, component.kind, atoms))
        left = left_over(component)
        if left is not None and end == component.valid_to:
            parts.append(_part(component, DISPOSAL, money.atoms(left)))
    return HourCost(tuple(parts))


def left_over(component: Component) -> Decimal | None:
    """What is lost when something goes out of service before the end of its life; None: nothing.

    Price less what was depreciated until then less what was had for it: negative is a gain.
    """
    terms = component.terms
    end = component.valid_to
    if not isinstance(terms, Depreciation) or end is None:
        return None
    if end >= months_later(component.valid_from, terms.life_months, component.zone):
        return None
    had = terms.residual if terms.disposed_for is None else terms.disposed_for
    done = _accrued(component, end)
    return money.amount(money.atoms(terms.purchase) - done - money.atoms(had))


def _part(component: Component, kind: str, atoms: int) -> CostPart:
    return CostPart(component.name, kind, component.billed, money.amount(atoms))


def _accrued(component: Component, until: datetime) -> int:
    """Of what is spread over time: what has accrued, in whole 1e-12, since some fixed moment."""
    terms, zone = component.terms, component.zone
    if isinstance(terms, Recurring):
        whole = money.atoms(money.EXACT.multiply(terms.amount, terms.quantity))
        return accrued(whole, terms.per, zone, until)
    if isinstance(terms, ForTerm):
        whole = money.atoms(money.EXACT.multiply(terms.amount, terms.quantity))
        months = terms.months
    elif isinstance(terms, Depreciation):
        whole = money.atoms(money.EXACT.subtract(terms.purchase, terms.residual))
        months = terms.life_months
    else:
        raise TypeError("energy is not spread over time")
    end = months_later(component.valid_from, months, zone)
    return accrued_of_term(whole, component.valid_from, end, until)


def _energy(
    component: Component,
    energy: Energy,
    when: tuple[datetime, datetime, datetime],
    busy: Fraction,
    measured: MeasuredHour | None,
) -> CostPart:
    hour, start, end = when
    price = price_of_hour(energy.tariffs, hour, start, end)
    covered = Fraction(0) if measured is None else measured.covered
    heard = (
        Fraction(0) if measured is None else Fraction(measured.millijoules, _MILLIJOULES_PER_KWH)
    )
    idle = Fraction(energy.idle_watts)
    drawn = (idle + (Fraction(energy.watts) - idle) * busy) / 1000
    kwh = heard + drawn * (1 - covered)
    cost = round(kwh * Fraction(energy.pue) * price * 10**money.ATOM_DIGITS)
    inside = Fraction((end - start) // _US, _HOUR // _US)
    return CostPart(
        component.name,
        component.kind,
        component.billed,
        money.amount(cost),
        kwh=_shown(kwh * inside),
        measured_kwh=_shown(heard * inside),
    )


def _shown(kwh: Fraction) -> Decimal:
    return Decimal(round(kwh * 10**6)).scaleb(-6, money.EXACT)
