"""Splits hours of pools over the calls that used them, and posts what the ledger lacks for it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from spend import money
from spend.calls import Owner, Route
from spend.ids import content_id
from spend.meters import METER_NAMES
from spend.pools import (
    HOUR,
    IDLE_METER,
    IDLE_OWNER,
    POOL_METER,
    HourSplit,
    Pool,
    hour_of,
    pool_of,
    split_hour,
    work_units,
)
from store import dictionaries, ledger, parties
from store.ledger import ALLOCATION, NewCharge, Place
from store.tables.heard import owners, routes

_NOTHING: Final = Decimal(0)
Line = tuple[Place, str]
"""Where a line of a pool is posted: place, and meter."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one place of the ledger did on a pool."""

    place: Place
    units: int
    timed_us: int


def split_hours(
    session: Session, tenant: int, pools: Sequence[Pool], pool: Pool, hours: Collection[datetime]
) -> Iterator[NewCharge]:
    """The lines that the ledger lacks for these hours (UTC) of one of ``pools``."""
    if not hours:
        return
    start, end = min(hours), max(hours) + HOUR
    done = _work(session, tenant, pools, pool, start, end)
    posted: dict[datetime, dict[Line, tuple[Decimal, Decimal]]] = defaultdict(dict)
    found = ledger.posted_for_pool(session, tenant, pool.id, start, end)
    for line, value in found.items():
        posted[hour_of(line[0][0])][line] = value
    _remember_idle(session, tenant, pool)
    for hour in sorted(hours):
        target = _target(pool, hour, done[hour]) if pool.in_force(hour) else {}
        yield from _lacking(pool, target, posted[hour])


def _work(
    session: Session,
    tenant: int,
    pools: Sequence[Pool],
    pool: Pool,
    start: datetime,
    end: datetime,
) -> dict[datetime, list[Work]]:
    """What ran on the pool, by hour, in the order of the ledger's places."""
    can_run = {
        id_: route
        for id_, route in parties.routes_of(session, tenant).items()
        if pool.fits_route(route)
    }
    used = ledger.pool_usage(session, tenant, list(can_run), start, end)
    payers = parties.owners_of(session, tenant, {row.owner_id for row in used})
    runs_on = PoolFinder(pools, can_run, payers)
    done: dict[datetime, list[Work]] = defaultdict(list)
    for row in used:
        place = (row.slot, row.owner_id, row.route_id, row.band)
        if runs_on.pool_of(*place[:3]) == pool:
            usage = {name: int(getattr(row, name)) for name in METER_NAMES}
            done[hour_of(row.slot)].append(Work(place, work_units(usage), int(row.timed_us)))
    return done


class PoolFinder:
    """Finds the pool that a cell runs on; remembers which pools fit an owner and a route."""

    def __init__(
        self, pools: Sequence[Pool], called: dict[int, Route], payers: dict[int, Owner]
    ) -> None:
        self._pools = pools
        self._routes = called
        self._owners = payers
        self._fitting: dict[tuple[int, int], list[Pool]] = {}

    def pool_of(self, slot: datetime, owner_id: int, route_id: int) -> Pool | None:
        """The pool in force that the cell's calls ran on; of several the one declared first."""
        route, owner = self._routes[route_id], self._owners[owner_id]
        key = (owner_id, route_id)
        if key not in self._fitting:
            self._fitting[key] = [pool for pool in self._pools if pool.fits(route, owner)]
        fitting = self._fitting[key]
        return pool_of(fitting, route, owner, slot) if fitting else None


def _target(
    pool: Pool, hour: datetime, done: Sequence[Work]
) -> dict[Line, tuple[Decimal, Decimal]]:
    """What the ledger is to say of one hour: its cost, all of it."""
    split: HourSplit = split_hour(
        pool.cost_per_hour,
        [work.units for work in done],
        capacity=pool.capacity_per_hour,
        timed_us=sum(work.timed_us for work in done),
    )
    lines = {
        (work.place, POOL_METER): (Decimal(work.units), part)
        for work, part in zip(done, split.parts, strict=True)
    }
    idle = (hour, content_id(IDLE_OWNER), content_id(pool.idle_route), 0)
    lines[idle, IDLE_METER] = (split.idle_units, split.idle)
    return lines


def _lacking(
    pool: Pool,
    target: dict[Line, tuple[Decimal, Decimal]],
    posted: dict[Line, tuple[Decimal, Decimal]],
) -> Iterator[NewCharge]:
    for line in sorted(target.keys() | posted.keys()):
        quantity, amount = (
            money.EXACT.subtract(new, old)
            for new, old in zip(
                target.get(line, (_NOTHING, _NOTHING)),
                posted.get(line, (_NOTHING, _NOTHING)),
                strict=True,
            )
        )
        if not quantity and not amount:
            continue
        (slot, owner_id, route_id, band), meter = line
        yield NewCharge(
            kind=ALLOCATION,
            slot=slot,
            owner_id=owner_id,
            route_id=route_id,
            band=band,
            meter=meter,
            price_id=None,
            pool_id=pool.id,
            quantity=quantity,
            amount=amount,
            method=pool.method,
        )


def _remember_idle(session: Session, tenant: int, pool: Pool) -> None:
    """The idle line has an owner and a route like any other."""
    known = dictionaries.Known()
    route = pool.idle_route
    dictionaries.remember(session, tenant, owners, {content_id(IDLE_OWNER): IDLE_OWNER}, known)
    dictionaries.remember(session, tenant, routes, {content_id(route): route}, known)
