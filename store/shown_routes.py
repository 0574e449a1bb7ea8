"""Routes as reports show them: a failure stands beside the successes of its model.

Providers answer ``gpt-5-mini`` as ``gpt-5-mini-2026-01-01``. A call that failed has no answer, and
would stand under the name that was asked for, as if that were another model that always fails. So
where just one model has answered to a name, the name is shown as that model.
"""

from sqlalchemy import Subquery, and_, func, select

from store.tables.heard import routes

_asked = routes.alias("asked")
_answering = (
    select(
        _asked.c.tenant_id,
        _asked.c.provider,
        _asked.c.request_model,
        func.min(_asked.c.model).label("model"),
    )
    .where(_asked.c.model != _asked.c.request_model)
    .group_by(_asked.c.tenant_id, _asked.c.provider, _asked.c.request_model)
    .having(func.count(_asked.c.model.distinct()) == 1)
    .subquery("answering")
)

SHOWN_ROUTES: Subquery = (
    select(
        *(column for column in routes.c if column.name != "model"),
        func.coalesce(_answering.c.model, routes.c.model).label("model"),
    )
    .outerjoin_from(
        routes,
        _answering,
        and_(
            _answering.c.tenant_id == routes.c.tenant_id,
            _answering.c.provider == routes.c.provider,
            _answering.c.request_model == routes.c.model,
        ),
    )
    .subquery("shown_routes")
)
"""The columns of ``routes``, with the model that reports show."""
