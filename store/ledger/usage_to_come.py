"""Usage that waits: what cells say more than was taken into the ledger of them.

It is shown before it is charged, where its lines will be: booked in its slot, or in the first one
that is open.
"""

import functools
import operator
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    select,
)
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.meters import DISJOINT
from spend.periods import Period
from store import closing
from store.breakdowns.booked_time import booked_in, day_of
from store.ledger.usage_lines import COUNTS, KEY
from store.ownership import payers
from store.tables.ledger import usage_lines
from store.tables.rollups import cells

# Of a priced cell only the calls that said nothing are unpriced: they have no tokens to count.
_NO_PRICE = cells.c.unpriced_calls > cells.c.unmetered_calls
_TOKENS = functools.reduce(operator.add, (cells.c[name] for name in DISJOINT))
# Written down since metrics tell of tokens without telling of calls.
UNPRICED_TOKENS: Final = func.coalesce(cells.c.unpriced_tokens, case((_NO_PRICE, _TOKENS), else_=0))
"""Of a cell."""

_SAID: Final[dict[str, ColumnElement[Any]]] = {
    **{name: cells.c[name] for name in COUNTS},
    "unpriced_calls": func.coalesce(cells.c.unpriced_calls, 0),
    "unpriced_tokens": UNPRICED_TOKENS,
}


def usage_to_come(session: Session, tenant: int) -> Subquery:
    """What waits of each cell, in columns of usage_lines; and ``waiting_calls``, the cell's."""
    source, payer = payers.joined(session, tenant, cells, cells.c.slot)
    first = literal(closing.open_from(session, tenant), DateTime(timezone=True))
    same = and_(
        usage_lines.c.tenant_id == tenant, *(usage_lines.c[name] == cells.c[name] for name in KEY)
    )
    more = {
        name: said - func.coalesce(func.sum(usage_lines.c[name]), 0) for name, said in _SAID.items()
    }
    booked = case((cells.c.slot < first, first), else_=null())
    return (
        select(
            cells.c.tenant_id,
            *(cells.c[name] for name in KEY),
            payer.label("payer_id"),
            booked.label("booked_slot"),
            *(value.label(name) for name, value in more.items()),
            cells.c.calls.label("waiting_calls"),
        )
        .select_from(source.outerjoin(usage_lines, same))
        .where(cells.c.tenant_id == tenant, not_(cells.c.charged))
        .group_by(*cells.primary_key.columns, payer)
        .subquery("to_come")
    )


def to_come_in(to_come: Subquery, period: Period) -> Subquery:
    """The same added up for a period, by payer, route, belongs_to and day (as of Booked)."""
    before = to_come.c.booked_slot.is_not(None) & (to_come.c.slot < period.start)
    said = {
        "lines": literal(1),
        "errors": case((to_come.c.outcome != Outcome.OK, to_come.c.calls), else_=0),
        **{name: to_come.c[name] for name in (*COUNTS, "waiting_calls")},
    }
    keys = [
        to_come.c.payer_id,
        to_come.c.route_id,
        case((before, day_of(to_come.c.slot)), else_=null()).label("belongs_to"),
        cast(null(), Date).label("day"),
    ]
    return (
        select(
            *keys, *(cast(func.sum(value), BigInteger).label(name) for name, value in said.items())
        )
        .where(booked_in(to_come, period))
        .group_by(*keys)
        .subquery("coming")
    )
