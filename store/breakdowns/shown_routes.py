"""Routes as reports show them: a failure stands beside the successes of its model.

Providers answer ``gpt-5-mini`` as ``gpt-5-mini-2026-01-01``. A call that failed has no answer, and
would stand under the name that was asked for, as if that were another model that always fails. So
where just one model has answered to a name, the name is shown as that model.

Which models have answered changes with time. As it was known at a moment, it goes by the routes of
which usage had been taken into the ledger by then.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select, true

from store.tables.days import known_routes
from store.tables.heard import routes
from store.tables.ledger import usage_lines
from store.tables.pools import ledgers

_KEPT: Final = 32
"""Of moments too, which are many."""


@lru_cache(maxsize=_KEPT)
def shown_routes(tenant: int, known_at: datetime | None = None) -> Subquery:
    """The columns of ``routes``, with the model that reports show, now or at a moment (UTC).

    The same one each time: a page asks for it twenty times, and writing it takes a millisecond.
    """
    asked = routes.alias("asked")
    answering = (
        select(asked.c.provider, asked.c.request_model, func.min(asked.c.model).label("model"))
        .where(
            asked.c.tenant_id == tenant,
            asked.c.model != asked.c.request_model,
            true() if known_at is None else _known(tenant, asked.c.id, known_at),
        )
        .group_by(asked.c.provider, asked.c.request_model)
        .having(func.count(asked.c.model.distinct()) == 1)
        .subquery("answering")
    )
    same = and_(
        answering.c.provider == routes.c.provider, answering.c.request_model == routes.c.model
    )
    return (
        select(
            *(column for column in routes.c if column.name != "model"),
            func.coalesce(answering.c.model, routes.c.model).label("model"),
        )
        .outerjoin_from(routes, answering, same)
        .where(routes.c.tenant_id == tenant)
        .subquery("shown_routes")
    )


def _known(tenant: int, route_id: ColumnElement[int], known_at: datetime) -> ColumnElement[bool]:
    """Those noted, and those of lines that are not looked at yet (``store/spending/days.py``)."""
    noted = select(known_routes.c.route_id).where(
        known_routes.c.tenant_id == tenant, known_routes.c.known_at <= known_at
    )
    summed_to = select(ledgers.c.usage_summed_to).where(ledgers.c.tenant_id == tenant)
    beyond = select(usage_lines.c.route_id).where(
        usage_lines.c.tenant_id == tenant,
        usage_lines.c.id > func.coalesce(summed_to.scalar_subquery(), 0),
        usage_lines.c.posted_at <= known_at,
    )
    return or_(route_id.in_(noted), route_id.in_(beyond))
