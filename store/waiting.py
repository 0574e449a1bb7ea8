"""Makes cells wait for the charge job again, when what they cost may have changed.

Every change of a price, a name or a pool calls this in its own transaction, so that the change and
what it asks for are kept together or not at all. A price or a discount changes nothing that was
charged (docs/decisions/008-knowledge.md): for it only those cells wait that could not be priced,
or that are of a time still to come.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Text,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from spend.prices.repricings import LONGEST, Concerned
from spend.slots import SLOT, slot_of
from store.postgres.sessions import Database
from store.tables.heard import routes
from store.tables.prices import model_names
from store.tables.rollups import cells
from store.tenants import PUBLIC

Changed = tuple[str, str, datetime, datetime | None]
"""Provider, model, and the time (UTC, half-open) for which a price of it has changed."""

_MOMENT: Final = DateTime(timezone=True)
_ROUTES_TOUCHED: Final[Mapping[str, TypeEngine[Any]]] = {
    "tenant_id": Integer(),
    "id": BigInteger(),
    "starts": _MOMENT,
    "ends": _MOMENT,
}
_FIRST: Final = text("'-infinity'::timestamptz")
_LAST: Final = text("'infinity'::timestamptz")
_LEDGER: Final = func.hashtext("spanledger ledger")


def lock_ledger(session: Session) -> None:
    """One at a time until the transaction ends: posting charges, and changing what they go by.

    Without it a charge run could finish a cell by a price that has just been replaced.
    """
    session.execute(select(func.pg_advisory_xact_lock(_LEDGER)))


def until_nobody_posts(database: Database) -> None:
    """Waits for whoever posts: who posts from then on does so at a later moment.

    For a question of what was known at a moment, before the transaction that answers reads
    anything: what that one sees is as old as its first statement, a wait included.
    """
    with database.read() as session:
        session.execute(select(func.pg_advisory_xact_lock_shared(_LEDGER)))


def for_prices(session: Session, tenant: int, changed: Iterable[Changed], *, now: datetime) -> None:
    """Cells that a changed price can concern, as it became known ``now``.

    With the tenant PUBLIC those of every tenant.
    """
    found = list(changed)
    if found:
        open_still = or_(
            cells.c.slot >= slot_of(now),
            cells.c.unpriced_calls.is_distinct_from(0),
            # Tokens that a metric told may be of no known call.
            cells.c.unpriced_tokens.is_distinct_from(0),
        )
        _wait(session, _touched(session, tenant, found), open_still)


def concerned(
    session: Session, tenant: int, changed: Iterable[Changed], *, now: datetime
) -> Concerned | None:
    """What of the past changed prices leave as it was charged; None: no time of the past."""
    found = [each for each in changed if each[2] < slot_of(now)]
    if not found:
        return None
    touched = _touched(session, tenant, found)
    count, first, last = session.execute(
        select(func.count(), func.min(cells.c.slot), func.max(cells.c.slot))
        .select_from(cells.join(touched, _in_time(touched)))
        .where(cells.c.charged, cells.c.slot < slot_of(now))
    ).one()
    if count:
        return Concerned(count, first, last + SLOT)
    starts = max(min(each[2] for each in found), slot_of(now) - LONGEST)
    return Concerned(0, starts, slot_of(now))


def _in_time(touched: CTE) -> ColumnElement[bool]:
    return and_(
        cells.c.tenant_id == touched.c.tenant_id,
        cells.c.route_id == touched.c.id,
        cells.c.slot >= touched.c.starts,
        cells.c.slot < touched.c.ends,
    )


def _touched(session: Session, tenant: int, found: Sequence[Changed]) -> CTE:
    """Routes that changed prices can concern, and when: tenant_id, id, starts, ends.

    Asked for beforehand: routes may be on all nodes of a cluster, and Citus changes no table of one
    node by a statement that reads them.
    """
    change = _rows_of(found)
    named = and_(
        model_names.c.tenant_id == routes.c.tenant_id,
        model_names.c.provider == routes.c.provider,
        model_names.c.model == routes.c.model,
    )
    asked = select(routes.c.tenant_id, routes.c.id, change.c.starts, change.c.ends)
    called = asked.join_from(
        routes,
        change,
        and_(routes.c.provider == change.c.provider, routes.c.model == change.c.model),
    )
    # A contract can be for the listed name with the route's own provider: spend/prices/prices.py.
    listed = (
        asked.join_from(routes, model_names, named).join(
            change,
            and_(provider == change.c.provider, model_names.c.listed_model == change.c.model),
        )
        for provider in (routes.c.provider, model_names.c.listed_provider)
    )
    every = union_all(called, *listed).subquery()
    concerned_ = session.execute(
        select(
            every.c.tenant_id,
            every.c.id,
            func.min(every.c.starts),
            case((func.bool_and(every.c.ends.is_not(None)), func.max(every.c.ends))),
        )
        .where(literal(tenant == PUBLIC) | (every.c.tenant_id == tenant))
        .group_by(every.c.tenant_id, every.c.id)
    ).all()
    rows = (
        func.unnest(
            *(
                literal([each[at] for each in concerned_], ARRAY(type_))
                for at, type_ in enumerate(_ROUTES_TOUCHED.values())
            )
        )
        .table_valued(*(column(name, type_) for name, type_ in _ROUTES_TOUCHED.items()))
        .render_derived("routes_touched")
    )
    ends = func.coalesce(rows.c.ends, _LAST).label("ends")
    return select(rows.c.tenant_id, rows.c.id, rows.c.starts, ends).cte("touched")


def _rows_of(found: Sequence[Changed]) -> FromClause:
    return (
        func.unnest(
            literal([each[0] for each in found], ARRAY(Text)),
            literal([each[1] for each in found], ARRAY(Text)),
            literal([each[2] for each in found], ARRAY(_MOMENT)),
            literal([each[3] for each in found], ARRAY(_MOMENT)),
        )
        .table_valued(
            column("provider", Text),
            column("model", Text),
            column("starts", _MOMENT),
            column("ends", _MOMENT),
        )
        .render_derived("change")
    )


def for_routes(
    session: Session,
    tenant: int,
    route_ids: Iterable[int],
    starts: datetime | None = None,
    ends: datetime | None = None,
) -> None:
    """Cells of these routes in a time (UTC, half-open; None: without a bound)."""
    ids = list(route_ids)
    if not ids:
        return
    every = func.unnest(literal(ids, ARRAY(BigInteger))).table_valued("id").render_derived("every")
    touched = select(
        literal(tenant).label("tenant_id"),
        every.c.id,
        func.coalesce(literal(starts, DateTime(timezone=True)), _FIRST).label("starts"),
        func.coalesce(literal(ends, DateTime(timezone=True)), _LAST).label("ends"),
    ).cte("touched")
    _wait(session, touched)


def for_slots(session: Session, tenant: int, again: Iterable[tuple[datetime, int]]) -> None:
    """Cells of these slots (UTC) and routes."""
    found = sorted(again)
    if not found:
        return
    every = (
        func.unnest(
            literal([slot for slot, _route_id in found], ARRAY(DateTime(timezone=True))),
            literal([route_id for _slot, route_id in found], ARRAY(BigInteger)),
        )
        .table_valued(column("slot", DateTime(timezone=True)), column("id", BigInteger))
        .render_derived("every")
    )
    touched = select(
        literal(tenant).label("tenant_id"),
        every.c.id,
        every.c.slot.label("starts"),
        (every.c.slot + SLOT).label("ends"),
    ).cte("touched")
    _wait(session, touched)


def _wait(session: Session, touched: CTE, which: ColumnElement[bool] | None = None) -> None:
    key = list(cells.primary_key.columns)
    # In the order of the key, as the roll job goes: two that wait for each other's cells would
    # deadlock. Also those that wait already: a charge run may be about to say that they don't.
    locked = (
        select(*key)
        .join_from(
            cells,
            touched,
            _in_time(touched),
        )
        .where(true() if which is None else which)
        .order_by(*key)
        .with_for_update(of=cells)
        .cte("locked")
    )
    session.execute(
        update(cells)
        .values(charged=False)
        .where(*(cells.c[each.name] == locked.c[each.name] for each in key))
    )
