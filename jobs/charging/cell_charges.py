"""What cells are to cost, and the lines that the ledger lacks for it.

Used by the charge job for cells that wait; for all cells of a time: ``stretch_charges.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from jobs.charging.lacking import Books, ids_in, lacking, targets
from jobs.charging.rate_cells import Prices, Rated, frame, rate
from jobs.charging.split_pools import PoolFinder
from jobs.charging.volume_steps import Again, Volumes
from spend.capacity.pools import Pool
from spend.prices.knowledge import Knowledge
from store import parties
from store.ledger.ledger import CELL, CellKey, NewCharge, Place, Unpriced, key_of, place_of
from store.ownership import payers
from store.prices import books
from store.prices.discounts import discounts_by_id
from store.prices.price_book import book_for


@dataclass(frozen=True, slots=True)
class Concluded:
    """What follows for cells from the books."""

    lines: Sequence[NewCharge]
    """What the ledger lacks."""
    unpriced: Mapping[CellKey, Unpriced]
    """Of every cell: calls and tokens whose cost is unknown."""
    runs_on: Mapping[Place, Pool]
    """Places whose calls ran on a pool: they are paid for by the hour."""
    again: frozenset[Again]
    """What else is to be charged again, as its usage is now in another volume step."""


def conclude(
    session: Session,
    tenant: int,
    cells: Sequence[Row[*tuple[Any, ...]]],
    posted: Iterable[Sequence[Any]],
    *,
    held: Sequence[Pool],
    knowledge: Knowledge,
) -> Concluded:
    """What ``cells`` (columns CELL) are to cost: all cells of their places, after lock_ledger.

    ``posted`` is what the ledger says of these places by the price book (columns POSTED), ``held``
    are all pools.
    """
    routes = parties.routes_of(session, tenant, {row.route_id for row in cells})
    owners = parties.owners_of(session, tenant, {row.owner_id for row in cells})
    finder = PoolFinder(held, routes, owners)
    places: dict[Place, None] = dict.fromkeys(place_of(row) for row in cells)
    runs_on = {place: pool for place in places if (pool := finder.pool_of(*place[:3]))}
    priced = [row for row in cells if place_of(row) not in runs_on]
    stands = list(posted)
    said = _said(session, tenant, stands)
    pairs = {(line.provider, line.model) for line in said.prices.values()}
    book = book_for(session, tenant, list(routes.values()), also=pairs)
    rated = rate(frame(CELL, (row[: len(CELL)] for row in priced)), Prices(book, routes, knowledge))
    volumes = Volumes(tenant, knowledge)
    stepped = volumes.stepped(session, targets(rated), stands, places, said, book)
    paying = payers.paying(session, tenant, owners.keys())
    lines = lacking(stepped.targets, stands, said, paying.payer_of)
    return Concluded(list(lines), _unpriced(cells, priced, rated), runs_on, stepped.again)


def _said(session: Session, tenant: int, posted: Iterable[Sequence[Any]]) -> Books:
    """What the ids on posted charges stand for."""
    price_ids, discount_ids = ids_in(posted)
    return Books(
        books.lines_by_id(session, tenant, price_ids),
        discounts_by_id(session, tenant, discount_ids),
    )


def _unpriced(
    cells: Iterable[Row[*tuple[Any, ...]]], priced: Iterable[Row[*tuple[Any, ...]]], rated: Rated
) -> dict[CellKey, Unpriced]:
    # What runs on a pool is paid for by the hour, also where it did not say what it used.
    found: dict[CellKey, Unpriced] = {key_of(row): (0, 0) for row in cells}
    counts = rated.unpriced.itertuples(index=False, name=None)
    found.update(zip(map(key_of, priced), counts, strict=True))
    return found
