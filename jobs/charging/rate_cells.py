"""What cells cost by the price book, in columns: the rules of spend/prices/rating.py for many.

A table is a pandas frame of int64, a row for each cell. Money is a whole number of 1e-12. Where a
sum or a product could pass 2**63, that column is worked out in Python's integers instead, which
have no bound: slower, and the same. Nothing is ever a float, as no column ever lacks a value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from spend import money
from spend.calls import Outcome, Route
from spend.meters import DISJOINT
from spend.prices import rating
from spend.prices.knowledge import AS_HEARD, Knowledge
from spend.prices.prices import PriceBook
from spend.prices.rating import CHARGED, EXTRAS, PARTS, REQUESTS, WHOLES, Rate, Rates
from store.ledger.ledger import PLACE

Column = npt.NDArray[Any]
"""int64; or Python's integers, where these could be too small."""
Cells = pd.DataFrame
"""Columns CELL of ``store/ledger/ledger.py``; ``slot`` in microseconds since 1970, UTC."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = 2**63 - 1
_SUMMED: Final = (*DISJOINT, *EXTRAS, *WHOLES)


def frame(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Cells:
    """Rows of cells as a frame."""
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    return pd.DataFrame(
        {
            name: np.array(
                [microseconds(each) for each in column] if name == "slot" else column,
                dtype=np.int64,
            )
            for name, column in zip(names, values, strict=True)
        }
    )


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
        moments = [microseconds(each) for each in self._epochs[route_id].moments]
        return np.searchsorted(np.array(moments, dtype=np.int64), slots, side="right")


@dataclass(frozen=True, slots=True)
class Rated:
    """Cells with what they cost."""

    lines: Mapping[str, pd.DataFrame]
    """Meter -> a row for each place that used it. A place is what shares its charges.

    Columns PLACE, ``rates`` (their number in ``rates``), ``quantity``, and ``amount`` and
    ``list_amount`` in 1e-12 of the currency; the latter is 0 where there is no list price.
    """
    rates: Sequence[Rates]
    unpriced: pd.DataFrame
    """A row for each cell: what of it has no known cost, in ``calls`` and ``tokens``."""


def rate(cells: Cells, prices: Prices) -> Rated:
    """Prices cells: each meter times its rate, or nothing where one is missing."""
    rates_at, rates = _rates(cells, prices)
    used, missing = _used(cells, rates_at, rates)
    place = cells.groupby([*PLACE], sort=False).ngroup()
    places = cells[[*PLACE]].assign(rates=rates_at)[~place.duplicated()].reset_index(drop=True)
    priced = {meter: _exact(np.where(missing, 0, quantity)) for meter, quantity in used.items()}
    sums = pd.DataFrame(priced, copy=False)
    if len(places) < len(cells):
        sums = sums.groupby(place, sort=False).sum()
    # Tokens that a metric told may be of no known call.
    tokens = sum(_exact(cells[meter].to_numpy()) for meter in DISJOINT)
    return Rated(
        {
            meter: _charged(places, sums[meter].to_numpy(), meter, rates)
            for meter in CHARGED
            if meter in sums
        },
        rates,
        pd.DataFrame(
            {
                "calls": _unpriced_calls(cells, rates_at, rates, missing),
                "tokens": np.where(missing, tokens, 0),
            }
        ),
    )


def _rates(cells: Cells, prices: Prices) -> tuple[Column, list[Rates]]:
    """For each cell the number of its rates, and the rates by their numbers."""
    if cells.empty:
        return np.zeros(0, dtype=np.int64), []
    slot_at, slots = pd.factorize(cells["slot"].to_numpy())
    route_at, routes = pd.factorize(cells["route_id"].to_numpy())
    epochs = np.stack([prices.epochs(int(route_id), slots) for route_id in routes])
    alike = [route_at, cells["band"], epochs[route_at, slot_at]]
    number = cells.groupby(alike, sort=False).ngroup()
    first = cells.loc[~number.duplicated(), ["route_id", "band", "slot"]]
    found = [
        prices.at(route_id, band, moment_of(slot))
        for route_id, band, slot in first.itertuples(index=False, name=None)
    ]
    return number.to_numpy(), found


def _used(
    cells: Cells, rates_at: Column, rates: Sequence[Rates]
) -> tuple[dict[str, Column], Column]:
    """How much of each meter a cell is charged, and whether any of it has no price.

    Meters that no cell is charged for are left out.
    """
    column = {name: cells[name].to_numpy() for name in cells}
    used = {}
    for meter in _SUMMED:
        quantity = _requests(cells, rates_at, rates) if meter == REQUESTS else column[meter]
        if not quantity.any():
            continue
        if meter not in DISJOINT:
            is_charged = np.array([each.is_charged(meter) for each in rates])
            quantity = np.where(is_charged[rates_at], quantity, 0)
        used[meter] = quantity
    for part, whole in PARTS.items():
        apart = np.array([part in each.lines for each in rates])
        if whole in used and apart.any() and column[part].any():
            at_most = np.minimum(column[part], used[whole])
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


def _charged(
    places: pd.DataFrame, quantity: Column, meter: str, rates: Sequence[Rates]
) -> pd.DataFrame:
    """The lines of a meter, where a place used it."""
    used = np.flatnonzero(quantity)
    lines, quantity = places.iloc[used], quantity[used]
    of, rates_at = [each.lines.get(meter) for each in rates], lines["rates"].to_numpy()
    return lines.assign(
        quantity=quantity,
        amount=_times(quantity, _per_unit(of, listed=False)[rates_at]),
        list_amount=_times(quantity, _per_unit(of, listed=True)[rates_at]),
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
