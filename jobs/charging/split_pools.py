"""Splits hours of pools over the calls that used them, and posts what the ledger lacks for it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from spend import money
from spend.calls import Owner, Route
from spend.capacity.energy import MeasuredHour
from spend.capacity.pool_costs import SEATS, Energy, HourCost, hour_cost
from spend.capacity.pools import (
    HOUR,
    IDLE_METER,
    IDLE_OWNER,
    POOL_METER,
    SUBSCRIPTION,
    Pool,
    hour_of,
    pool_of,
)
from spend.capacity.splitting import SEATS as BY_SEATS
from spend.capacity.splitting import Busy, Weights, busy_of, split_hour, weigh, work_units
from spend.ids import content_id
from spend.meters import METER_NAMES
from store import dictionaries, parties
from store.capacity import pool_hours
from store.capacity.pool_hours import Line, PoolHour, Posted
from store.ledger.ledger import ALLOCATION, NewCharge, Place
from store.readings import energy
from store.tables.heard import owners, routes

_ZERO: Final = Decimal(0)
_NOTHING: Final = Posted(_ZERO, _ZERO, _ZERO, _ZERO, _ZERO)


@dataclass(frozen=True, slots=True)
class Work:
    """What one place of the ledger did on a pool."""

    place: Place
    usage: Mapping[str, int]
    timed_us: int


def split_hours(
    session: Session,
    tenant: int,
    pools: Sequence[Pool],
    pool: Pool,
    hours: Collection[datetime],
    *,
    now: datetime,
) -> list[NewCharge]:
    """The lines that the ledger lacks for these hours (UTC) of one of ``pools``.

    What the hours were made of is kept.
    """
    if not hours:
        return []
    start, end = min(hours), max(hours) + HOUR
    done = _work(session, tenant, pools, pool, start, end)
    measured = _measured(session, tenant, pool, start, end)
    posted: dict[datetime, dict[Line, Posted]] = defaultdict(dict)
    for line, value in pool_hours.posted(session, tenant, pool.id, start, end).items():
        posted[hour_of(line[0][0])][line] = value
    _remember(session, tenant, pool)
    lines: list[NewCharge] = []
    settled: list[PoolHour] = []
    gone: list[datetime] = []
    for hour in sorted(hours):
        target: dict[Line, Posted] = {}
        if pool.in_force(hour):
            target, made_of = _settled(pool, hour, done[hour], measured[hour], now)
            settled.append(made_of)
        else:
            gone.append(hour)
        lines += _lacking(pool, target, posted[hour])
    pool_hours.keep(session, tenant, pool.id, settled)
    pool_hours.forget(session, tenant, pool.id, gone)
    return lines


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
    used = pool_hours.usage(session, tenant, list(can_run), start, end)
    payers = parties.owners_of(session, tenant, {row.owner_id for row in used})
    runs_on = PoolFinder(pools, can_run, payers)
    done: dict[datetime, list[Work]] = defaultdict(list)
    for row in used:
        place = (row.slot, row.owner_id, row.route_id, row.band)
        if runs_on.pool_of(*place[:3]) == pool:
            usage = {name: int(getattr(row, name)) for name in METER_NAMES}
            done[hour_of(row.slot)].append(Work(place, usage, int(row.timed_us)))
    return done


def _measured(
    session: Session, tenant: int, pool: Pool, start: datetime, end: datetime
) -> dict[datetime, dict[str, MeasuredHour]]:
    """Energy that was measured, by hour and component."""
    found: dict[datetime, dict[str, MeasuredHour]] = defaultdict(dict)
    for component in pool.components:
        if isinstance(component.terms, Energy) and component.terms.measured:
            match = component.terms.measured
            heard = energy.joules_by_hour(session, tenant, match, start, end)
            for hour, measured in heard.items():
                found[hour][component.name] = measured
    return found


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


def _units(pool: Pool, done: Sequence[Work]) -> Decimal:
    total = _ZERO
    for work in done:
        total = money.EXACT.add(total, work_units(work.usage, pool.output_weight))
    return total


def _settled(
    pool: Pool,
    hour: datetime,
    done: Sequence[Work],
    measured: Mapping[str, MeasuredHour],
    now: datetime,
) -> tuple[dict[Line, Posted], PoolHour]:
    """What the ledger is to say of one hour, its cost, all of it; and what that is made of."""
    units, timed_us = _units(pool, done), sum(work.timed_us for work in done)
    capacity = pool.capacity_at(hour)
    places, weights, busy = _users(pool, hour, done, units, timed_us)
    cost = hour_cost(pool.costs, hour, busy.share, measured)
    lines, idle = _split(pool, hour, cost, places, weights, busy)
    made_of = PoolHour(
        hour=hour,
        cost=cost.amount,
        billed_amount=cost.billed,
        idle=idle,
        components=cost.parts,
        method=weights.method,
        work_units=units,
        capacity=capacity,
        timed_us=timed_us,
        input_weight=weights.input,
        output_weight=weights.output,
        settled_at=now,
    )
    return lines, made_of


def _users(
    pool: Pool, hour: datetime, done: Sequence[Work], units: Decimal, timed_us: int
) -> tuple[list[Place], Weights, Busy]:
    """Who shares an hour, what each weighs, and how much of it they used."""
    if pool.seats:
        route, teams = content_id(pool.idle_route), sorted(pool.seats)
        places = [(hour, content_id(_seats_of(team)), route, 0) for team in teams]
        seats = tuple(pool.seats[team] for team in teams)
        bought = pool.quantity_at(SEATS, hour)
        whole = int(bought.scaleb(6, money.EXACT)) or sum(seats) * 10**6 or 1
        given = min(sum(seats) * 10**6, whole)
        weights = Weights(BY_SEATS, seats, tuple(map(Decimal, seats)))
        return places, weights, Busy(given, whole - given)
    weights = weigh(pool.method, [work.usage for work in done], pool.output_weight)
    if pool.kind == SUBSCRIPTION:
        # Nothing is known of what it could do: who used it at all shares all of it.
        busy = Busy(1, 0) if any(weights.weights) else Busy(0, 1)
    else:
        busy = busy_of(units, pool.capacity_at(hour), timed_us)
    return [work.place for work in done], weights, busy


def _seats_of(team: str) -> Owner:
    return Owner(team=team, rule="seats of a subscription")


def _split(
    pool: Pool,
    hour: datetime,
    cost: HourCost,
    places: Sequence[Place],
    weights: Weights,
    busy: Busy,
) -> tuple[dict[Line, Posted], Decimal]:
    """The lines of an hour, and what of its cost is idle."""
    whole = split_hour(cost.running.amount, weights.weights, busy)
    billed = split_hour(cost.running.billed, weights.weights, busy)
    lines: dict[Line, Posted] = {
        (place, POOL_METER, weights.method): Posted(quantity, part, part, part, its_billed)
        for place, quantity, part, its_billed in zip(
            places, weights.quantities, whole.parts, billed.parts, strict=True
        )
    }
    idle = money.total([whole.idle, cost.unused.amount])
    idle_billed = money.total([billed.idle, cost.unused.billed])
    place = (hour, content_id(IDLE_OWNER), content_id(pool.idle_route), 0)
    lines[place, IDLE_METER, weights.method] = Posted(
        busy.idle_units, idle, idle, idle, idle_billed
    )
    return lines, idle


def _lacking(
    pool: Pool, target: Mapping[Line, Posted], posted: Mapping[Line, Posted]
) -> Iterator[NewCharge]:
    for line in sorted(target.keys() | posted.keys()):
        new, old = target.get(line, _NOTHING), posted.get(line, _NOTHING)
        if new == old:
            continue
        (slot, owner_id, route_id, band), meter, method = line
        more = {
            name: money.EXACT.subtract(getattr(new, name), getattr(old, name))
            for name in Posted.__dataclass_fields__
        }
        yield NewCharge(
            kind=ALLOCATION,
            slot=slot,
            owner_id=owner_id,
            route_id=route_id,
            band=band,
            meter=meter,
            price_id=None,
            pool_id=pool.id,
            currency=pool.currency,
            method=method,
            quantity=more["quantity"],
            list_amount=more["list_amount"],
            contracted_amount=more["contracted_amount"],
            amount=more["amount"],
            billed_amount=more["billed_amount"],
        )


def _remember(session: Session, tenant: int, pool: Pool) -> None:
    """Idle lines and seats have an owner and a route like any other."""
    known = dictionaries.Known()
    route = pool.idle_route
    every = [IDLE_OWNER, *map(_seats_of, pool.seats)]
    told = {content_id(owner): owner for owner in every}
    dictionaries.remember(session, tenant, owners, told, known)
    dictionaries.remember(session, tenant, routes, {content_id(route): route}, known)
