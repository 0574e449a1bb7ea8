"""Remembers pools: capacity that is paid for by the hour."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from spend.capacity.component_files import components_of
from spend.capacity.pool_files import fields_of_pool
from spend.capacity.pools import Pool
from spend.capacity.tariff_files import tariffs_of
from store import audit, parties, waiting
from store.tables.ledger import charges
from store.tables.pools import pools

_SAID: Final = (
    "name",
    "kind",
    "valid_from",
    "valid_to",
    "cost_per_hour",
    "zone",
    "currency",
    "capacity_per_hour",
    "capacity_per_unit",
    "seats",
    "method",
    "output_weight",
    "provider",
    "region",
)


class PoolExistsError(ValueError):
    """There is a pool of that name: end it and choose another name, or apply a file."""


def _pool(row: Row[Any]) -> Pool:
    tariffs = tariffs_of(row.tariffs, zone=row.zone)
    parts = row.components
    return Pool(
        **{name: getattr(row, name) for name in _SAID},
        components=components_of(parts, tariffs, zone=row.zone, starts=row.valid_from)
        if parts
        else (),
        match={dimension: tuple(values) for dimension, values in row.match.items()},
        id=row.id,
        charged_to=row.charged_to,
    )


def _values(pool: Pool) -> dict[str, Any]:
    match = {dimension: list(values) for dimension, values in pool.match.items()}
    said = {name: getattr(pool, name) for name in _SAID}
    return {**said, "match": match, **fields_of_pool(pool)}


def all_pools(session: Session, tenant: int, *, for_update: bool = False) -> list[Pool]:
    """Every pool, the first declared first. ``for_update`` holds them until the commit."""
    wanted = select(pools).where(pools.c.tenant_id == tenant).order_by(pools.c.id)
    return [
        _pool(row) for row in session.execute(wanted.with_for_update() if for_update else wanted)
    ]


def pool_by_id(session: Session, tenant: int, pool_id: int) -> Pool | None:
    """One pool; None: there is none of that id."""
    wanted = select(pools).where(pools.c.tenant_id == tenant, pools.c.id == pool_id)
    row = session.execute(wanted).one_or_none()
    return None if row is None else _pool(row)


def declare(session: Session, tenant: int, pool: Pool) -> Pool:
    """Adds a pool; its hours so far are posted by the next charge run. PoolExistsError."""
    waiting.lock_ledger(session)
    taken = select(pools.c.id).where(pools.c.tenant_id == tenant, pools.c.name == pool.name)
    if session.scalar(taken) is not None:
        raise PoolExistsError(pool.name)
    id_ = session.execute(
        insert(pools).values(tenant_id=tenant, **_values(pool)).returning(pools.c.id)
    ).scalar_one()
    _wait(session, tenant, [pool])
    audit.note(
        session, tenant, did="declared", noun="pool", noun_id=id_, name=pool.name, after=pool
    )
    return replace(pool, id=id_)


def apply(session: Session, tenant: int, said: Sequence[Pool]) -> list[tuple[Pool, str]]:
    """Makes pools what ``said`` says, by name; each with 'declared', 'changed' or 'unchanged'.

    A changed pool is looked at from its first hour on: differences are booked as further lines.
    Pools that are not named stay as they are.
    """
    waiting.lock_ledger(session)
    held = {pool.name: pool for pool in all_pools(session, tenant, for_update=True)}
    done = []
    for pool in said:
        old = held.get(pool.name)
        if old is None:
            done.append((declare(session, tenant, pool), "declared"))
            continue
        new = replace(pool, id=old.id, charged_to=old.charged_to)
        if new == old:
            done.append((old, "unchanged"))
            continue
        session.execute(
            update(pools)
            .where(pools.c.tenant_id == tenant, pools.c.id == old.id)
            .values(**_values(new))
        )
        # Also the later ones, as calls may pass from one to the other: the first declared wins.
        session.execute(
            update(pools)
            .where(pools.c.tenant_id == tenant, pools.c.id >= old.id)
            .values(charged_to=None)
        )
        _wait(session, tenant, [old, new])
        audit.note(
            session,
            tenant,
            did="changed",
            noun="pool",
            noun_id=old.id,
            name=old.name,
            before=old,
            after=new,
        )
        done.append((replace(new, charged_to=None), "changed"))
    return done


def charged(session: Session, tenant: int, pool_id: int, until: datetime) -> None:
    """Says that every hour of a pool that began before ``until`` is posted."""
    session.execute(
        update(pools)
        .where(pools.c.tenant_id == tenant, pools.c.id == pool_id)
        .values(charged_to=until)
    )


def posted_span(
    session: Session, tenant: int, pool_id: int
) -> tuple[datetime | None, datetime | None]:
    """The first and the last slot that the ledger has a line of a pool for."""
    row = session.execute(
        select(func.min(charges.c.slot), func.max(charges.c.slot)).where(
            charges.c.tenant_id == tenant, charges.c.pool_id == pool_id
        )
    ).one()
    return row[0], row[1]


def _wait(session: Session, tenant: int, changed: Sequence[Pool]) -> None:
    """Makes cells that may run on these pools wait: for their price, or for none any more."""
    fitting = [
        id_
        for id_, route in parties.routes_of(session, tenant).items()
        if any(pool.fits_route(route) for pool in changed)
    ]
    starts = min(pool.valid_from for pool in changed)
    waiting.for_routes(session, tenant, fitting, starts)
