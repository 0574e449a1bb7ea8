"""Remembers by which name the public price list has what was called."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import and_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from spend.prices import Names
from store import waiting
from store.books import Pair, pair_rows
from store.tables.heard import routes
from store.tables.prices import model_names


def names(session: Session, tenant: int) -> Names:
    """By which (provider, model) the public list has what was called; unlisted ones are absent."""
    found = session.execute(
        select(
            model_names.c.provider,
            model_names.c.model,
            model_names.c.listed_provider,
            model_names.c.listed_model,
        ).where(model_names.c.tenant_id == tenant, model_names.c.listed_model.is_not(None))
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in found}


def not_looked_up(session: Session, tenant: int, source: str) -> list[Pair]:
    """What was called and has not been looked for in the list that ``source`` names."""
    found = session.execute(
        select(routes.c.provider, routes.c.model)
        .distinct()
        .join_from(
            routes,
            model_names,
            and_(
                model_names.c.tenant_id == routes.c.tenant_id,
                model_names.c.provider == routes.c.provider,
                model_names.c.model == routes.c.model,
            ),
            isouter=True,
        )
        .where(
            routes.c.tenant_id == tenant,
            routes.c.provider.is_not(None),
            routes.c.model.is_not(None),
            model_names.c.source.is_distinct_from(source),
        )
        .order_by(routes.c.provider, routes.c.model)
    )
    return [(row[0], row[1]) for row in found]


def remember(
    session: Session,
    tenant: int,
    found: Mapping[Pair, Pair | None],
    *,
    source: str,
    now: datetime,
) -> None:
    """Remembers what a look-up found (None: not in the list), and makes those cells wait."""
    if not found:
        return
    waiting.lock_ledger(session)
    statement = upsert(model_names)
    kept = ("listed_provider", "listed_model", "source", "looked_up_at")
    rows = [
        {
            "tenant_id": tenant,
            "provider": pair[0],
            "model": pair[1],
            "listed_provider": listed and listed[0],
            "listed_model": listed and listed[1],
            "source": source,
            "looked_up_at": now,
        }
        for pair, listed in sorted(found.items())
    ]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "provider", "model"],
            set_={each: statement.excluded[each] for each in kept},
        ),
        rows,
    )
    concerned = session.scalars(
        select(routes.c.id).where(
            routes.c.tenant_id == tenant,
            tuple_(routes.c.provider, routes.c.model).in_(pair_rows(found)),
        )
    )
    waiting.for_routes(session, tenant, concerned)
