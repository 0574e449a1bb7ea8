"""Pages of the price book, for people: which lines there are, and were believed when."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import Session

from spend.prices import PriceLine
from store import books
from store.tables.prices import model_names, prices
from store.tenants import PUBLIC


def page(
    session: Session,
    tenant: int,
    *,
    provider: str | None = None,
    model: str | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    after: int = 0,
    at_most: int,
) -> list[PriceLine]:
    """Lines of contract and list in the order of their ids, after an id.

    ``at``: only lines in force then. ``known_at``: the book as it was known then; None: now. With
    a provider and a model also the lines that the model is listed by.
    """
    wanted = [prices.c.tenant_id.in_((PUBLIC, tenant)), prices.c.id > after, books.known(known_at)]
    if at is not None:
        wanted += [
            prices.c.valid_from <= at,
            or_(prices.c.valid_to.is_(None), prices.c.valid_to > at),
        ]
    exactly = [
        column == value
        for column, value in ((prices.c.provider, provider), (prices.c.model, model))
        if value is not None
    ]
    if exactly:
        wanted.append(or_(and_(*exactly), _as_listed(tenant, provider, model)))
    rows = session.execute(select(*books.LINE).where(*wanted).order_by(prices.c.id).limit(at_most))
    return [books.line_of(row) for row in rows]


def _as_listed(tenant: int, provider: str | None, model: str | None) -> ColumnElement[bool]:
    if provider is None or model is None:
        return false()
    return exists().where(
        model_names.c.tenant_id == tenant,
        model_names.c.provider == provider,
        model_names.c.model == model,
        model_names.c.listed_provider == prices.c.provider,
        model_names.c.listed_model == prices.c.model,
    )


def lines_known(session: Session, ids: tuple[int, ...]) -> list[PriceLine]:
    """The lines with these ids, in their order."""
    rows = session.execute(select(*books.LINE).where(prices.c.id.in_(ids)))
    found = {row.id: books.line_of(row) for row in rows}
    return [found[id_] for id_ in ids]
