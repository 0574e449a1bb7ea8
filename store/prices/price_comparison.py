"""Compares the two public lists, with how much was called of what they price."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.periods import Period
from spend.prices.discrepancies import ABOVE, Compared, compared
from spend.prices.prices import LIST, SUPPLEMENT
from store.prices import books, listings
from store.prices.books import Pair
from store.spending.booked_lines import TAKEN_IN
from store.spending.by_days import by_days
from store.tables.heard import routes

RECENTLY: Final = timedelta(days=30)
_LEAST: Final = timedelta(microseconds=1)


def price_comparison(
    session: Session,
    tenant: int,
    *,
    at: datetime,
    above: Decimal = ABOVE,
    recently: timedelta = RECENTLY,
    pairs: Collection[Pair] | None = None,
) -> list[Compared]:
    """All prices of either list at ``at`` (UTC), those to look at first; of ``pairs`` only.

    Calls are counted that were ``recently`` before.
    """
    return compared(
        books.public_lines(session, LIST, pairs),
        books.public_lines(session, SUPPLEMENT, pairs),
        listings.names(session, tenant),
        _recent_calls(session, tenant, at, recently),
        at=at,
        above=above,
    )


def _recent_calls(
    session: Session, tenant: int, at: datetime, recently: timedelta
) -> dict[Pair, int]:
    counted = by_days(session, TAKEN_IN, tenant, Period(at - recently, at + _LEAST))
    by_route = (
        select(counted.c.route_id, func.sum(counted.c.calls).label("calls"))
        .group_by(counted.c.route_id)
        .subquery("by_route")
    )
    rows = session.execute(
        select(routes.c.provider, routes.c.model, func.sum(by_route.c.calls))
        .join_from(by_route, routes, routes.c.id == by_route.c.route_id)
        .where(
            routes.c.tenant_id == tenant,
            routes.c.provider.is_not(None),
            routes.c.model.is_not(None),
        )
        .group_by(routes.c.provider, routes.c.model)
    )
    return {(provider, model): int(calls) for provider, model, calls in rows}
