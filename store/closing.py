"""How far the ledger is closed: what it says of slots before that moment does not move any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.ledger import CellKey, at_cells, rows_of_cells
from store.tables.pools import ledgers
from store.tables.rollups import cells


def open_from(session: Session, tenant: int) -> datetime | None:
    """Slots before this moment (UTC) are closed; None: everything is open."""
    return session.scalar(select(ledgers.c.open_from).where(ledgers.c.tenant_id == tenant))


def close(session: Session, tenant: int, until: datetime) -> None:
    """Closes the ledger before a full hour of UTC, after lock_ledger. It is never opened again."""
    new = insert(ledgers).values(tenant_id=tenant, open_from=until)
    later = func.greatest(ledgers.c.open_from, new.excluded.open_from)
    session.execute(
        new.on_conflict_do_update(index_elements=["tenant_id"], set_={"open_from": later})
    )


def pass_by(session: Session, tenant: int, late: Sequence[CellKey]) -> None:
    """Says of claimed cells of closed slots that they wait no more: nothing is charged for them.

    What of them has no price stays as it was when they were closed.
    """
    if not late:
        return
    given = rows_of_cells(late)
    session.execute(
        update(cells)
        .values(
            charged=True,
            unpriced_calls=func.coalesce(cells.c.unpriced_calls, 0),
            unpriced_tokens=func.coalesce(cells.c.unpriced_tokens, 0),
        )
        .where(cells.c.tenant_id == tenant, *at_cells(given))
    )
