"""Which values of each dimension the ledger has in a time: what one can choose from in a filter."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Select, Text, and_, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from store.breakdowns.dimensions import OWNED, ROUTED, Question
from store.breakdowns.shown_routes import shown_routes
from store.spending.booked_lines import MONEY, TAKEN_IN, Asked, added_up
from store.tables.heard import owners

MOST: Final = 40
"""Values of a dimension, dearest first. More would be no list to choose from."""


def seen_values(
    session: Session, question: Question, tenant: int
) -> Mapping[str, tuple[str | None, ...]]:
    """By dimension, what the calls and charges of a question's period say, dearest first.

    None stands for what has no value. Of the question's filters only ``team`` counts. At most MOST
    of a dimension. Read from sums of days, in one statement; usage that no charge was posted for
    yet is not in it.
    """
    asked = Asked(tenant, question.period)
    key = ("payer_id", "route_id")
    parts = [
        select(*(found.c[name] for name in key), _weight(found, sums).label("weight"))
        for found, sums in (
            (added_up(session, MONEY, asked, key), "amount"),
            (added_up(session, TAKEN_IN, asked, key), None),
        )
    ]
    seen = union_all(*parts).cte("seen")
    routes = shown_routes(tenant).alias("named_routes")
    named = (
        select(
            *(owners.c[name] for name in OWNED),
            *(routes.c[name] for name in ROUTED),
            func.sum(seen.c.weight).label("weight"),
        )
        .outerjoin_from(
            seen, owners, and_(owners.c.tenant_id == tenant, owners.c.id == seen.c.payer_id)
        )
        .outerjoin(routes, and_(routes.c.tenant_id == tenant, routes.c.id == seen.c.route_id))
        .group_by(*(owners.c[name] for name in OWNED), *(routes.c[name] for name in ROUTED))
    )
    if teams := question.filters.get("team"):
        named = named.where(owners.c.team.in_(teams))
    each = named.cte("named")
    found: dict[str, list[str | None]] = defaultdict(list)
    lists = [_list(each, name).subquery(name) for name in (*OWNED, *ROUTED)]
    for row in session.execute(union_all(*(select(listed) for listed in lists))):
        found[row.dimension].append(row.value)
    return {name: tuple(values) for name, values in found.items()}


def _weight(found: Any, name: str | None) -> Any:
    return literal(0) if name is None else found.c[name]


def _list(each: Any, name: str) -> Select[str, str]:
    value = cast(each.c[name], Text).label("value")
    return (
        select(literal(name).label("dimension"), value)
        .group_by(value)
        .order_by(func.sum(each.c.weight).desc(), value.nulls_last())
        .limit(MOST)
    )
