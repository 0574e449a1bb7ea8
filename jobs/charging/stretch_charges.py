"""What all cells of a stretch of time are to cost, and the lines that the ledger lacks for it.

As jobs/charging/cell_charges.py does it for cells that wait, but in columns from the query to the
COPY: of a month there are many. Only what is not plain goes by rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy.orm import Session

from jobs.charging.lacking import Books, Said, lacking, targets
from jobs.charging.plain_lines import take_plain
from jobs.charging.rate_cells import Cells, Column, Prices, moment_of, rate
from jobs.charging.split_pools import PoolFinder
from jobs.charging.volume_steps import Again, Counted, Volumes
from spend.capacity.pools import Pool
from spend.prices.knowledge import Knowledge
from store import parties
from store.ledger import ledger_columns
from store.ledger.ledger import CELL, PLACE
from store.ownership import payers
from store.ownership.payers import Paying
from store.prices import books
from store.prices.discounts import discounts_by_id
from store.prices.price_book import book_for


@dataclass(frozen=True, slots=True)
class Concluded:
    """What follows for the cells of a stretch from the books."""

    lines: pa.Table
    """What the ledger lacks: columns NEW of store/ledger/ledger_columns.py."""
    unpriced: pd.DataFrame
    """Of each cell, in their order: ``calls`` and ``tokens`` whose cost is unknown."""
    again: frozenset[Again]
    """What else is to be charged again, as its usage is now in another volume step."""
    paying: Paying


def conclude_stretch(
    session: Session,
    tenant: int,
    cells: Cells,
    posted: pa.Table,
    *,
    held: Sequence[Pool],
    knowledge: Knowledge,
    volumes: Volumes | None = None,
) -> Concluded:
    """What ``cells`` (columns CELL) are to cost: all of their places, after lock_ledger.

    ``posted`` (STANDING) is what the ledger says of these places by the price book, ``held`` are
    all pools. ``volumes`` are those of what was concluded before and is not posted; None: there is
    nothing of the kind.
    """
    routes = parties.routes_of(session, tenant, cells["route_id"].unique().tolist())
    owners = parties.owners_of(session, tenant, cells["owner_id"].unique().tolist())
    finder = PoolFinder(held, routes, owners)
    by_book = ~_on_pools(cells, finder) if held else np.ones(len(cells), dtype=bool)
    said = _said(session, tenant, posted)
    pairs = {(line.provider, line.model) for line in said.prices.values()}
    book = book_for(session, tenant, list(routes.values()), also=pairs)
    rated = rate(
        cells.loc[by_book, [*CELL]].reset_index(drop=True), Prices(book, routes, knowledge)
    )
    paying = payers.paying(session, tenant, owners.keys())
    plain = take_plain(rated, posted, Said(said), paying, Counted(book).has_steps)
    rows = [tuple(each.values()) for each in plain.posted.to_pylist()]
    wanted = list(targets(plain.rated))
    places = {*(each.place for each in wanted), *(row[: len(PLACE)] for row in rows)}
    volumes = volumes or Volumes(tenant, knowledge)
    stepped = volumes.stepped(session, wanted, rows, places, said, book)
    others = lacking(stepped.targets, rows, said, paying.payer_of)
    lines = pa.concat_tables([plain.lines, ledger_columns.table_of(others)])
    unpriced = {}
    for name, column in rated.unpriced.items():
        unpriced[name] = np.zeros(len(cells), dtype=column.to_numpy().dtype)
        unpriced[name][by_book] = column
    # What is taken back comes before what holds instead.
    order = [(name, "ascending") for name in (*PLACE, "meter", "quantity")]
    return Concluded(lines.sort_by(order), pd.DataFrame(unpriced), stepped.again, paying)


def _on_pools(cells: Cells, finder: PoolFinder) -> Column:
    """Which cells' calls ran on a pool: they are paid for by the hour."""
    places = cells[["slot", "owner_id", "route_id"]].itertuples(index=False, name=None)
    return np.array(
        [finder.pool_of(moment_of(slot), *who) is not None for slot, *who in places], dtype=bool
    )


def _said(session: Session, tenant: int, posted: pa.Table) -> Books:
    """What the ids on posted charges stand for."""
    ids = {
        name: set(posted[name].unique().to_pylist()) - {None}
        for name in ("price_id", "uplift_id", "discount_id")
    }
    return Books(
        books.lines_by_id(session, tenant, ids["price_id"]),
        discounts_by_id(session, tenant, ids["uplift_id"] | ids["discount_id"]),
    )
