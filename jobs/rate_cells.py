"""What cells cost by the price book, in columns: the rules of ``spend/rating.py`` for many at once.

Columns are numpy arrays of int64, one element a cell. Money is a whole number of 1e-12. Where a
sum or a product could pass 2**63, that column is worked out in Python's integers instead, which
have no bound: slower, and the same. Nothing is ever a float.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spend import money, rating
from spend.calls import Outcome, Route
from spend.knowledge import AS_HEARD, Knowledge
from spend.meters import DISJOINT
from spend.prices import Epochs, PriceBook
from spend.rating import CHARGED, EXTRAS, PARTS, REQUESTS, WHOLES, Rate, Rates

Column = npt.NDArray[Any]
"""int64; or Python's integers, where these could be too small."""
Cells = Mapping[str, Column]
"""Columns CELL of ``store/ledger.py``; ``slot`` in microseconds since 1970, UTC."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = 2**63 - 1
_SUMMED: Final = (*DISJOINT, *EXTRAS, *WHOLES)


def columns(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Cells:
    """Rows of cells as columns."""
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    return {
        name: np.array(
            [microseconds(each) for each in column] if name == "slot" else column, dtype=np.int64
        )
        for name, column in zip(names, values, strict=True)
    }


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC: exact."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(microseconds_: int) -> datetime:
    """The moment (UTC) that so many microseconds after 1970 is."""
    return _EPOCH + microseconds_ * _MICROSECOND


class Prices:
    """Rates of routes, remembered as long as their prices stay the same."""

    def __init__(
        self, book: PriceBook, routes: Mapping[int, Route], knowledge: Knowledge = AS_HEARD
    ) -> None:
        self.book = book
        self.routes = routes
        self._knowledge = knowledge
        self._epochs = {
            id_: book.changes(route).also(knowledge.moments) for id_, route in routes.items()
        }
        self._known: dict[tuple[int, int, int], Rates] = {}

    def at(self, route_id: int, band: int, slot: datetime) -> Rates:
        """The rates of a cell. Prices change on quarter hours only, so a cell has one."""
        key = (route_id, band, self._epochs[route_id].of(slot))
        if key not in self._known:
            route = self.routes[route_id]
            known_at = self._knowledge.of(slot)
            self._known[key] = rating.rates(self.book, route, band=band, at=slot, known_at=known_at)
        return self._known[key]

    def epochs(self, route_id: int, slots: Column) -> Column:
        """For each slot the number of the stretch of unchanged prices that holds it."""
        epochs: Epochs = self._epochs[route_id]
        moments = np.array([microseconds(each) for each in epochs.moments], dtype=np.int64)
        return np.searchsorted(moments, slots, side="right")


@dataclass(frozen=True, slots=True)
class Charged:
    """What places are charged for one meter; an element for each place that used it."""

    meter: str
    place: Column
    """Its number among the places of ``Rated``."""
    quantity: Column
    amount: Column
    """1e-12 of the currency, as the next."""
    list_amount: Column
    """0 where the place's rate has no list price."""


@dataclass(frozen=True, slots=True)
class Rated:
    """Cells with what they cost."""

    slot: Column
    """Of each place, as the next four; a place is what shares its charges."""
    owner_id: Column
    route_id: Column
    band: Column
    rates: Sequence[Rates]
    rates_at: Column
    """Of each place, its number in ``rates``."""
    charged: Sequence[Charged]
    unpriced_calls: Column
    """Of each cell, as the next: what of it has no known cost."""
    unpriced_tokens: Column


def rate(cells: Cells, prices: Prices) -> Rated:
    """Prices cells: each meter times its rate, or nothing where one is missing."""
    slot_at, slots = _distinct(cells["slot"])
    route_at, routes = _distinct(cells["route_id"])
    owner_at, owners = _distinct(cells["owner_id"])
    bands = int(cells["band"].max(initial=0)) + 1
    route_band = route_at * bands + cells["band"]
    rates_at, found = _rates(cells, prices, (slot_at, slots), (route_at, routes), route_band)
    used, missing = _used(cells, rates_at, found)
    key = (slot_at * max(len(owners), 1) + owner_at) * (len(routes) * bands or 1) + route_band
    place, distinct = _distinct(key)
    first = _first(place, len(distinct))
    of_place = rates_at[first]
    return Rated(
        slot=cells["slot"][first],
        owner_id=cells["owner_id"][first],
        route_id=cells["route_id"][first],
        band=cells["band"][first],
        rates=found,
        rates_at=of_place,
        charged=[
            _charged(meter, _sums(np.where(missing, 0, used[meter]), place, first), of_place, found)
            for meter in CHARGED
            if meter in used
        ],
        unpriced_calls=_unpriced_calls(cells, rates_at, found, missing),
        # Tokens that a metric told may be of no known call.
        unpriced_tokens=np.where(missing, sum(_exact(cells[meter]) for meter in DISJOINT), 0),
    )


def _distinct(values: Column) -> tuple[Column, Column]:
    """For each value its number, and the values by their numbers."""
    encoded = pa.array(values).dictionary_encode()
    number = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return number, encoded.dictionary.to_numpy(zero_copy_only=False)


def _first(number: Column, count: int) -> Column:
    """For each number the place of its first occurrence."""
    first = np.empty(count, dtype=np.int64)
    first[number[::-1]] = np.arange(len(number) - 1, -1, -1)
    return first


def _rates(
    cells: Cells,
    prices: Prices,
    slot: tuple[Column, Column],
    route: tuple[Column, Column],
    route_band: Column,
) -> tuple[Column, list[Rates]]:
    """For each cell the number of its rates, and the rates by their numbers."""
    (slot_at, slots), (route_at, routes) = slot, route
    if not len(slot_at):
        return slot_at, []
    epochs = np.stack([prices.epochs(int(id_), slots) for id_ in routes])
    epoch = epochs[route_at, slot_at]
    rates_at, distinct = _distinct(route_band * (int(epochs.max()) + 1) + epoch)
    found = [
        prices.at(
            int(cells["route_id"][first]),
            int(cells["band"][first]),
            moment_of(int(cells["slot"][first])),
        )
        for first in _first(rates_at, len(distinct))
    ]
    return rates_at, found


def _used(
    cells: Cells, rates_at: Column, rates: Sequence[Rates]
) -> tuple[dict[str, Column], Column]:
    """How much of each meter a cell is charged, and whether any of it has no price.

    Meters that no cell is charged for are left out.
    """
    used = {}
    for meter in _SUMMED:
        quantity = _requests(cells, rates_at, rates) if meter == REQUESTS else cells[meter]
        if not quantity.any():
            continue
        if meter not in DISJOINT:
            is_charged = np.array([each.is_charged(meter) for each in rates])
            quantity = np.where(is_charged[rates_at], quantity, 0)
        used[meter] = quantity
    for part, whole in PARTS.items():
        apart = np.array([part in each.lines for each in rates])
        if whole in used and apart.any() and cells[part].any():
            at_most = np.minimum(cells[part], used[whole])
            used[part] = np.where(apart[rates_at], at_most, 0)
            used[whole] = used[whole] - used[part]
    missing = np.zeros(len(rates_at), dtype=bool)
    for meter, quantity in used.items():
        has_price = np.array([meter in each.lines for each in rates])
        if not has_price.all():
            missing |= ~has_price[rates_at] & (quantity != 0)
    return used, missing


def _requests(cells: Cells, rates_at: Column, rates: Sequence[Rates]) -> Column:
    """Calls that ended well; without those whose cost is unknown, as they did not say enough."""
    by_request = np.array([each.by_request for each in rates])
    told = np.where(by_request[rates_at], cells["calls"], cells["calls"] - cells["unmetered_calls"])
    return np.where(cells["outcome"] == Outcome.OK, told, 0)


def _unpriced_calls(
    cells: Cells, rates_at: Column, rates: Sequence[Rates], missing: Column
) -> Column:
    """Of a cell that failed, all calls: which of them used something, it has forgotten.

    A cell that ended well knows its calls that reported nothing.
    """
    by_request = np.array([each.by_request for each in rates], dtype=bool)
    silent = np.where(by_request[rates_at], 0, cells["unmetered_calls"])
    return np.where(missing, cells["calls"], silent)


def _exact(column: Column) -> Column:
    """In Python's integers where some of its sums could be too large for 64 bits."""
    if len(column) and int(np.abs(column).max()) * (len(column) + len(_SUMMED)) > _LARGEST:
        return column.astype(object)
    return column


def _sums(quantity: Column, place: Column, first: Column) -> Column:
    """The sum over each place."""
    if len(first) == len(place):
        return quantity
    quantity = _exact(quantity)
    sums = np.zeros(len(first), dtype=quantity.dtype)
    np.add.at(sums, place, quantity)
    return sums


def _charged(meter: str, sums: Column, rates_at: Column, rates: Sequence[Rates]) -> Charged:
    place = np.flatnonzero(sums)
    quantity = sums[place]
    of = [each.lines.get(meter) for each in rates]
    return Charged(
        meter,
        place,
        quantity,
        _times(quantity, _per_unit(of, listed=False)[rates_at[place]]),
        _times(quantity, _per_unit(of, listed=True)[rates_at[place]]),
    )


def _per_unit(rates: Sequence[Rate | None], *, listed: bool) -> Column:
    """What one unit costs; 0 where that is not known."""
    prices = [
        None if each is None else each.list_unit_price if listed else each.unit_price
        for each in rates
    ]
    # Less than 10**18: a unit price has at most 12 digits before the point, and 6 behind it.
    return np.array(
        [0 if each is None else money.atoms(money.per_unit(each)) for each in prices],
        dtype=np.int64,
    )


def _times(quantity: Column, per_unit: Column) -> Column:
    if len(quantity) and int(np.abs(quantity).max()) * int(per_unit.max()) > _LARGEST:
        quantity = quantity.astype(object)
    product: Column = quantity * per_unit
    return product
