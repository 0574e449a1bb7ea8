"""Pools: capacity that is paid for by the hour, split over the calls that used it.

The method ``work-units-v1``: a call's work is its uncached input plus four times its output (a
token put out costs about as much machine time as four read; tokens found in the cache cost
nothing). The busy share of the hour is split by work, the rest is idle and a line of its own. The
parts always add up to the hour's cost. docs/pools.md
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from spend import money
from spend.calls import Owner, Route
from spend.meters import CACHE_WRITES
from spend.owners import IDLE
from spend.patterns import fits_one
from spend.providers import SELF_HOSTED

METHOD: Final = "work-units-v1"
OUTPUT_WEIGHT: Final = 4

HOUR: Final = timedelta(hours=1)
_HOUR_US: Final = 3_600_000_000

POOL_METER: Final = "pool"
IDLE_METER: Final = "idle"
"""On charges: a share of a pool-hour that calls used, and the share that none did."""

IDLE_OWNER: Final = Owner(team=IDLE, rule="capacity of a pool that no call used")

ROUTE_DIMENSIONS: Final = ("provider", "model", "server", "deployment", "region")
OWNER_DIMENSIONS: Final = ("service", "project", "environment")
DIMENSIONS: Final = (*ROUTE_DIMENSIONS, *OWNER_DIMENSIONS)
"""What a pool can be matched by."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Capacity that costs the same every hour from ``valid_from`` to ``valid_to`` (UTC hours)."""

    name: str
    valid_from: datetime
    valid_to: datetime | None
    cost_per_hour: Decimal
    currency: str
    match: Mapping[str, Sequence[str]]
    """Dimension -> values, of which one must fit; all dimensions must. ``*`` at the end fits any
    continuation."""
    provider: str
    """What its idle line shows as provider."""
    region: str | None = None
    capacity_per_hour: Decimal | None = None
    """Work units; None: it is busy while a call is in flight."""
    method: str = METHOD
    id: int = 0
    """0 until it is stored."""
    charged_to: datetime | None = None
    """Every hour that began before is posted; None: look at all its hours again."""

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


def pool_of(pools: Iterable[Pool], route: Route, owner: Owner, at: datetime) -> Pool | None:
    """The pool that a call at ``at`` runs on: of several the one declared first."""
    fitting = [pool for pool in pools if pool.in_force(at) and pool.fits(route, owner)]
    return min(fitting, key=lambda pool: pool.id, default=None)


def hour_of(moment: datetime) -> datetime:
    """The start of the UTC hour that holds ``moment``."""
    return moment.replace(minute=0, second=0, microsecond=0)


def work_units(usage: Mapping[str, int]) -> int:
    """The work of a call or a cell. What was written to a cache was read in full first."""
    uncached = usage.get("input", 0) + sum(usage.get(meter, 0) for meter in CACHE_WRITES)
    return uncached + OUTPUT_WEIGHT * usage.get("output", 0)


@dataclass(frozen=True, slots=True)
class HourSplit:
    """An hour's cost: ``idle + sum(parts)`` is all of it."""

    parts: tuple[Decimal, ...]
    """One for each given work, in order."""
    idle: Decimal
    idle_units: Decimal
    """Work that it could still have done; 0 where its capacity is not declared."""


def split_hour(
    cost: Decimal, work: Sequence[int], *, capacity: Decimal | None, timed_us: int
) -> HourSplit:
    """Splits one hour of a pool over what used it.

    ``timed_us`` is the time that calls took together, in microseconds: without a declared capacity
    the pool was busy for that long, at most the hour. An hour in which no work is known is idle.
    """
    done = sum(work)
    if capacity is None:
        busy = min(timed_us, _HOUR_US)
        shares = [busy, _HOUR_US - busy]
        unused = Decimal(0)
    else:
        # Work units have at most 6 decimals, as declared.
        full = int(capacity.scaleb(6, money.EXACT))
        busy = min(done * 10**6, full)
        shares = [busy, full - busy]
        unused = Decimal(full - busy).scaleb(-6, money.EXACT)
    if done == 0:
        return HourSplit(tuple(money.amount(0) for _ in work), money.total([cost]), unused)
    busy_cost, idle = money.split(cost, shares)
    return HourSplit(money.split(busy_cost, work), idle, unused)
