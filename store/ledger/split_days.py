"""What splits go by: the days that changed, what was used and cost in them, what is posted."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Row,
    SmallInteger,
    bindparam,
    column,
    delete,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from spend.meters import DISJOINT
from spend.ownership.splits import Bases, Used
from store import parties
from store.breakdowns.grouping import TooManyRowsError
from store.tables.ledger import charges
from store.tables.ownership import split_waiting, splits
from store.tables.rollups import cells

_BASES: Final = ("list_amount", "contracted_amount", "amount", "billed_amount")

PostedKey = tuple[datetime, int, int, int, bool]
"""Slot, payer, route, split, and whether the list amount is known."""
Posted = dict[tuple[PostedKey, str], tuple[Decimal, Bases]]
"""Line and method -> what stands in the ledger: weight, and money."""


def mark(session: Session, tenant: int, slots: Iterable[datetime]) -> None:
    """The days of these quarter hours are to be split again, where anything ever was."""
    changed = sorted(set(slots))
    if changed and are_there(session, tenant):
        array = literal(changed, ARRAY(DateTime(timezone=True)))
        _mark(
            session,
            tenant,
            func.unnest(array).table_valued(column("slot")).render_derived("changed"),
        )


def mark_between(session: Session, tenant: int, start: datetime, end: datetime) -> None:
    """Likewise all days of a time (UTC) in which there are charges."""
    if are_there(session, tenant):
        within = (charges.c.slot >= start) & (charges.c.slot < end)
        found = select(charges.c.slot).distinct().where(charges.c.tenant_id == tenant, within)
        _mark(session, tenant, found.subquery())


def are_there(session: Session, tenant: int) -> bool:
    """Whether there ever were splits: if not, no day waits and no line is a split's."""
    return bool(session.scalar(select(exists().where(splits.c.tenant_id == tenant))))


def _mark(session: Session, tenant: int, changed: FromClause) -> None:
    # In one order: two that mark the same then wait, never deadlock.
    found = select(literal(tenant), changed.c.slot).order_by(changed.c.slot)
    statement = insert(split_waiting).from_select(["tenant_id", "slot"], found)
    session.execute(statement.on_conflict_do_nothing())


def waiting_slots(session: Session, tenant: int) -> list[datetime]:
    """Quarter hours (UTC) that changed, ascending."""
    wanted = select(split_waiting.c.slot).where(split_waiting.c.tenant_id == tenant)
    return list(session.scalars(wanted.order_by(split_waiting.c.slot)))


def done(session: Session, tenant: int, start: datetime, end: datetime) -> None:
    """The quarter hours of a time (UTC) wait no longer."""
    session.execute(
        delete(split_waiting).where(
            split_waiting.c.tenant_id == tenant,
            split_waiting.c.slot >= start,
            split_waiting.c.slot < end,
        )
    )


def currencies(session: Session, tenant: int, start: datetime, end: datetime) -> list[str]:
    """The currencies of the charges of a time (UTC), by their codes."""
    found = session.scalars(
        select(charges.c.currency)
        .where(charges.c.tenant_id == tenant, charges.c.slot >= start, charges.c.slot < end)
        .distinct()
    )
    return sorted(found)


def used(
    session: Session,
    tenant: int,
    bounds: Collection[datetime],
    end: datetime,
    *,
    currency: str,
    at_most: int | None = None,
) -> list[Used]:
    """What each owner used, and what that cost, in pieces that begin at ``bounds`` (UTC).

    More than ``at_most`` rows raise TooManyRowsError (store/breakdowns/grouping.py).
    """
    starts = sorted(bounds)
    rows = [
        *_costs(session, tenant, starts, end, currency, at_most),
        *_usage(session, tenant, starts, end),
    ]
    who = parties.owners_of(session, tenant, {row[1] for row in rows})
    return [
        Used(starts[piece - 1], who[owner_id], route_id, cost, calls, tokens)
        for piece, owner_id, route_id, cost, calls, tokens in rows
        if owner_id in who
    ]


_Row = tuple[int, int, int, Bases, int, int]
_LISTED: Final = charges.c.list_amount.is_not(None)
_FREE: Final = Bases(None, Decimal(0), Decimal(0), Decimal(0))


def _costs(
    session: Session,
    tenant: int,
    starts: Sequence[datetime],
    end: datetime,
    currency: str,
    at_most: int | None,
) -> list[_Row]:
    key = [_piece(charges, starts), charges.c.owner_id, charges.c.route_id, _LISTED]
    rows = session.execute(
        select(*key, *_sums())
        .where(
            *_within(charges, tenant, starts, end),
            charges.c.rule_id.is_(None),
            charges.c.currency == currency,
        )
        .group_by(*key)
        .limit(None if at_most is None else at_most + 1)
    ).all()
    if at_most is not None and len(rows) > at_most:
        raise TooManyRowsError
    return [(row[0], row[1], row[2], _bases(row), 0, 0) for row in rows]


def _usage(session: Session, tenant: int, starts: Sequence[datetime], end: datetime) -> list[_Row]:
    key = [_piece(cells, starts), cells.c.owner_id]
    tokens = [func.sum(cells.c[name]) for name in DISJOINT]
    rows = session.execute(
        select(*key, func.sum(cells.c.calls), *tokens)
        .where(*_within(cells, tenant, starts, end))
        .group_by(*key)
    )
    return [(row[0], row[1], 0, _FREE, int(row[2]), int(sum(row[3:]))) for row in rows]


def _piece(rows: FromClause, starts: Sequence[datetime]) -> ColumnElement[int]:
    bounds = bindparam("starts", list(starts), ARRAY(DateTime(timezone=True)))
    return func.width_bucket(rows.c.slot, bounds, type_=SmallInteger).label("piece")


def _within(
    rows: FromClause, tenant: int, starts: Sequence[datetime], end: datetime
) -> list[ColumnElement[bool]]:
    return [rows.c.tenant_id == tenant, rows.c.slot >= starts[0], rows.c.slot < end]


def posted(
    session: Session, tenant: int, start: datetime, end: datetime, *, currency: str
) -> Posted:
    """What splits have posted in a time (UTC), summed."""
    c = charges.c
    key: list[Any] = [c.slot, c.payer_id, c.route_id, c.rule_id, _LISTED, c.method]
    rows = session.execute(
        select(*key, func.sum(c.quantity), *_sums())
        .where(
            c.tenant_id == tenant,
            c.slot >= start,
            c.slot < end,
            c.rule_id.is_not(None),
            c.currency == currency,
        )
        .group_by(*key)
    )
    return {(row[:5], row[5]): (row[6], _bases(row)) for row in rows}


def _sums() -> list[ColumnElement[Any]]:
    return [func.sum(charges.c[name]).label(name) for name in _BASES]


def _bases(row: Row[*tuple[Any, ...]]) -> Bases:
    return Bases(**{name: getattr(row, name) for name in _BASES})
