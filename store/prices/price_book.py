"""The price book as far as some routes need it: price lines, names in the list, discounts."""

from collections.abc import Collection, Iterable

from sqlalchemy.orm import Session

from spend.calls import Route
from spend.prices.discounts import Discounts
from spend.prices.prices import PriceBook, wanted
from store.prices import books, listings
from store.prices.books import Pair
from store.prices.discounts import discounts_of


def book_for(
    session: Session,
    tenant: int,
    routes: Collection[Route],
    *,
    currency: str | None = None,
    also: Iterable[Pair] = (),
) -> PriceBook:
    """What can price calls of ``routes``, with all that was known when.

    ``currency``: lines in this one alone; None: in all. ``also``: of these (provider, model), too.
    """
    names = listings.names(session, tenant)
    lines = books.lines_for(session, tenant, wanted(routes, names).union(also), currency=currency)
    providers = {route.provider for route in routes if route.provider is not None}
    return PriceBook(lines, names, Discounts(discounts_of(session, tenant, providers)))
