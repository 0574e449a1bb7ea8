"""Compares the two public lists, with how much was called of what they price."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.discrepancies import ABOVE, Compared, compared
from spend.prices import LIST, SUPPLEMENT
from store import books, listings
from store.books import Pair
from store.tables.heard import routes
from store.tables.rollups import cells

RECENTLY: Final = timedelta(days=30)


def price_comparison(
    session: Session,
    tenant: int,
    *,
    at: datetime,
    above: Decimal = ABOVE,
    recently: timedelta = RECENTLY,
) -> list[Compared]:
    """All prices of either list at ``at`` (UTC), those to look at first.

    Calls are counted that were ``recently`` before.
    """
    return compared(
        books.public_lines(session, LIST),
        books.public_lines(session, SUPPLEMENT),
        listings.names(session, tenant),
        _recent_calls(session, tenant, at, recently),
        at=at,
        above=above,
    )


def _recent_calls(
    session: Session, tenant: int, at: datetime, recently: timedelta
) -> dict[Pair, int]:
    rows = session.execute(
        select(routes.c.provider, routes.c.model, func.sum(cells.c.calls))
        .join_from(
            cells,
            routes,
            (routes.c.tenant_id == cells.c.tenant_id) & (routes.c.id == cells.c.route_id),
        )
        .where(
            cells.c.tenant_id == tenant,
            cells.c.slot >= at - recently,
            cells.c.slot <= at,
            routes.c.provider.is_not(None),
            routes.c.model.is_not(None),
        )
        .group_by(routes.c.provider, routes.c.model)
    )
    return {(provider, model): int(calls) for provider, model, calls in rows}
