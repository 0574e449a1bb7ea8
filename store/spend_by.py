"""Answers what was spent: money from charges, usage from cells, never from sightings."""

import functools
import operator
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Integer, Row, case, cast, func, not_
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.meters import DISJOINT, METER_NAMES
from spend.totals import Totals
from store.dimensions import Question
from store.grouping import Key, Part, added_up
from store.tables.ledger import charges
from store.tables.rollups import cells

# Of a priced cell only the calls that said nothing are unpriced: they have no tokens to count.
_NO_PRICE = cells.c.unpriced_calls > cells.c.unmetered_calls
_TOKENS = functools.reduce(operator.add, (cells.c[name] for name in DISJOINT))
# Written down since metrics tell of tokens without telling of calls.
_UNPRICED_TOKENS = func.coalesce(cells.c.unpriced_tokens, case((_NO_PRICE, _TOKENS), else_=0))

MONEY: Final = {
    "cost": func.sum(charges.c.amount),
    "list_cost": func.sum(charges.c.list_amount),
    "contracted_cost": func.sum(charges.c.contracted_amount),
    "billed_cost": func.sum(charges.c.billed_amount),
    # What has no list price: 0 again when such a line was taken back.
    "unlisted": func.sum(case((charges.c.list_amount.is_(None), charges.c.quantity), else_=0)),
}
"""Sums over charges, in the four cost bases."""


def spend_by(
    session: Session, question: Question, tenant: int, *, currency: str
) -> dict[Key, Totals]:
    """Totals for each group that has calls or money in the question's period.

    Costs are in ``currency``: ledger lines in another one are left out.
    """
    usage = Part(
        cells,
        {
            "calls": func.sum(cells.c.calls),
            "errors": func.sum(case((cells.c.outcome != Outcome.OK, cells.c.calls), else_=0)),
            "unpriced": func.sum(cells.c.unpriced_calls),
            "unpriced_tokens": func.sum(_UNPRICED_TOKENS),
            "unmetered": func.sum(cells.c.unmetered_calls),
            "waiting": func.sum(cast(not_(cells.c.charged), Integer) * cells.c.calls),
            **{name: func.sum(cells.c[name]) for name in METER_NAMES},
        },
    )
    money = Part(charges, MONEY, (charges.c.currency == currency,))
    found = {key: _totals(row) for key, row in added_up(session, question, tenant, (usage, money))}
    return {key: totals for key, totals in found.items() if not totals.is_nothing}


def _totals(row: Row[Any]) -> Totals:
    calls, unpriced = int(row.calls or 0), int(row.unpriced or 0)
    cost = row.cost
    unknown = 0 < calls <= unpriced or (not calls and row.unpriced_tokens)
    if unknown and not any((cost, row.list_cost, row.contracted_cost, row.billed_cost)):
        # Its charges were taken back when the price was: unknown again, not free.
        cost = None
    known = cost is not None
    return Totals(
        cost=cost,
        list_cost=(row.list_cost or Decimal(0)) if known and not row.unlisted else None,
        contracted_cost=row.contracted_cost if known else None,
        billed_cost=row.billed_cost if known else None,
        calls=calls,
        errors=int(row.errors or 0),
        unpriced_calls=unpriced,
        unpriced_tokens=int(row.unpriced_tokens or 0),
        unmetered_calls=int(row.unmetered or 0),
        waiting_calls=int(row.waiting or 0),
        usage={name: int(getattr(row, name) or 0) for name in METER_NAMES},
    )
