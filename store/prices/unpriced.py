"""What was called and has no price: how much, since when, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.orm import Session

from spend.meters import METER_NAMES
from store.tables.heard import routes
from store.tables.rollups import cells

NO_PRICE: Final = "no price"
NOT_REPORTED: Final = "usage not reported"


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls of one model whose cost is unknown for one reason."""

    provider: str | None
    model: str | None
    reason: str
    """NO_PRICE or NOT_REPORTED."""
    calls: int
    usage: dict[str, int]
    """Tokens by meter, of those calls."""
    first_seen: datetime
    """Quarter hour (UTC) of the first call."""
    last_seen: datetime
    """Quarter hour (UTC) of the last call."""


def unpriced(
    session: Session, tenant: int, start: datetime, end: datetime, *, at_most: int
) -> list[Unpriced]:
    """Models with calls of unknown cost in a time (UTC, half-open), those with most calls first.

    Cells that the charge job has not looked at are left out: nothing is known of them yet.
    """
    c = cells.c
    found = [
        *_of(
            session,
            tenant,
            start,
            end,
            NO_PRICE,
            func.greatest(c.unpriced_calls - c.unmetered_calls, 0),
            at_most,
        ),
        *_of(
            session,
            tenant,
            start,
            end,
            NOT_REPORTED,
            func.least(c.unmetered_calls, c.unpriced_calls),
            at_most,
        ),
    ]
    return sorted(found, key=lambda each: -each.calls)[:at_most]


def _of(
    session: Session,
    tenant: int,
    start: datetime,
    end: datetime,
    reason: str,
    calls: ColumnElement[int],
    at_most: int,
) -> list[Unpriced]:
    count = func.sum(calls)
    rows = session.execute(
        select(
            routes.c.provider,
            routes.c.model,
            count.label("calls"),
            func.min(cells.c.slot).label("first_seen"),
            func.max(cells.c.slot).label("last_seen"),
            *(func.sum(cells.c[name]).label(name) for name in METER_NAMES),
        )
        .join_from(
            cells,
            routes,
            (routes.c.tenant_id == cells.c.tenant_id) & (routes.c.id == cells.c.route_id),
        )
        .where(
            cells.c.tenant_id == tenant,
            cells.c.slot >= start,
            cells.c.slot < end,
            # Tokens that a metric told may be of no known call.
            or_(calls > 0, cells.c.unpriced_tokens > 0) if reason == NO_PRICE else calls > 0,
        )
        .group_by(routes.c.provider, routes.c.model)
        .order_by(count.desc())
        .limit(at_most)
    )
    return [_unpriced(row, reason) for row in rows]


def _unpriced(row: Row[*tuple[Any, ...]], reason: str) -> Unpriced:
    # Calls that reported nothing used nothing that we know of: their cells' sums are of the others.
    told = reason == NO_PRICE
    return Unpriced(
        provider=row.provider,
        model=row.model,
        reason=reason,
        calls=int(row.calls),
        usage={name: int(getattr(row, name)) if told else 0 for name in METER_NAMES},
        first_seen=row.first_seen,
        last_seen=row.last_seen,
    )
