"""The ledger of a whole stretch of time in Arrow tables: store/ledger/ledger.py does it for places.

The places of a stretch are those of its cells, without those that a cell of waits: what these cost
by what was known is still to be seen.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from store import closing, columns
from store.ledger import split_days
from store.ledger.ledger import CELL, CONCLUDED, ENGINE, PLACE, POSTED, TRUE_UP, NewCharge
from store.ownership import payers
from store.tables.ledger import charges
from store.tables.rollups import cells

# As in store/tables/base.py and store/tables/ledger.py.
_MONEY: Final = pa.decimal128(38, 12)
_PRICE: Final = pa.decimal128(20, 6)
_TYPES: Final = {
    "slot": columns.MOMENT,
    "meter": pa.string(),
    "kind": pa.string(),
    "currency": pa.string(),
    "method": pa.string(),
    "quantity": pa.decimal128(38, 6),
    "unit_price": _PRICE,
    "list_unit_price": _PRICE,
    **dict.fromkeys(("list_amount", "contracted_amount", "amount", "billed_amount"), _MONEY),
}


def _schema(names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([(name, _TYPES.get(name, pa.int64())) for name in names])


CELLS: Final = _schema((*CELL, *CONCLUDED))
"""Cells: columns CELL, then what the charge job said of them, null if it did not yet."""

STANDING: Final = _schema(POSTED)
"""What stands in the ledger, columns POSTED."""

NEW: Final = _schema(("kind", "currency", *POSTED, "method"))
"""Lines to post."""


def cells_between(session: Session, tenant: int, start: datetime, end: datetime) -> pa.Table:
    """The cells (columns CELLS) of a time (UTC, half-open) at places that wait for no charge."""
    # In one pass: where a table grew so fast that nothing counted its rows yet, Postgres joins it
    # with itself row by row.
    settled = func.bool_and(cells.c.charged).over(partition_by=[cells.c[name] for name in PLACE])
    within = (
        select(*(cells.c[name] for name in CELLS.names), settled.label("settled"))
        .where(*_within(cells, tenant, start, end))
        .subquery("within")
    )
    return columns.read(
        session,
        select(*(within.c[name] for name in CELLS.names)).where(within.c.settled),
        CELLS,
    )


def posted_between(session: Session, tenant: int, start: datetime, end: datetime) -> pa.Table:
    """What stands at these places by the price book (columns STANDING), summed."""
    sums = ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount")
    key = [charges.c[name] for name in POSTED if name not in sums]
    standing = columns.read(
        session,
        select(*key, *(func.sum(charges.c[name]).label(name) for name in sums))
        .where(
            *_within(charges, tenant, start, end),
            charges.c.price_id.is_not(None),
            charges.c.kind != TRUE_UP,
        )
        .group_by(*key),
        STANDING,
    )
    # Joined here: of tables whose rows nobody counted yet, Postgres goes through one for each row
    # of the other.
    places = columns.read(session, _places(tenant, start, end), _schema(PLACE))
    return standing.join(places, [*PLACE], join_type="left semi", use_threads=False)


def post(
    session: Session,
    tenant: int,
    lines: pa.Table,
    *,
    now: datetime,
    repricing_id: int | None = None,
) -> None:
    """Adds lines (columns NEW) to the ledger, as ``ledger.post`` does. After lock_ledger."""
    payers.remember_new(session, tenant, lines["owner_id"].unique().to_pylist())
    split_days.mark(session, tenant, lines["slot"].unique().to_pylist())
    posting = closing.posting(session, tenant, now)
    said = {
        "tenant_id": pa.scalar(tenant, pa.int32()),
        "posted_at": pa.scalar(posting.at, columns.MOMENT),
        "engine": pa.scalar(ENGINE),
        "repricing_id": pa.scalar(repricing_id, pa.int64()),
    }
    for name, value in said.items():
        lines = lines.append_column(name, pa.repeat(value, lines.num_rows))
    lines = lines.append_column("booked_slot", _booked(lines["slot"], posting.open_from))
    columns.append(session, charges.name, lines)


def _booked(slots: pa.ChunkedArray, open_from: datetime | None) -> pa.ChunkedArray:
    """In whose books lines of these slots are, as ``Posting.booked_slot`` says."""
    nothing = pa.scalar(None, columns.MOMENT)
    first = pa.scalar(open_from, columns.MOMENT)
    return pc.if_else(pc.fill_null(pc.less(slots, first), fill_value=False), first, nothing)


def table_of(lines: Iterable[NewCharge]) -> pa.Table:
    """Lines as a table of columns NEW; each says who pays."""
    at = {"payer_id": "payer", "contracted_amount": "contracted", "billed_amount": "billed"}
    rows = [{name: getattr(line, at.get(name, name)) for name in NEW.names} for line in lines]
    return pa.Table.from_pylist(rows, schema=NEW)


def _places(tenant: int, start: datetime, end: datetime) -> Select[Any]:
    key = [cells.c[name] for name in PLACE]
    return (
        select(*key)
        .where(*_within(cells, tenant, start, end))
        .group_by(*key)
        .having(func.bool_and(cells.c.charged))
    )


def _within(rows: Any, tenant: int, start: datetime, end: datetime) -> list[ColumnElement[bool]]:
    return [rows.c.tenant_id == tenant, rows.c.slot >= start, rows.c.slot < end]
