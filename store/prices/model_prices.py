"""Everything that prices one model: its routes, the lines that can hold for it, discounts."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from spend.calls import Route
from spend.patterns import fits_one
from spend.prices.discounts import Discount, Discounts
from spend.prices.prices import PriceBook, PriceLine, wanted
from store import parties
from store.prices import books, listings
from store.prices.books import Pair
from store.prices.discounts import discounts_of


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """What is known of the prices of a provider's model."""

    routes: frozenset[Route]
    """As it was called."""
    listed_as: Pair | None
    """The provider and model that a public list has it by; None: by none."""
    lines: tuple[PriceLine, ...]
    """All that can price it, also those no longer believed, in the order in which they entered."""
    discounts: tuple[Discount, ...]
    """Discounts and uplifts that name it, likewise."""
    book: PriceBook
    """The lines, ready to be asked."""


def model_prices(session: Session, tenant: int, pair: Pair) -> ModelPrices:
    """What is known of the prices of a provider's model, whether it was called or not."""
    called = parties.routes_called(session, tenant, pair)
    names = listings.names(session, tenant)
    asked = called or {Route(provider=pair[0], model=pair[1], deployment="api")}
    lines = books.lines_for(session, tenant, wanted(asked, names) | {pair})
    discounts = discounts_of(session, tenant, {pair[0]})
    listed = names.get(pair)
    known_as = {pair[1]} | ({listed[1]} if listed else set())
    return ModelPrices(
        routes=frozenset(called),
        listed_as=listed,
        lines=tuple(lines),
        discounts=tuple(
            each for each in discounts if any(fits_one(name, [each.model]) for name in known_as)
        ),
        book=PriceBook(lines, names, Discounts(discounts)),
    )
