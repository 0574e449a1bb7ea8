"""Remembers re-pricings: what was asked for, how far each has come, and what it made different."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    Row,
    and_,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from spend.prices.knowledge import Knowledge, Repriced
from spend.prices.repricings import NO_DIFFERENCE, Difference, Repricing
from spend.slots import SLOT
from store import audit, parties, waiting
from store.ledger.ledger import CELL_KEY, TRUE_UP, CellKey, at_cells, rows_of_cells
from store.tables.heard import owners, routes
from store.tables.ledger import charges
from store.tables.prices import discounts, prices
from store.tables.repricings import repricing_differences, repricings
from store.tables.rollups import cells
from store.tenants import PUBLIC

Part = tuple[int, int]
"""Who pays (an owner's id), and route."""

Named = tuple[str, str | None, str | None]
"""Team, provider, model."""

_FIELDS: Final = tuple(each.name for each in fields(Repricing))
_ROW: Final = tuple(repricings.c[name] for name in _FIELDS)
_SUMS: Final = tuple(each.name for each in fields(Difference))


def _repricing(row: Row[*tuple[Any, ...]]) -> Repricing:
    return Repricing(**{name: getattr(row, name) for name in _FIELDS})


def latest_knowledge(session: Session, tenant: int) -> datetime | None:
    """When the book was last changed, as far as the tenant goes by it."""
    found = [
        session.scalar(
            select(func.max(func.greatest(table.c.known_from, table.c.known_to))).where(
                table.c.tenant_id.in_((PUBLIC, tenant))
            )
        )
        for table in (prices, discounts)
    ]
    return max((moment for moment in found if moment is not None), default=None)


def known_after(session: Session, now: datetime) -> datetime:
    """When what enters the book now is known: after every re-pricing so far.

    With a clock that is behind, what was re-priced would know it, and move by the next late call.
    """
    latest = session.scalar(select(func.max(repricings.c.known_at)).where(~repricings.c.dry_run))
    return now if latest is None else max(now, latest + timedelta(microseconds=1))


def request(
    session: Session,
    tenant: int,
    starts: datetime,
    ends: datetime,
    *,
    dry_run: bool,
    now: datetime,
    requested_by: str | None = None,
    note: str | None = None,
) -> Repricing:
    """Asks for a re-pricing of a time (UTC, quarter hours) by what is known now.

    One of the same time that is not through yet, while nothing else became known, is the same.
    """
    waiting.lock_ledger(session)
    latest = latest_knowledge(session, tenant)
    same = session.execute(
        select(*_ROW).where(
            repricings.c.tenant_id == tenant,
            repricings.c.starts == starts,
            repricings.c.ends == ends,
            repricings.c.dry_run == dry_run,
            repricings.c.finished_at.is_(None),
            *(() if latest is None else (repricings.c.known_at >= latest,)),
        )
    ).first()
    if same is not None:
        return _repricing(same)
    # What a clock that is ahead of ours wrote into the book is known, too.
    known_at = max(now, latest) if latest else now
    made = _repricing(
        session.execute(
            insert(repricings)
            .values(
                tenant_id=tenant,
                starts=starts,
                ends=ends,
                known_at=known_at,
                dry_run=dry_run,
                requested_at=now,
                requested_by=requested_by,
                note=note,
                done_until=starts,
            )
            .returning(*_ROW)
        ).one()
    )
    said = {"starts": starts, "ends": ends, "dry_run": dry_run, "note": note}
    audit.note(session, tenant, did="asked for", noun="re-pricing", noun_id=made.id, after=said)
    return made


def knowledge(session: Session, tenant: int) -> Knowledge:
    """By which moment each slot is priced, as far as re-pricings have come."""
    return Knowledge(done(session, tenant))


def done(session: Session, tenant: int) -> list[Repriced]:
    """What each re-pricing that books has been through."""
    found = session.execute(
        select(
            repricings.c.id, repricings.c.starts, repricings.c.done_until, repricings.c.known_at
        ).where(repricings.c.tenant_id == tenant, ~repricings.c.dry_run)
    )
    return [Repriced(*row) for row in found]


def next_unfinished(session: Session, tenant: int) -> Repricing | None:
    """The first one asked for that is not through: they are done one after the other."""
    found = session.execute(
        select(*_ROW)
        .where(repricings.c.tenant_id == tenant, repricings.c.finished_at.is_(None))
        .order_by(repricings.c.id)
        .limit(1)
    ).first()
    return None if found is None else _repricing(found)


def one(session: Session, tenant: int, id_: int) -> Repricing | None:
    """A re-pricing by its id."""
    found = session.execute(
        select(*_ROW).where(repricings.c.tenant_id == tenant, repricings.c.id == id_)
    ).first()
    return None if found is None else _repricing(found)


def page(
    session: Session, tenant: int, *, before: int | None = None, at_most: int
) -> list[Repricing]:
    """Re-pricings, the last one asked for first; ``before``: older than that id."""
    wanted = select(*_ROW).where(repricings.c.tenant_id == tenant)
    if before is not None:
        wanted = wanted.where(repricings.c.id < before)
    rows = session.execute(wanted.order_by(repricings.c.id.desc()).limit(at_most))
    return [_repricing(row) for row in rows]


def stretch_end(
    session: Session, tenant: int, start: datetime, end: datetime, *, at_most: int
) -> datetime:
    """Where a stretch from ``start`` ends that holds about so many cells, at ``end`` at last."""
    slot: datetime | None = session.scalar(
        select(cells.c.slot)
        .where(cells.c.tenant_id == tenant, cells.c.slot >= start, cells.c.slot < end)
        .order_by(cells.c.slot)
        .offset(at_most)
        .limit(1)
    )
    if slot is None:
        return end
    # A quarter hour is never cut: one that holds more is a stretch of its own.
    return max(slot, start + SLOT)


def count_cells(session: Session, tenant: int, start: datetime, end: datetime) -> int:
    """How many cells a time has."""
    return session.execute(
        select(func.count()).where(
            cells.c.tenant_id == tenant, cells.c.slot >= start, cells.c.slot < end
        )
    ).scalar_one()


def amounts_between(
    session: Session, tenant: int, start: datetime, end: datetime
) -> dict[Part, Decimal]:
    """What the ledger says of a time by the price book: effective amounts by who pays and route."""
    found = session.execute(
        select(charges.c.payer_id, charges.c.route_id, func.sum(charges.c.amount))
        .where(
            charges.c.tenant_id == tenant,
            charges.c.slot >= start,
            charges.c.slot < end,
            charges.c.price_id.is_not(None),
            charges.c.kind != TRUE_UP,
        )
        .group_by(charges.c.payer_id, charges.c.route_id)
    )
    return {(row[0], row[1]): row[2] for row in found}


def claim_charged(session: Session, tenant: int, keys: Iterable[CellKey]) -> set[CellKey]:
    """Those of these cells that wait for no charge, locked until we commit."""
    wanted = list(keys)
    if not wanted:
        return set()
    asked = rows_of_cells(wanted)
    found = session.execute(
        select(*(cells.c[name] for name in CELL_KEY))
        .join_from(cells, asked, and_(*at_cells(asked)))
        .where(cells.c.tenant_id == tenant, cells.c.charged)
        .order_by(*cells.primary_key.columns)
        .with_for_update(of=cells)
    )
    return {(row[0], row[1], row[2], row[3], row[4]) for row in found}


def advance(
    session: Session,
    tenant: int,
    repricing: Repricing,
    until: datetime,
    *,
    cells_seen: int,
    cells_changed: int,
    different: Mapping[Part, Difference],
    now: datetime,
) -> Repricing:
    """Says how far it has come, in the transaction that booked it."""
    further = replace(
        repricing,
        done_until=until,
        finished_at=now if until == repricing.ends else None,
        cells=repricing.cells + cells_seen,
        changed_cells=repricing.changed_cells + cells_changed,
        lines=repricing.lines + sum(each.lines for each in different.values()),
    )
    session.execute(
        update(repricings)
        .where(repricings.c.tenant_id == tenant, repricings.c.id == repricing.id)
        .values(
            {
                name: getattr(further, name)
                for name in ("done_until", "finished_at", "cells", "changed_cells", "lines")
            }
        )
    )
    if different:
        statement = upsert(repricing_differences)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "repricing_id", "payer_id", "route_id"],
                set_={
                    name: repricing_differences.c[name] + statement.excluded[name] for name in _SUMS
                },
            ),
            [
                {
                    "tenant_id": tenant,
                    "repricing_id": repricing.id,
                    "payer_id": payer_id,
                    "route_id": route_id,
                    **{name: getattr(each, name) for name in _SUMS},
                }
                for (payer_id, route_id), each in different.items()
            ],
        )
    return further


def differences(session: Session, tenant: int, id_: int) -> dict[Named, Difference]:
    """What a re-pricing has made different so far, by team, provider and model."""
    told = repricing_differences
    names = (owners.c.team, routes.c.provider, routes.c.model)
    found = session.execute(
        select(*names, *(func.sum(told.c[name]).label(name) for name in _SUMS))
        .join_from(
            told,
            owners,
            and_(owners.c.tenant_id == told.c.tenant_id, owners.c.id == told.c.payer_id),
        )
        .join(routes, and_(routes.c.tenant_id == told.c.tenant_id, routes.c.id == told.c.route_id))
        .where(told.c.tenant_id == tenant, told.c.repricing_id == id_)
        .group_by(*names)
    )
    return {(row.team, row.provider, row.model): _difference(row) for row in found}


def _difference(row: Row[*tuple[Any, ...]]) -> Difference:
    counts = {name: int(getattr(row, name)) for name in _SUMS if name not in {"before", "after"}}
    return Difference(before=row.before, after=row.after, **counts)


def named(
    session: Session, tenant: int, different: Mapping[Part, Difference]
) -> dict[Named, Difference]:
    """The same by team, provider and model: of a dry run that keeps nothing."""
    payers = parties.owners_of(session, tenant, {part[0] for part in different})
    called = parties.routes_of(session, tenant, {part[1] for part in different})
    found: dict[Named, Difference] = {}
    for (payer_id, route_id), each in different.items():
        route = called[route_id]
        name = (payers[payer_id].team, route.provider, route.model)
        found[name] = found.get(name, NO_DIFFERENCE).plus(each)
    return found
