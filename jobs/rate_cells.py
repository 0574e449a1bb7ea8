"""What cells cost by the price book, and the lines that the ledger lacks for it.

Tables are pandas frames of Arrow columns: counts are integers, money is decimal128 with 12
decimals. Arrow raises where a product would not fit; sums of counts are made as decimals, because
sums of integers would wrap round.
"""

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from spend import money, rating
from spend.calls import Route
from spend.knowledge import AS_HEARD, Knowledge
from spend.meters import DISJOINT
from spend.prices import PriceBook, PriceLine
from spend.rating import CHARGED, PARTS, Rates
from store import ledger
from store.ledger import PLACE, CellKey, NewCharge, Unpriced

_COUNT: Final = pa.decimal128(19, 0)
_QUANTITY: Final = pa.decimal128(38, 6)
_PER_UNIT: Final = pa.decimal128(18, money.ATOM_DIGITS)
_AMOUNT: Final = pa.decimal128(38, money.ATOM_DIGITS)
_KINDS: Final = {
    "slot": pa.timestamp("us", tz="UTC"),
    "owner_id": pa.int64(),
    "route_id": pa.int64(),
    "band": pa.int16(),
    "outcome": pa.int16(),
    "meter": pa.string(),
    "price_id": pa.int64(),
    "per_unit": _PER_UNIT,
    "quantity": _QUANTITY,
    "amount": _AMOUNT,
}
_RATED_BY: Final = ["slot", "route_id", "band"]
_CELL_KEY: Final = ["slot", "owner_id", "route_id", "outcome", "band"]
_NOTHING: Final = Decimal(0)
_LINE_KEY: Final = [*PLACE, "meter", "same_price"]
_VALUES: Final = ["price_id", "quantity", "amount"]


def frame(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Rows as a frame of Arrow columns; a column that ``_KINDS`` lacks is a count."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    table = pa.table(
        {
            name: pa.array(column, _KINDS.get(name, pa.int64()))
            for name, column in zip(columns, values, strict=True)
        }
    )
    made: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return made


def rows(of: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """A frame's rows as Python's own values: int, str, Decimal, datetime in UTC."""
    table = pa.Table.from_pandas(of[list(columns)], preserve_index=False)
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


@dataclass(frozen=True, slots=True)
class Rated:
    """Cells with what they cost."""

    lines: pd.DataFrame
    """Columns POSTED: what the ledger is to say of their places, in sum."""
    unpriced: Mapping[CellKey, Unpriced]
    """Cell -> calls and tokens whose cost is unknown."""


class Prices:
    """Rates of routes, remembered as long as their prices stay the same."""

    def __init__(
        self, book: PriceBook, routes: Mapping[int, Route], knowledge: Knowledge = AS_HEARD
    ) -> None:
        self._book = book
        self._routes = routes
        self._knowledge = knowledge
        self._epochs = {
            id_: book.changes(route).also(knowledge.moments) for id_, route in routes.items()
        }
        self._known: dict[tuple[int, int, int], Rates] = {}

    def at(self, route_id: int, band: int, slot: datetime) -> Rates:
        """The rates of a cell. Prices change on quarter hours only, so a cell has one."""
        key = (route_id, band, self._epochs[route_id].of(slot))
        if key not in self._known:
            route = self._routes[route_id]
            known_at = self._knowledge.of(slot)
            self._known[key] = rating.rates(
                self._book, route, band=band, at=slot, known_at=known_at
            )
        return self._known[key]


def rate(cells: pd.DataFrame, prices: Prices) -> Rated:
    """Prices cells (columns CELL): each meter times its line, or nothing where one is missing."""
    rates = _rates(cells, prices)
    used = _used(cells, rates)
    priced = used.merge(rates, how="left", on=[*_RATED_BY, "meter"])
    missing = priced.loc[priced["price_id"].isna(), _CELL_KEY].drop_duplicates()
    missing["missing"] = pd.Series(True, index=missing.index, dtype="bool[pyarrow]")
    whole = cells.merge(missing, how="left", on=_CELL_KEY)
    is_missing = whole["missing"].fillna(False)
    # Of a cell that failed, all calls count as unpriced: which of them used something, it has
    # forgotten. A cell that ended well knows its calls that reported nothing.
    whole["unknown"] = whole["unmetered_calls"].where(~is_missing, whole["calls"])
    # Tokens that a metric told may be of no known call.
    tokens = functools.reduce(operator.add, (whole[meter] for meter in DISJOINT))
    whole["tokens"] = tokens.where(is_missing, 0)
    unpriced = {row[:-2]: row[-2:] for row in rows(whole, [*_CELL_KEY, "unknown", "tokens"])}
    lines = priced.merge(missing, how="left", on=_CELL_KEY)
    lines = lines.loc[lines["missing"].isna()]
    lines["amount"] = lines["quantity"].astype(pd.ArrowDtype(_COUNT)) * lines["per_unit"]
    summed = lines.groupby([*PLACE, "meter", "price_id"], as_index=False)[
        ["quantity", "amount"]
    ].sum()
    return Rated(summed, unpriced)


def _rates(cells: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """The line of each charged meter for each slot, route and band: one row where there is one."""
    found = [
        (slot, route_id, band, meter, line.id, money.per_unit(line.unit_price))
        for slot, route_id, band in rows(cells[_RATED_BY].drop_duplicates(), _RATED_BY)
        for meter, line in prices.at(route_id, band, slot).lines.items()
    ]
    return frame([*_RATED_BY, "meter", "price_id", "per_unit"], found)


def _used(cells: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """One row for each cell and meter that is charged: _CELL_KEY, meter, quantity (> 0)."""
    charged = cells[[*_CELL_KEY, *DISJOINT, *PARTS]].copy()
    for part, whole in PARTS.items():
        apart = rates.loc[rates["meter"] == part, _RATED_BY]
        asked = charged[_RATED_BY].merge(apart, how="left", on=_RATED_BY, indicator=True)
        has_price = (asked["_merge"] == "both").to_numpy()
        at_most = charged[part].where(charged[part] <= charged[whole], charged[whole])
        charged[part] = at_most.where(has_price, 0)
        charged[whole] -= charged[part]
    long = charged.melt(_CELL_KEY, list(CHARGED), "meter", "quantity")
    long["meter"] = long["meter"].astype(pd.ArrowDtype(pa.string()))
    long["quantity"] = long["quantity"].astype(pd.ArrowDtype(_QUANTITY))
    return long.loc[long["quantity"] != _NOTHING]


def _with_price(lines: pd.DataFrame, known: Mapping[int, PriceLine]) -> pd.DataFrame:
    """Adds ``same_price``: one number for all lines that say the same price of the same."""
    numbers: dict[object, int] = {}
    for id_ in sorted(known):
        numbers.setdefault((known[id_].subject, known[id_].unit_price), id_)
    same = [numbers[known[id_].subject, known[id_].unit_price] for id_ in lines["price_id"]]
    return lines.assign(same_price=pd.Series(same, index=lines.index, dtype="int64[pyarrow]"))


def lacking(
    target: pd.DataFrame, posted: pd.DataFrame, known: Mapping[int, PriceLine]
) -> Iterator[NewCharge]:
    """The lines that make the ledger (columns POSTED) say what ``target`` says.

    ``known`` holds every price line that the two name. A line whose price still holds for the
    cell, though its term has changed, is the same price: nothing is posted for it.
    """
    if target.empty and posted.empty:
        return
    target, posted = _with_price(target, known), _with_price(posted, known)
    posted = posted.groupby(_LINE_KEY, as_index=False).agg(
        {"price_id": "max", "quantity": "sum", "amount": "sum"}
    )
    both = target.merge(posted, how="outer", on=_LINE_KEY, suffixes=("", "_posted"))
    both = both.sort_values(_LINE_KEY)
    standing = posted.loc[posted["quantity"] != _NOTHING]
    stands = set(rows(standing, [*PLACE, "meter"]))
    columns = [*PLACE, "meter", *(f"{name}{of}" for name in _VALUES for of in ("", "_posted"))]
    for (
        *place,
        meter,
        price_id,
        posted_price_id,
        quantity,
        before,
        amount,
        amount_before,
    ) in rows(both, columns):
        more = (quantity or _NOTHING) - (before or _NOTHING)
        if not more:
            continue
        # At another price before, or less than before: that is a correction. More at the same
        # price is what came later.
        other_price = not before and (*place, meter) in stands
        yield NewCharge(
            kind=ledger.CORRECTION if more < 0 or other_price else ledger.ORIGINAL,
            slot=place[0],
            owner_id=place[1],
            route_id=place[2],
            band=place[3],
            meter=meter,
            price_id=posted_price_id if price_id is None else price_id,
            pool_id=None,
            quantity=more,
            amount=money.EXACT.subtract(amount or _NOTHING, amount_before or _NOTHING),
            method=rating.METHOD,
        )
