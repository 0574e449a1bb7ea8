"""Answers what was spent: money from charges, usage from cells, never from sightings.

As it is booked, or was known, usage is that of the ledger's lines.
"""

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Integer, Row, case, cast, func, not_
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.meters import METER_NAMES
from spend.totals import Totals
from store.dimensions import Question
from store.grouping import Key, Part, added_up
from store.tables.ledger import charges, usage_lines
from store.tables.rollups import cells
from store.usage_to_come import UNPRICED_TOKENS, usage_to_come

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
    parts = [
        *_usage(session, question, tenant),
        Part(charges, MONEY, (charges.c.currency == currency,)),
    ]
    found = {key: _totals(row) for key, row in added_up(session, question, tenant, parts)}
    return {key: totals for key, totals in found.items() if not totals.is_nothing}


def _usage(session: Session, question: Question, tenant: int) -> list[Part]:
    if question.as_known_at is not None:
        return [_part(usage_lines)]
    if question.billing:
        to_come = usage_to_come(session, tenant)
        return [_part(usage_lines), _part(to_come, waiting=to_come.c.waiting_calls)]
    waiting = cast(not_(cells.c.charged), Integer) * cells.c.calls
    return [_part(cells, unpriced_tokens=UNPRICED_TOKENS, waiting=waiting)]


def _part(rows: FromClause, **other: ColumnElement[Any]) -> Part:
    """Usage of rows (columns of usage_lines), but where ``other`` is said."""
    told = {
        "calls": rows.c.calls,
        "errors": case((rows.c.outcome != Outcome.OK, rows.c.calls), else_=0),
        "unpriced": rows.c.unpriced_calls,
        "unpriced_tokens": rows.c.unpriced_tokens,
        "unmetered": rows.c.unmetered_calls,
        **{name: rows.c[name] for name in METER_NAMES},
        **other,
    }
    return Part(rows, {name: func.sum(value) for name, value in told.items()})


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
        waiting_calls=int(getattr(row, "waiting", None) or 0),
        usage={name: int(getattr(row, name) or 0) for name in METER_NAMES},
    )
