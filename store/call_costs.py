"""How the cost of one call comes about, by the rules and the books that the charge job goes by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.bands import band_of
from spend.calls import Outcome
from spend.meters import INPUTS, METER_NAMES, WORK
from spend.money import EXACT, amount, atoms, cost, split_units
from spend.pools import HOUR, Pool, hour_of, pool_of
from spend.rating import METHOD, REQUESTS, Line, rates
from spend.slots import slot_of
from store import pool_hours, pools, repricings
from store.call_lookup import FoundCall
from store.price_book import book_for
from store.tables.ledger import charges
from store.tables.prices import prices
from store.tables.rollups import cells


@dataclass(frozen=True, slots=True)
class PoolShare:
    """What a call is charged of the pool-hour that it ran in.

    The hour is split over places of the ledger: quarter hour, owner, route, size of prompt. The
    call's part of its place is by work.
    """

    pool: Pool
    hour_cost: Decimal
    """What the hour cost, exact."""
    work: Decimal
    """What the call weighed in the split: work units, where nothing else is agreed."""
    place_work: Decimal
    """What all calls at its place weighed."""
    place_amount: Decimal
    """What the ledger says of its place, exact."""


@dataclass(frozen=True, slots=True)
class CallCost:
    """What a call costs, and why."""

    amount: Decimal | None
    """None: unknown, for ``reason``. 12 decimals; a share of a pool is rounded to them."""
    reason: str
    method: str | None
    currency: str | None = None
    """Of the amount; None: there is none."""
    lines: tuple[Line, ...] = ()
    share: PoolShare | None = None
    posted: bool = False
    """Whether the ledger has it: the charges of its cell are posted."""


def cost_of(session: Session, tenant: int, call: FoundCall) -> CallCost:
    """The cost of a call, by what was known of the book when it counts."""
    if not call.counts:
        return CallCost(None, "It repeats other calls, and is not charged.", None)
    slot = slot_of(call.start_at)
    posted = _is_posted(session, tenant, call, slot)
    pool = pool_of(pools.all_pools(session, tenant), call.route, call.owner, slot)
    if pool is not None:
        return _shared(session, tenant, call, slot, pool, posted=posted)
    in_force = rates(
        book_for(session, tenant, [call.route]),
        call.route,
        band=_band(call.usage),
        at=slot,
        known_at=repricings.knowledge(session, tenant).of(slot),
    )
    is_ok = call.outcome is Outcome.OK
    if is_ok and not in_force.by_request and not any(name in call.usage for name in WORK):
        return CallCost(None, "It did not say what it used.", METHOD, posted=posted)
    usage = {**call.usage, REQUESTS: int(is_ok)}
    charged = in_force.charge(usage)
    if charged is None:
        missing = [name for name in in_force.quantities(usage) if name not in in_force.lines]
        reason = f"There is no price for: {', '.join(missing)}."
        return CallCost(None, reason, METHOD, posted=posted)
    if any(line.rate.steps for line in charged):
        if not posted:
            reason = (
                "Its price depends on the volume of the month, and is known when it is charged."
            )
            return CallCost(None, reason, METHOD, posted=False)
        charged = [
            part for line in charged for part in _in_steps(session, tenant, call, slot, line)
        ]
    return _of_lines(charged, posted=posted)


def _of_lines(lines: Sequence[Line], *, posted: bool) -> CallCost:
    currencies = {line.price.currency for line in lines}
    if len(currencies) > 1:
        reason = f"Its lines are in {' and '.join(sorted(currencies))}: they have no sum."
        return CallCost(None, reason, METHOD, lines=tuple(lines), posted=posted)
    total = Decimal(0)
    for line in lines:
        total = EXACT.add(total, line.amount)
    reason = "Each meter times its price." if lines else "It used nothing that is charged."
    currency = next(iter(currencies), None)
    return CallCost(total, reason, METHOD, currency, lines=tuple(lines), posted=posted)


def _band(usage: Mapping[str, int]) -> int:
    return band_of(sum(usage.get(name, 0) for name in INPUTS))


def _in_steps(
    session: Session, tenant: int, call: FoundCall, slot: datetime, line: Line
) -> list[Line]:
    """A meter's line in the volume steps that the ledger has its place in.

    Of a place in which a step begins each call has a part of both sides, in whole units.
    """
    if not line.rate.steps:
        return [line]
    owner_id, route_id = call.place
    found = session.execute(
        select(prices.c.above_monthly, func.sum(charges.c.quantity))
        .join_from(charges, prices, charges.c.price_id == prices.c.id)
        .where(
            charges.c.tenant_id == tenant,
            charges.c.slot == slot,
            charges.c.owner_id == owner_id,
            charges.c.route_id == route_id,
            charges.c.band == _band(call.usage),
            charges.c.meter == line.meter,
        )
        .group_by(prices.c.above_monthly)
    )
    stands = {row[0]: int(row[1]) for row in found}
    steps = line.rate.steps
    weights = [max(stands.get(each.price.above_monthly, 0), 0) for each in steps]
    # Where no step stands there, as its cell as a whole has no price: the first.
    parts = split_units(line.quantity, weights if any(weights) else [1, *weights[1:]])
    return [
        Line(line.meter, part, step, cost(part, step.unit_price))
        for part, step in zip(parts, steps, strict=True)
        if part
    ]


def _shared(
    session: Session, tenant: int, call: FoundCall, slot: datetime, pool: Pool, *, posted: bool
) -> CallCost:
    owner_id, route_id = call.place
    place = {"slot": slot, "owner_id": owner_id, "route_id": route_id, "band": _band(call.usage)}
    charged = session.scalar(
        select(func.sum(charges.c.amount)).where(
            charges.c.tenant_id == tenant,
            charges.c.pool_id == pool.id,
            *(charges.c[name] == value for name, value in place.items()),
        )
    )
    is_split = posted and pool.charged_to is not None and slot < pool.charged_to
    hours = pool_hours.hours(session, tenant, pool.id, hour_of(slot), hour_of(slot) + HOUR)
    if not hours or (charged is None and not is_split):
        reason = "The hour of its pool is still to be split."
        return CallCost(None, reason, pool.method, posted=False)
    sums = session.execute(
        select(*(func.sum(cells.c[name]).label(name) for name in METER_NAMES)).where(
            cells.c.tenant_id == tenant, *(cells.c[name] == value for name, value in place.items())
        )
    ).one()
    hour = hours[0]
    at_place = {name: int(getattr(sums, name) or 0) for name in METER_NAMES}
    share = PoolShare(
        pool=pool,
        hour_cost=hour.cost,
        work=hour.weight_of(call.usage),
        place_work=hour.weight_of(at_place),
        # A place that did no work has no line.
        place_amount=amount(0) if charged is None else charged,
    )
    reason = "Its part of a pool-hour, by work."
    part = _part(share)
    return CallCost(part, reason, hour.method, pool.currency, share=share, posted=posted)


def _part(share: PoolShare) -> Decimal:
    if not share.place_work:
        return amount(0)
    return amount(
        round(atoms(share.place_amount) * Fraction(share.work) / Fraction(share.place_work))
    )


def _is_posted(session: Session, tenant: int, call: FoundCall, slot: datetime) -> bool:
    owner_id, route_id = call.place
    return bool(
        session.scalar(
            select(cells.c.charged).where(
                cells.c.tenant_id == tenant,
                cells.c.slot == slot,
                cells.c.owner_id == owner_id,
                cells.c.route_id == route_id,
                cells.c.outcome == int(call.outcome),
                cells.c.band == _band(call.usage),
            )
        )
    )
