"""Remembers what settled hours of pools were made of; and finds what they are split by.

A row says what the ledger's lines of one pool-hour come from. Both are written in one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, DateTime, Row, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from spend import money
from spend.capacity.pool_costs import CostPart
from spend.capacity.splitting import weight_of_call
from spend.meters import METER_NAMES
from store.ledger.ledger import PLACE, TRUE_UP, Place
from store.tables.heard import owners
from store.tables.ledger import charges
from store.tables.pools import pool_hours
from store.tables.rollups import cells

Line = tuple[Place, str, str]
"""Where a line of a pool is posted: place, meter, and the method that split the hour."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What the ledger says at a line of a pool, in the four bases."""

    quantity: Decimal
    list_amount: Decimal
    contracted_amount: Decimal
    amount: Decimal
    billed_amount: Decimal


@dataclass(frozen=True, slots=True)
class PoolHour:
    """One settled hour of a pool. Money is exact, of the pool's currency."""

    hour: datetime
    """Its start, UTC."""
    cost: Decimal
    billed_amount: Decimal
    idle: Decimal
    """Of the cost, what no call used."""
    components: tuple[CostPart, ...]
    """Their sum is the cost."""
    method: str
    """By which it was split."""
    work_units: Decimal
    capacity: Decimal | None
    """Work units that it could do; None: not declared, and ``timed_us`` tells how busy it was."""
    timed_us: int
    input_weight: Decimal | None
    output_weight: Decimal | None
    """What an uncached token of input and one of output weighed; None: not split by tokens."""
    settled_at: datetime

    def weight_of(self, usage: Mapping[str, int]) -> Decimal:
        """What a call, or all calls at a place of the ledger, weighed in its split."""
        return weight_of_call(usage, self.method, self.input_weight, self.output_weight)


_SAID: Final = (
    "hour",
    "cost",
    "billed_amount",
    "idle",
    "method",
    "work_units",
    "capacity",
    "timed_us",
    "input_weight",
    "output_weight",
    "settled_at",
)


def hours(
    session: Session, tenant: int, pool_id: int, start: datetime, end: datetime
) -> list[PoolHour]:
    """The settled hours of a pool that begin in a time (UTC, half-open), in order."""
    found = session.execute(
        select(pool_hours)
        .where(
            pool_hours.c.tenant_id == tenant,
            pool_hours.c.pool_id == pool_id,
            pool_hours.c.hour >= start,
            pool_hours.c.hour < end,
        )
        .order_by(pool_hours.c.hour)
    )
    return [_hour(row) for row in found]


def components_of(settled: Iterable[PoolHour]) -> list[CostPart]:
    """What each component cost over hours, in the order of their first."""
    sums: dict[tuple[str, str, bool], list[CostPart]] = {}
    for each in settled:
        for part in each.components:
            sums.setdefault((part.name, part.kind, part.billed), []).append(part)
    return [
        CostPart(
            name=name,
            kind=kind,
            billed=billed,
            amount=money.total([part.amount for part in parts]),
            kwh=_sum([part.kwh for part in parts]),
            measured_kwh=_sum([part.measured_kwh for part in parts]),
        )
        for (name, kind, billed), parts in sums.items()
    ]


def keep(session: Session, tenant: int, pool_id: int, settled: Sequence[PoolHour]) -> None:
    """Keeps hours as they were settled last."""
    rows = [
        {name: getattr(each, name) for name in _SAID}
        | {
            "tenant_id": tenant,
            "pool_id": pool_id,
            "components": [_fields(part) for part in each.components],
        }
        for each in settled
    ]
    if not rows:
        return
    new = insert(pool_hours)
    changed = {name: new.excluded[name] for name in (*_SAID[1:], "components")}
    session.execute(
        new.on_conflict_do_update(index_elements=list(pool_hours.primary_key), set_=changed), rows
    )


def forget(session: Session, tenant: int, pool_id: int, gone: Sequence[datetime]) -> None:
    """Hours that are no longer the pool's."""
    if gone:
        session.execute(
            pool_hours.delete().where(
                pool_hours.c.tenant_id == tenant,
                pool_hours.c.pool_id == pool_id,
                pool_hours.c.hour == func.any(literal(list(gone), ARRAY(DateTime(timezone=True)))),
            )
        )


def posted(
    session: Session, tenant: int, pool_id: int, start: datetime, end: datetime
) -> dict[Line, Posted]:
    """What stands in the ledger for a pool's lines of a time."""
    key = [charges.c[name] for name in (*PLACE, "meter", "method")]
    sums = [func.sum(charges.c[name]) for name in Posted.__dataclass_fields__]
    found = session.execute(
        select(*key, *sums)
        .where(
            charges.c.tenant_id == tenant,
            charges.c.pool_id == pool_id,
            charges.c.kind != TRUE_UP,
            charges.c.slot >= start,
            charges.c.slot < end,
        )
        .group_by(*key)
    )
    return {
        ((row[0], row[1], row[2], row[3]), row[4], row[5]): Posted(
            *(value or money.amount(0) for value in row[6:])
        )
        for row in found
    }


def charged_after(session: Session, tenant: int, charge_id: int) -> dict[str | None, Decimal]:
    """What lines after one come to for each team that pays, effective."""
    found = session.execute(
        select(owners.c.team, func.sum(charges.c.amount))
        .outerjoin_from(
            charges,
            owners,
            (owners.c.tenant_id == charges.c.tenant_id) & (owners.c.id == charges.c.payer_id),
        )
        .where(charges.c.tenant_id == tenant, charges.c.id > charge_id)
        .group_by(owners.c.team)
    )
    return {row[0]: row[1] for row in found if row[1]}


def usage(
    session: Session, tenant: int, route_ids: Sequence[int], start: datetime, end: datetime
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Usage of these routes in a time by place, over all outcomes: PLACE, meters, timed_us."""
    key = [cells.c[name] for name in PLACE]
    return session.execute(
        select(
            *key,
            *(func.sum(cells.c[name]).label(name) for name in METER_NAMES),
            func.sum(cells.c.timed_us).label("timed_us"),
        )
        .where(
            cells.c.tenant_id == tenant,
            cells.c.slot >= start,
            cells.c.slot < end,
            cells.c.route_id == func.any(literal(list(route_ids), ARRAY(BigInteger))),
        )
        .group_by(*key)
        .order_by(*key)
    ).all()


def _hour(row: Row[Any]) -> PoolHour:
    return PoolHour(
        **{name: getattr(row, name) for name in _SAID},
        components=tuple(_part(each) for each in row.components),
    )


def _fields(part: CostPart) -> dict[str, Any]:
    energy = {"kwh": part.kwh, "measured_kwh": part.measured_kwh}
    return {
        "name": part.name,
        "kind": part.kind,
        "billed": part.billed,
        "amount": f"{part.amount:f}",
        **{name: f"{kwh:f}" for name, kwh in energy.items() if kwh is not None},
    }


def _part(said: Mapping[str, Any]) -> CostPart:
    energy = {name: Decimal(said[name]) for name in ("kwh", "measured_kwh") if name in said}
    return CostPart(said["name"], said["kind"], said["billed"], Decimal(said["amount"]), **energy)


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None
