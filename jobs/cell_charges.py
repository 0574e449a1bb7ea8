"""What cells are to cost, and the lines that the ledger lacks for it.

Used by the charge job for cells that wait, and by re-pricing for all cells of a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from jobs.rate_cells import Prices, frame, lacking, rate
from jobs.split_pools import PoolFinder
from spend.calls import Route
from spend.knowledge import Knowledge
from spend.pools import Pool
from spend.prices import PriceBook, wanted
from store import books, listings, parties
from store.ledger import CELL, POSTED, CellKey, NewCharge, Place, Unpriced


@dataclass(frozen=True, slots=True)
class Concluded:
    """What follows for cells from the books."""

    lines: Sequence[NewCharge]
    """What the ledger lacks."""
    unpriced: Mapping[CellKey, Unpriced]
    """Of every cell: calls and tokens whose cost is unknown."""
    runs_on: Mapping[Place, Pool]
    """Places whose calls ran on a pool: they are paid for by the hour."""


def conclude(
    session: Session,
    tenant: int,
    cells: Sequence[Row[*tuple[Any, ...]]],
    posted: Iterable[Sequence[Any]],
    *,
    held: Sequence[Pool],
    knowledge: Knowledge,
    currency: str,
) -> Concluded:
    """What ``cells`` (columns CELL) are to cost: all cells of their places, after lock_ledger.

    ``posted`` is what the ledger says of these places by the price book (columns POSTED), ``held``
    are all pools.
    """
    routes = parties.routes_of(session, tenant, {row.route_id for row in cells})
    owners = parties.owners_of(session, tenant, {row.owner_id for row in cells})
    finder = PoolFinder(held, routes, owners)
    places: dict[Place, None] = dict.fromkeys(_place(row) for row in cells)
    runs_on = {place: pool for place in places if (pool := finder.pool_of(*place[:3]))}
    priced = [row for row in cells if _place(row) not in runs_on]
    prices = _prices(session, tenant, routes, knowledge, currency)
    rated = rate(frame(CELL, (row[: len(CELL)] for row in priced)), prices)
    stands = frame(POSTED, posted)
    named = {*rated.lines["price_id"], *stands["price_id"]}
    lines = list(lacking(rated.lines, stands, books.lines_by_id(session, tenant, named)))
    # What runs on a pool is paid for by the hour, also where it did not say what it used.
    unpriced = {key: rated.unpriced.get(key, (0, 0)) for key in map(_key, cells)}
    return Concluded(lines, unpriced, runs_on)


def _key(row: Row[*tuple[Any, ...]]) -> CellKey:
    return row.slot, row.owner_id, row.route_id, row.outcome, row.band


def _place(row: Row[*tuple[Any, ...]]) -> Place:
    return row.slot, row.owner_id, row.route_id, row.band


def _prices(
    session: Session,
    tenant: int,
    routes: Mapping[int, Route],
    knowledge: Knowledge,
    currency: str,
) -> Prices:
    names = listings.names(session, tenant)
    pairs = wanted(routes.values(), names)
    lines = books.lines_for(session, tenant, pairs, currency=currency)
    return Prices(PriceBook(lines, names), routes, knowledge)
