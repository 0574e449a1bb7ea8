"""Pages of the price book, for people: which lines there are, and were believed when."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from spend.prices.prices import PriceLine
from store.prices import books
from store.prices.books import Pair
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
        wanted.append(_in_force(at))
    exactly = [
        column == value
        for column, value in ((prices.c.provider, provider), (prices.c.model, model))
        if value is not None
    ]
    if exactly:
        wanted.append(or_(and_(*exactly), _as_listed(tenant, provider, model)))
    rows = session.execute(select(*books.LINE).where(*wanted).order_by(prices.c.id).limit(at_most))
    return [books.line_of(row) for row in rows]


def lines_by_model(
    session: Session,
    tenant: int,
    *,
    words: Sequence[str] = (),
    meter: str | None = None,
    book: str | None = None,
    pairs: Collection[Pair] | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    after: Pair = ("", ""),
    at_most: int,
) -> list[PriceLine]:
    """All lines of the next ``at_most`` models after one, by provider, model and meter.

    ``words``: parts that the names of provider and model together have, in whatever case.
    ``pairs``: of these providers and models only. ``at`` and ``known_at`` as of ``page``.
    """
    wanted = [prices.c.tenant_id.in_((PUBLIC, tenant)), books.known(known_at)]
    if at is not None:
        wanted.append(_in_force(at))
    if meter is not None:
        wanted.append(prices.c.meter == meter)
    if book is not None:
        wanted.append(prices.c.book == book)
    place = tuple_(prices.c.provider, prices.c.model)
    names = func.lower(prices.c.provider.concat(" ").concat(prices.c.model))
    models = [func.strpos(names, word.lower()) > 0 for word in words]
    if pairs is not None:
        models.append(place.in_(books.pair_rows(pairs)))
    chosen = (
        select(prices.c.provider, prices.c.model)
        .where(*wanted, *models, place > tuple_(*after))
        .distinct()
        .order_by(prices.c.provider, prices.c.model)
        .limit(at_most)
    )
    rows = session.execute(
        select(*books.LINE)
        .where(*wanted, place.in_(chosen))
        .order_by(prices.c.provider, prices.c.model, prices.c.id)
    )
    return [books.line_of(row) for row in rows]


def _in_force(at: datetime) -> ColumnElement[bool]:
    return and_(prices.c.valid_from <= at, or_(prices.c.valid_to.is_(None), prices.c.valid_to > at))


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
