"""Pools: capacity that is paid for by the hour, and which calls run on it.

What an hour of one costs is the sum of its components (``spend/capacity/pool_costs.py``). Its busy
share is split over the calls that used it (``spend/capacity/splitting.py``), the rest is idle and a
line of its own. The parts always add up to the hour's cost. docs/pools.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from spend import money
from spend.calls import Owner, Route
from spend.capacity.pool_costs import UNITS, Component, Recurring
from spend.capacity.splitting import OUTPUT_WEIGHT, WORK_UNITS
from spend.capacity.spreading import HOUR as PER_HOUR
from spend.owners import IDLE
from spend.patterns import fits_one
from spend.providers import SELF_HOSTED

RENTED: Final = "rented"
OWNED: Final = "owned"
PROVISIONED: Final = "provisioned"
SUBSCRIPTION: Final = "subscription"
KINDS: Final = (RENTED, OWNED, PROVISIONED, SUBSCRIPTION)

HOUR: Final = timedelta(hours=1)

POOL_METER: Final = "pool"
IDLE_METER: Final = "idle"
"""On charges: a share of a pool-hour that calls used, and the share that none did."""

IDLE_OWNER: Final = Owner(team=IDLE, rule="capacity of a pool that no call used")

ROUTE_DIMENSIONS: Final = (
    "provider",
    "model",
    "server",
    "deployment",
    "region",
    "request_model",
    "operation",
    "service_tier",
)
OWNER_DIMENSIONS: Final = ("service", "project", "environment", "feature", "customer", "team")
DIMENSIONS: Final = (*ROUTE_DIMENSIONS, *OWNER_DIMENSIONS)
"""What a pool can be matched by."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Capacity that is paid for every hour from ``valid_from`` to ``valid_to`` (UTC hours)."""

    name: str
    valid_from: datetime
    valid_to: datetime | None
    cost_per_hour: Decimal | None
    """All of it; None where it has components."""
    currency: str
    match: Mapping[str, Sequence[str]]
    """Dimension -> values, of which one must fit; all dimensions must. ``*`` at the end fits any
    continuation."""
    provider: str
    """What its idle line shows as provider."""
    region: str | None = None
    capacity_per_hour: Decimal | None = None
    """Work units; None: it is busy while a call is in flight."""
    method: str = WORK_UNITS
    id: int = 0
    """0 until it is stored."""
    charged_to: datetime | None = None
    """Every hour that began before is posted; None: look at all its hours again."""
    kind: str = RENTED
    components: tuple[Component, ...] = ()
    zone: str = "UTC"
    """Whose clock its months and days go by, as far as a component says nothing else."""
    capacity_per_unit: Decimal | None = None
    """Work units of an hour of one provisioned unit."""
    seats: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Team -> seats of a subscription; empty: it is split by use."""
    output_weight: Decimal = OUTPUT_WEIGHT
    """Work of a token put out, of one that is read."""

    def in_force(self, at: datetime) -> bool:
        """Whether it is paid for at ``at``."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def fits(self, route: Route, owner: Owner) -> bool:
        """Whether a call runs on it, whenever that is."""
        return self.fits_route(route) and all(
            fits_one(getattr(owner, dimension), self.match[dimension])
            for dimension in OWNER_DIMENSIONS
            if dimension in self.match
        )

    def fits_route(self, route: Route) -> bool:
        """Whether a call of ``route`` can run on it, as far as the route says."""
        return all(
            fits_one(getattr(route, dimension), self.match[dimension])
            for dimension in ROUTE_DIMENSIONS
            if dimension in self.match
        )

    @property
    def idle_route(self) -> Route:
        """What its idle line shows as called."""
        return Route(provider=self.provider, deployment=SELF_HOSTED, region=self.region)

    @property
    def costs(self) -> tuple[Component, ...]:
        """Why it costs something: its components, or one of its cost an hour."""
        if self.cost_per_hour is None:
            return self.components
        terms = Recurring(self.cost_per_hour, PER_HOUR)
        return (Component("cost per hour", "other", self.valid_from, None, terms, billed=True),)

    def capacity_at(self, hour: datetime) -> Decimal | None:
        """Work units that it can do in an hour that begins so; None: not declared.

        Of provisioned units what those can that are in force when the hour begins.
        """
        if self.capacity_per_unit is None:
            return self.capacity_per_hour
        units = self.quantity_at(UNITS, hour)
        return money.EXACT.multiply(self.capacity_per_unit, units) if units else Decimal(0)

    def quantity_at(self, kind: str, hour: datetime) -> Decimal:
        """How many units, or seats, its components of that kind are for at an hour."""
        total = Decimal(0)
        for each in self.components:
            if each.kind == kind and each.valid_from <= hour < (each.ends or hour + HOUR):
                total += getattr(each.terms, "quantity", Decimal(0))
        return total


def pool_of(pools: Iterable[Pool], route: Route, owner: Owner, at: datetime) -> Pool | None:
    """The pool that a call at ``at`` runs on: of several the one declared first."""
    fitting = [pool for pool in pools if pool.in_force(at) and pool.fits(route, owner)]
    return min(fitting, key=lambda pool: pool.id, default=None)


def hour_of(moment: datetime) -> datetime:
    """The start of the UTC hour that holds ``moment``."""
    return moment.replace(minute=0, second=0, microsecond=0)
