"""What the ledger and the rollups say of providers, summed as it is compared with their bills."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, SmallInteger, and_, case, func, null, or_, select
from sqlalchemy.orm import Session

from spend.commitments.commitments import PURCHASE
from spend.meters import DISJOINT
from spend.prices.prices import Names
from spend.reconciliation.bill_pieces import Pieces
from spend.reconciliation.bills import CREDIT, FEE, USAGE
from spend.reconciliation.variance import Estimated
from store.bills.bill_sums import MOST_ROWS, moments
from store.breakdowns.grouping import TooManyRowsError
from store.tables.heard import routes
from store.tables.ledger import charges
from store.tables.rollups import cells

Providers = Collection[str]

OF_ROUTES: Final = ("provider", "model", "region", "service_tier")


def estimated(
    session: Session, tenant: int, providers: Providers, pieces: Pieces, names: Names
) -> list[Estimated]:
    """What usage of these providers should be billed, without what their bills have corrected.

    In each currency by itself: usage as contracted, less what commitments cover, and what was paid
    for these. Usage without a price is there with its tokens. Raises TooManyRowsError.
    """
    found = []
    for row in _by_route(
        session, tenant, _charged(tenant, providers, pieces), ("quantity", "amount")
    ):
        said = _said(row, pieces, names)
        money = {"kind": row.kind, "amount": row.amount, "currency": row.currency}
        found.append(Estimated(**said, **money, meter=row.meter, quantity=row.quantity))
    for row in _by_route(session, tenant, _without_price(tenant, providers, pieces), DISJOINT):
        said = _said(row, pieces, names)
        for meter in DISJOINT:
            used = getattr(row, meter)
            if used:
                found.append(
                    Estimated(
                        **said, currency="", meter=meter, quantity=Decimal(used), unpriced=True
                    )
                )
    return found


def _said(row: Any, pieces: Pieces, names: Names) -> dict[str, Any]:
    return {
        "piece": pieces.at(row.piece),
        "model": row.model,
        "listed": names.get((row.provider, row.model), (None, None))[1],
        "region": row.region,
        "service_tier": row.service_tier,
    }


def _by_route(
    session: Session, tenant: int, by_id: Select[Any], sums: Collection[str]
) -> Sequence[Row[Any]]:
    """Sums by route id as sums by what of a route is compared."""
    summed = by_id.subquery("by_id")
    key = [column for column in summed.c if column.name not in {"route_id", *sums}]
    key += [routes.c[name] for name in OF_ROUTES]
    found = session.execute(
        select(*key, *(func.sum(summed.c[name]).label(name) for name in sums))
        .join_from(
            summed, routes, and_(routes.c.tenant_id == tenant, routes.c.id == summed.c.route_id)
        )
        .group_by(*key)
        .limit(MOST_ROWS + 1)
    ).all()
    if len(found) > MOST_ROWS:
        raise TooManyRowsError
    return found


def usage_kind() -> ColumnElement[str]:
    """As what of a bill a line of the ledger is compared."""
    c = charges.c
    return case(
        (and_(c.commitment_id.is_not(None), c.meter == PURCHASE), FEE),
        (c.commitment_id.is_not(None), CREDIT),
        else_=USAGE,
    )


def is_estimate() -> ColumnElement[bool]:
    """Lines that say what should be billed: neither of bills, nor of splits, which come to 0."""
    return and_(charges.c.bill_id.is_(None), charges.c.rule_id.is_(None))


def lacks_price() -> ColumnElement[bool]:
    """Cells that used something without a price, and so have no charge at all."""
    c = cells.c
    return and_(c.charged, or_(c.unpriced_calls > c.unmetered_calls, c.unpriced_tokens > 0))


def of_providers(tenant: int, providers: Providers) -> Select[tuple[int]]:
    """Ids of their routes."""
    return select(routes.c.id).where(
        routes.c.tenant_id == tenant, routes.c.provider.in_(sorted(providers))
    )


def _charged(tenant: int, providers: Providers, pieces: Pieces) -> Select[Any]:
    c = charges.c
    key: list[ColumnElement[Any]] = [
        func.width_bucket(c.slot, moments(pieces.bounds), type_=SmallInteger).label("piece"),
        c.route_id,
        usage_kind().label("kind"),
        case((c.price_id.is_not(None), c.meter), else_=null()).label("meter"),
        c.currency,
    ]
    quantity = func.sum(case((c.price_id.is_not(None), c.quantity), else_=0))
    return (
        select(*key, quantity.label("quantity"), func.sum(c.billed_amount).label("amount"))
        .where(
            c.tenant_id == tenant,
            c.slot >= pieces.whole.start,
            c.slot < pieces.whole.end,
            c.route_id.in_(of_providers(tenant, providers)),
            is_estimate(),
        )
        .group_by(*key)
    )


def _without_price(tenant: int, providers: Providers, pieces: Pieces) -> Select[Any]:
    c = cells.c
    piece = func.width_bucket(c.slot, moments(pieces.bounds), type_=SmallInteger).label("piece")
    return (
        select(piece, c.route_id, *(func.sum(c[name]).label(name) for name in DISJOINT))
        .where(
            c.tenant_id == tenant,
            c.slot >= pieces.whole.start,
            c.slot < pieces.whole.end,
            c.route_id.in_(of_providers(tenant, providers)),
            lacks_price(),
        )
        .group_by(piece, c.route_id)
    )
