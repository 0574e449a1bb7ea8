"""The journal of usage: what the charge job took in of cells, when, and who pays for it.

A cell says what is known of its calls now. Its lines add up to it as it was when it was charged
last; those up to a moment, as it was known then. They are added, never changed.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from spend.meters import METER_NAMES
from store import closing
from store.payers import pays
from store.tables.ledger import usage_lines
from store.tables.ownership import payers

KEY: Final = ("slot", "owner_id", "route_id", "outcome", "band")
COUNTS: Final = ("calls", "unmetered_calls", "unpriced_calls", "unpriced_tokens", *METER_NAMES)
_COLUMNS: Final = ("tenant_id", "posted_at", "booked_slot", "payer_id", *KEY, *COUNTS)


def take_in(session: Session, tenant: int, settled: CTE, now: datetime) -> None:
    """Adds what ``settled`` (columns KEY and COUNTS of cells) says more than their lines do.

    After lock_ledger, in the transaction that charges the cells.
    """
    posting = closing.posting(session, tenant, now)
    said = (
        select(*(usage_lines.c[name] for name in KEY), *_sums())
        .join_from(usage_lines, settled, _at(usage_lines, settled))
        .where(usage_lines.c.tenant_id == tenant)
        .group_by(*(usage_lines.c[name] for name in KEY))
        .cte("said")
    )
    more = {name: settled.c[name] - func.coalesce(said.c[name], 0) for name in COUNTS}
    lacking = (
        select(
            literal(tenant),
            literal(posting.at, usage_lines.c.posted_at.type),
            posting.booked(settled.c.slot),
            func.coalesce(payers.c.payer_id, settled.c.owner_id),
            *(settled.c[name] for name in KEY),
            *more.values(),
        )
        .select_from(
            settled.outerjoin(said, _at(said, settled)).outerjoin(
                payers, pays(settled, tenant, settled.c.slot)
            )
        )
        .where(or_(*(each != 0 for each in more.values())))
        .order_by(*(settled.c[name] for name in KEY))
    )
    session.execute(insert(usage_lines).from_select(_COLUMNS, lacking))


def _sums() -> list[ColumnElement[Any]]:
    # Of whole numbers Postgres makes a NUMERIC: as large as they are, these fit.
    return [func.sum(usage_lines.c[name]).cast(BigInteger).label(name) for name in COUNTS]


def _at(rows: FromClause, settled: FromClause) -> ColumnElement[bool]:
    return and_(*(rows.c[name] == settled.c[name] for name in KEY))
