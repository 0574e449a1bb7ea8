"""Remembers by which name the public price list has what was called."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, func, select, tuple_, union
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from spend.prices.prices import SUPPLEMENT, Names
from store import waiting
from store.prices.books import Pair, pair_rows
from store.tables.heard import routes
from store.tables.prices import model_names, prices
from store.tenants import PUBLIC

_IN_SUPPLEMENT: Final = and_(
    prices.c.tenant_id == PUBLIC, prices.c.book == SUPPLEMENT, prices.c.known_to.is_(None)
)


def names(session: Session, tenant: int) -> Names:
    """By which (provider, model) a public list has what was called; unlisted ones are absent."""
    found = session.execute(
        select(
            model_names.c.provider,
            model_names.c.model,
            model_names.c.listed_provider,
            model_names.c.listed_model,
        ).where(model_names.c.tenant_id == tenant, model_names.c.listed_model.is_not(None))
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in found}


@dataclass(frozen=True, slots=True)
class Supplement:
    """What the supplement prices, as it is known now."""

    pairs: tuple[Pair, ...]
    newest: int
    """The id of its newest line: another one, and it is another supplement. 0: there is none."""


def supplement(session: Session) -> Supplement:
    """What the supplement prices."""
    rows = session.execute(
        select(prices.c.provider, prices.c.model, func.max(prices.c.id))
        .where(_IN_SUPPLEMENT)
        .group_by(prices.c.provider, prices.c.model)
    ).all()
    return Supplement(
        pairs=tuple(sorted((row[0], row[1]) for row in rows)),
        newest=max((row[2] for row in rows), default=0),
    )


def not_looked_up(session: Session, tenant: int, source: str) -> list[Pair]:
    """What was called or stands in the supplement, and was not looked for in ``source``'s list."""
    called = select(routes.c.provider, routes.c.model).where(
        routes.c.tenant_id == tenant, routes.c.provider.is_not(None), routes.c.model.is_not(None)
    )
    also = select(prices.c.provider, prices.c.model).where(_IN_SUPPLEMENT)
    pairs = union(called, also).subquery()
    found = session.execute(
        select(pairs.c.provider, pairs.c.model)
        .join_from(
            pairs,
            model_names,
            and_(
                model_names.c.tenant_id == tenant,
                model_names.c.provider == pairs.c.provider,
                model_names.c.model == pairs.c.model,
            ),
            isouter=True,
        )
        .where(model_names.c.source.is_distinct_from(source))
        .order_by(pairs.c.provider, pairs.c.model)
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
