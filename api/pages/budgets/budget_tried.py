"""What a budget would have told in the last months, as a page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from api.pages.budgets.budget_list import period_said
from api.pages.tables import Cell, Column, Table
from api.pages.visitor import Visitor
from reports.tables.budget_preview import BY_USE, in_a_line
from spend.budgets.budget_preview import Message
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE
from spend.budgets.budgets import Terms
from spend.periods import Period
from store.budgets.budget_preview import preview

MOST_SHOWN: Final = 200

_KINDS: Final = {
    ACTUAL: "{} % spent",
    FORECAST: "expected to reach {} %",
    PACE: "spent at {} % of the even rate",
}
_AGAIN: Final = {"again": ", again", "recovered": ": no longer", "reminder": ", still"}


@dataclass(frozen=True, slots=True)
class Tried:
    """A walk through the past."""

    line: str
    """All of it in a sentence."""
    span: Period
    remark: str
    left_out: int
    """Messages that the table does not have."""
    tables: Mapping[str, Table]


def tried(session: Session, tenant: int, visitor: Visitor, terms: Terms, months: int) -> Tried:
    """Walks a budget through the spend of the last months. Nothing is written."""
    messages, spans = preview(session, tenant, [terms], months, visitor.now)
    rows = [_row(visitor, terms, each) for each in messages[-MOST_SHOWN:][::-1]]
    columns = (
        Column("at", "When", "when"),
        Column("told", "What it would have told"),
        Column("spent", "Spent", "money"),
        Column("limit", "Of", "money", narrow=False),
        Column("expected", "Expected", "money", narrow=False),
        Column("period", "Period", narrow=False),
    )
    table = Table(columns, rows, "Messages", currency=terms.currency, empty="None.")
    return Tried(
        in_a_line(messages, months),
        spans[0],
        BY_USE,
        max(0, len(messages) - MOST_SHOWN),
        {"messages": table},
    )


def _row(visitor: Visitor, terms: Terms, message: Message) -> dict[str, Cell]:
    change = message.change
    told = _KINDS[change.kind].format(change.threshold) + _AGAIN.get(change.what, "")
    expected = message.expected if change.kind == FORECAST else None
    return {
        "at": Cell(message.at),
        "told": Cell(told, tone="good" if change.what == "recovered" else ""),
        "spent": Cell(message.spent),
        "limit": Cell(message.limit),
        "expected": Cell(expected),
        "period": Cell(period_said(visitor, terms, message.period)),
    }
