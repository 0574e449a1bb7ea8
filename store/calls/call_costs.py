"""How the cost of single calls comes about, by the rules and the books of the charge job."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Protocol

from sqlalchemy.orm import Session

from spend.calls import Outcome, Owner, Route
from spend.capacity.pools import HOUR, Pool, hour_of, pool_of
from spend.meters import INPUTS, WORK
from spend.money import EXACT, amount, atoms, cost, split_units
from spend.prices.bands import band_of
from spend.prices.rating import METHOD, REQUESTS, Line, Rates, rates
from spend.slots import slot_of
from store.calls import call_places
from store.calls.call_places import Place
from store.capacity import pool_hours, pools
from store.capacity.pool_hours import PoolHour
from store.prices import repricings
from store.prices.price_book import book_for


class Call(Protocol):
    """What a cost is of."""

    @property
    def start_at(self) -> datetime:
        """UTC."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""

    @property
    def owner(self) -> Owner:
        """Who was heard."""

    @property
    def route(self) -> Route:
        """What was called."""

    @property
    def usage(self) -> Mapping[str, int]:
        """A meter that is absent is unknown."""

    @property
    def counts(self) -> bool:
        """False: it repeats other calls."""

    @property
    def place(self) -> tuple[int, int]:
        """The ids of its owner and its route."""


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


def costs_of(session: Session, tenant: int, calls: Sequence[Call]) -> list[CallCost]:
    """The costs of calls, in their order; a handful of statements, however many there are."""
    placed = [(_place(call), call) if call.counts else None for call in calls]
    counted = [each for each in placed if each is not None]
    books = _Books(session, tenant, counted) if counted else None
    return [
        books.cost(*each)
        if books is not None and each is not None
        else CallCost(None, "It repeats other calls, and is not charged.", None)
        for each in placed
    ]


def _place(call: Call) -> Place:
    return (slot_of(call.start_at), *call.place, _band(call.usage))


def _band(usage: Mapping[str, int]) -> int:
    return band_of(sum(usage.get(name, 0) for name in INPUTS))


class _Books:
    """What calls are priced from, read once for all of them."""

    def __init__(
        self, session: Session, tenant: int, placed: Collection[tuple[Place, Call]]
    ) -> None:
        self._session, self._tenant = session, tenant
        declared = pools.all_pools(session, tenant)
        one_at = dict(placed)
        self._pool_of = {
            place: pool_of(declared, call.route, call.owner, place[0])
            for place, call in one_at.items()
        }
        self._posted = call_places.posted(
            session, tenant, {(place, int(call.outcome)) for place, call in placed}
        )
        priced = {place: call.route for place, call in one_at.items() if not self._pool_of[place]}
        self._rates = _rates(session, tenant, priced) if priced else {}

    def cost(self, place: Place, call: Call) -> CallCost:
        """Of one of them."""
        is_posted = (place, int(call.outcome)) in self._posted
        pool = self._pool_of[place]
        if pool is not None:
            return self._shared(call, place, pool, posted=is_posted)
        in_force = self._rates[place]
        is_ok = call.outcome is Outcome.OK
        used = call.usage
        if is_ok and not in_force.by_request and not any(name in used for name in WORK):
            return CallCost(None, "It did not say what it used.", METHOD, posted=is_posted)
        usage = {**used, REQUESTS: int(is_ok)}
        charged = in_force.charge(usage)
        if charged is None:
            missing = [name for name in in_force.quantities(usage) if name not in in_force.lines]
            reason = f"There is no price for: {', '.join(missing)}."
            return CallCost(None, reason, METHOD, posted=is_posted)
        if any(line.rate.steps for line in charged):
            if not is_posted:
                reason = (
                    "Its price depends on the volume of the month, and is known when it is charged."
                )
                return CallCost(None, reason, METHOD, posted=False)
            charged = [part for line in charged for part in self._in_steps(place, line)]
        return _of_lines(charged, posted=is_posted)

    @cached_property
    def _steps(self) -> Mapping[tuple[Place, str], Mapping[int, int]]:
        stepped = [
            place
            for place, in_force in self._rates.items()
            if any(rate.steps for rate in in_force.lines.values())
        ]
        return call_places.steps_at(self._session, self._tenant, stepped)

    @cached_property
    def _on_pools(self) -> list[tuple[Place, Pool]]:
        return [(place, pool) for place, pool in self._pool_of.items() if pool is not None]

    @cached_property
    def _amounts(self) -> Mapping[tuple[Place, int], Decimal]:
        wanted = [(place, pool.id) for place, pool in self._on_pools]
        return call_places.pool_amounts(self._session, self._tenant, wanted)

    @cached_property
    def _usage(self) -> Mapping[Place, Mapping[str, int]]:
        wanted = [place for place, _pool in self._on_pools]
        return call_places.usage_at(self._session, self._tenant, wanted)

    @cached_property
    def _hours(self) -> Mapping[tuple[int, datetime], PoolHour]:
        wanted: dict[int, list[datetime]] = {}
        for place, pool in self._on_pools:
            wanted.setdefault(pool.id, []).append(hour_of(place[0]))
        return {
            (pool_id, hour.hour): hour
            for pool_id, of_pool in wanted.items()
            for hour in pool_hours.hours(
                self._session, self._tenant, pool_id, min(of_pool), max(of_pool) + HOUR
            )
        }

    def _in_steps(self, place: Place, line: Line) -> list[Line]:
        """A meter's line in the volume steps that the ledger has its place in.

        Of a place in which a step begins each call has a part of both sides, in whole units.
        """
        if not line.rate.steps:
            return [line]
        stands = self._steps.get((place, line.meter), {})
        steps = line.rate.steps
        weights = [max(stands.get(each.price.above_monthly, 0), 0) for each in steps]
        # Where no step stands there, as its cell as a whole has no price: the first.
        parts = split_units(line.quantity, weights if any(weights) else [1, *weights[1:]])
        return [
            Line(line.meter, part, step, cost(part, step.unit_price))
            for part, step in zip(parts, steps, strict=True)
            if part
        ]

    def _shared(self, call: Call, place: Place, pool: Pool, *, posted: bool) -> CallCost:
        slot = place[0]
        charged = self._amounts.get((place, pool.id))
        is_split = posted and pool.charged_to is not None and slot < pool.charged_to
        hour = self._hours.get((pool.id, hour_of(slot)))
        if hour is None or (charged is None and not is_split):
            reason = "The hour of its pool is still to be split."
            return CallCost(None, reason, pool.method, posted=False)
        share = PoolShare(
            pool=pool,
            hour_cost=hour.cost,
            work=hour.weight_of(call.usage),
            place_work=hour.weight_of(self._usage.get(place, {})),
            # A place that did no work has no line.
            place_amount=amount(0) if charged is None else charged,
        )
        reason = "Its part of a pool-hour, by work."
        part = _part(share)
        return CallCost(part, reason, hour.method, pool.currency, share=share, posted=posted)


def _rates(session: Session, tenant: int, priced: Mapping[Place, Route]) -> dict[Place, Rates]:
    """The prices at places, by what was known when each counts."""
    book = book_for(session, tenant, set(priced.values()))
    knowledge = repricings.knowledge(session, tenant)
    return {
        place: rates(book, route, band=place[3], at=place[0], known_at=knowledge.of(place[0]))
        for place, route in priced.items()
    }


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


def _part(share: PoolShare) -> Decimal:
    if not share.place_work:
        return amount(0)
    return amount(
        round(atoms(share.place_amount) * Fraction(share.work) / Fraction(share.place_work))
    )
