"""The journal of usage: what the charge job took in of cells, when, and who pays for it.

A cell says what is known of its calls now. Its lines add up to it as it was when it was charged
last; those up to a moment, as it was known then. They are added, never changed.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    CTE,
    BigInteger,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from spend.meters import METER_NAMES
from store import closing
from store.ownership.payers import pays
from store.tables.ledger import usage_lines
from store.tables.ownership import payers
from store.tables.rollups import cells

KEY: Final = ("slot", "owner_id", "route_id", "outcome", "band")
COUNTS: Final = ("calls", "unmetered_calls", "unpriced_calls", "unpriced_tokens", *METER_NAMES)
_COLUMNS: Final = ("tenant_id", "posted_at", "booked_slot", "payer_id", *KEY, *COUNTS)


def take_in_all(session: Session, tenant: int, now: datetime) -> None:
    """Adds what every charged cell says more than its lines do, after lock_ledger.

    For what the version before the journal charged while the database had one already.
    """
    said = (func.coalesce(cells.c[name], 0).label(name) for name in COUNTS)
    charged = select(*(cells.c[name] for name in KEY), *said).where(
        cells.c.tenant_id == tenant, cells.c.charged
    )
    take_in(session, tenant, charged.cte("charged"), now)


def take_in(session: Session, tenant: int, settled: CTE, now: datetime) -> None:
    """Adds what ``settled`` (columns KEY and COUNTS of cells) says more than their lines do.

    After lock_ledger, in the transaction that charges the cells.
    """
    posting = closing.posting(session, tenant, now)
    at_cells = and_(*(usage_lines.c[name] == settled.c[name] for name in KEY))
    # Added up and not joined: Postgres cannot know how many cells are settled, and would compare
    # each with each.
    both = union_all(
        select(*(settled.c[name] for name in (*KEY, *COUNTS))),
        select(*(usage_lines.c[name] for name in KEY), *(-usage_lines.c[name] for name in COUNTS))
        .join_from(usage_lines, settled, at_cells)
        .where(usage_lines.c.tenant_id == tenant),
    ).subquery("both")
    key = [both.c[name] for name in KEY]
    more = {name: func.sum(both.c[name]) for name in COUNTS}
    lacking = (
        select(*key, *(total.cast(BigInteger).label(name) for name, total in more.items()))
        .group_by(*key)
        .having(or_(*(total != 0 for total in more.values())))
        .subquery("lacking")
    )
    lines = (
        select(
            literal(tenant),
            literal(posting.at, usage_lines.c.posted_at.type),
            posting.booked(lacking.c.slot),
            func.coalesce(payers.c.payer_id, lacking.c.owner_id),
            *(lacking.c[name] for name in (*KEY, *COUNTS)),
        )
        .select_from(lacking.outerjoin(payers, pays(lacking, tenant, lacking.c.slot)))
        .order_by(*(lacking.c[name] for name in KEY))
    )
    session.execute(insert(usage_lines).from_select(_COLUMNS, lines))
