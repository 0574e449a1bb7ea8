"""The lines that the ledger lacks, to say of places what they are to cost by the price book.

A line stands as it is as long as everything that it says holds: who pays, by which price, at which
unit prices, with which surcharge and discount. More of the same is added, less is taken off. What
holds no more is reversed as it was posted, and what holds instead is posted anew.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from jobs.charging.rate_cells import Rated, moment_of
from spend import money
from spend.prices.discounts import Discount
from spend.prices.prices import PriceLine
from spend.prices.rating import METHOD, Rate
from store.ledger import ledger
from store.ledger.ledger import POSTED, NewCharge, Place

PayerOf = Callable[[int, datetime], int]
"""Owner of a cell and slot -> the owner who pays."""

_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Target:
    """What the ledger is to say of one meter at one place."""

    place: Place
    meter: str
    rate: Rate
    quantity: int
    amount: Decimal
    list_amount: Decimal | None


def targets(rated: Rated) -> Iterator[Target]:
    """What places are to cost; prices that depend on the month's volume at the first step."""
    moment = functools.cache(moment_of)
    for meter, lines in rated.lines.items():
        for row in zip(*(lines[name].tolist() for name in lines), strict=True):
            slot, owner_id, route_id, band, rates, quantity, amount, list_amount = row
            rate = rated.rates[rates].lines[meter]
            yield Target(
                (moment(slot), owner_id, route_id, band),
                meter,
                rate,
                quantity,
                money.amount(amount),
                None if rate.list_unit_price is None else money.amount(list_amount),
            )


@dataclass(frozen=True, slots=True)
class Books:
    """What the ids on charges stand for: every one that is posted at the places in question."""

    prices: Mapping[int, PriceLine]
    discounts: Mapping[int, Discount]


def ids_in(posted: Iterable[Sequence[Any]]) -> tuple[set[int], set[int]]:
    """Ids of price lines, and of discounts and uplifts, in rows of POSTED."""
    prices: set[int] = set()
    discounts: set[int] = set()
    for row in posted:
        prices.add(row[_PRICE])
        discounts.update(id_ for id_ in (row[_UPLIFT], row[_DISCOUNT]) if id_ is not None)
    return prices, discounts


_PRICE: Final = POSTED.index("price_id")
_UPLIFT: Final = POSTED.index("uplift_id")
_DISCOUNT: Final = POSTED.index("discount_id")

_Key = tuple[Place, str, int, int]
"""Place, meter, payer, and the number of what is said of the price."""


class Said:
    """Numbers for what lines say of their price: the same for the same, whichever ids say it."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._numbers: dict[object, int] = {}
        self._of_ids: dict[object, int] = {}
        self._of_rates: dict[int, int] = {}

    def line(self, price_id: int) -> PriceLine:
        """The price line that a posted line names."""
        return self._books.prices[price_id]

    def by_rate(self, rate: Rate) -> int:
        """Of a rate, which lives as long as we are asked of it."""
        if id(rate) not in self._of_rates:
            self._of_rates[id(rate)] = self._number(
                rate.price, rate.unit_price, rate.list_unit_price, rate.uplift, rate.discount
            )
        return self._of_rates[id(rate)]

    def by_ids(
        self,
        price_id: int,
        unit_price: Decimal | None,
        list_unit_price: Decimal | None,
        uplift_id: int | None,
        discount_id: int | None,
    ) -> int:
        """Of a posted line."""
        key = (price_id, unit_price, list_unit_price, uplift_id, discount_id)
        if key not in self._of_ids:
            self._of_ids[key] = self._number(
                self._books.prices[price_id],
                unit_price,
                list_unit_price,
                None if uplift_id is None else self._books.discounts[uplift_id],
                None if discount_id is None else self._books.discounts[discount_id],
            )
        return self._of_ids[key]

    def _number(
        self,
        price: PriceLine,
        unit_price: Decimal | None,
        list_unit_price: Decimal | None,
        uplift: Discount | None,
        discount: Discount | None,
    ) -> int:
        said = (
            price.subject,
            price.currency,
            unit_price,
            list_unit_price,
            uplift and uplift.effect,
            discount and discount.effect,
        )
        return self._numbers.setdefault(said, len(self._numbers))


@dataclass(slots=True)
class _Standing:
    """The sum of posted lines that say the same but for how much."""

    price_id: int
    unit_price: Decimal | None
    list_unit_price: Decimal | None
    uplift_id: int | None
    discount_id: int | None
    quantity: Decimal
    list_amount: Decimal | None
    contracted_amount: Decimal
    amount: Decimal
    billed_amount: Decimal

    def add(self, other: "_Standing") -> None:
        """Takes in lines of another id that say the same."""
        self.price_id = max(self.price_id, other.price_id)
        self.quantity = money.EXACT.add(self.quantity, other.quantity)
        self.list_amount = _added(self.list_amount, other.list_amount)
        self.contracted_amount = money.EXACT.add(self.contracted_amount, other.contracted_amount)
        self.amount = money.EXACT.add(self.amount, other.amount)
        self.billed_amount = money.EXACT.add(self.billed_amount, other.billed_amount)


def _added(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else money.EXACT.add(one, other)


def lacking(
    wanted: Iterable[Target],
    posted: Iterable[Sequence[Any]],
    books: Books,
    payer_of: PayerOf,
) -> Iterator[NewCharge]:
    """The lines that make the ledger (rows POSTED of the same places) say what ``wanted`` says."""
    said = Said(books)
    standing = _standing(posted, said)
    stands = {key[:2] for key, held in standing.items() if held.quantity}
    target = {
        (
            each.place,
            each.meter,
            payer_of(each.place[1], each.place[0]),
            said.by_rate(each.rate),
        ): each
        for each in wanted
    }
    for key in sorted(target.keys() | standing.keys()):
        yield from _difference(key, target.get(key), standing.get(key), stands, said)


def _standing(posted: Iterable[Sequence[Any]], said: Said) -> dict[_Key, _Standing]:
    found: dict[_Key, _Standing] = {}
    for slot, owner_id, route_id, band, meter, payer_id, *values in posted:
        held = _Standing(*values)
        number = said.by_ids(
            held.price_id,
            held.unit_price,
            held.list_unit_price,
            held.uplift_id,
            held.discount_id,
        )
        key = ((slot, owner_id, route_id, band), meter, payer_id, number)
        if key in found:
            found[key].add(held)
        else:
            found[key] = held
    return found


def _difference(
    key: _Key,
    target: Target | None,
    held: _Standing | None,
    stands: Collection[tuple[Place, str]],
    said: Said,
) -> Iterator[NewCharge]:
    place, meter, payer_id, _number = key
    before = _NOTHING if held is None else held.quantity
    if target is None:
        if held is not None and before:
            yield _reversed(key, held, said.line(held.price_id).currency)
        return
    more = money.EXACT.subtract(Decimal(target.quantity), before)
    if not more:
        return
    # At another price before, or less than before: that is a correction. More at the same price
    # is what came later.
    other_price = not before and (place, meter) in stands
    amount, list_amount = target.amount, target.list_amount
    if held is not None and before:
        amount = money.EXACT.subtract(amount, held.amount)
        if list_amount is not None and held.list_amount is not None:
            list_amount = money.EXACT.subtract(list_amount, held.list_amount)
    rate = target.rate
    yield NewCharge(
        kind=ledger.CORRECTION if more < 0 or other_price else ledger.ORIGINAL,
        slot=place[0],
        owner_id=place[1],
        route_id=place[2],
        band=place[3],
        meter=meter,
        price_id=rate.price.id,
        currency=rate.price.currency,
        quantity=more,
        list_unit_price=rate.list_unit_price,
        unit_price=rate.unit_price,
        uplift_id=_id_of(rate.uplift),
        discount_id=_id_of(rate.discount),
        list_amount=list_amount,
        amount=amount,
        method=METHOD,
        payer_id=payer_id,
    )


def _id_of(discount: Discount | None) -> int | None:
    return None if discount is None else discount.id


def _reversed(key: _Key, held: _Standing, currency: str) -> NewCharge:
    """Takes back what was posted, as it was posted."""
    place, meter, payer_id, _number = key
    return NewCharge(
        kind=ledger.CORRECTION,
        slot=place[0],
        owner_id=place[1],
        route_id=place[2],
        band=place[3],
        meter=meter,
        price_id=held.price_id,
        currency=currency,
        quantity=held.quantity.copy_negate(),
        list_unit_price=held.list_unit_price,
        unit_price=held.unit_price,
        uplift_id=held.uplift_id,
        discount_id=held.discount_id,
        list_amount=None if held.list_amount is None else held.list_amount.copy_negate(),
        contracted_amount=held.contracted_amount.copy_negate(),
        amount=held.amount.copy_negate(),
        billed_amount=held.billed_amount.copy_negate(),
        method=METHOD,
        payer_id=payer_id,
    )
