"""A statement as CSV: its lines and nothing else, so that a column's sum is its total."""

from typing import Final

from reports.csv_text import csv_text
from spend.meters import METERS
from spend.statements import Statement

HEADER: Final = (
    "month",
    "timezone",
    "team",
    "provider",
    "model",
    "currency",
    "amount",
    "last_month_amount",
    "difference",
    "cost",
    "last_month_cost",
    "calls",
    "errors",
    "unpriced_calls",
    "unpriced_tokens",
    "unmetered_calls",
    "waiting_calls",
    *(meter.asked_as for meter in METERS),
)
"""Amounts are whole coins that add up, costs are exact. Unknown is empty."""


def statement_csv(statement: Statement) -> str:
    """The lines of a statement, with HEADER above them."""
    rows = []
    for line in statement.lines:
        figures, spent = line.figures, line.figures.spent
        rows.append(
            (
                str(statement.month),
                statement.zone.key,
                line.team,
                line.provider,
                line.model,
                statement.currency,
                figures.amount,
                figures.last_amount,
                figures.difference,
                spent.cost,
                figures.last_cost,
                spent.calls,
                spent.errors,
                spent.unpriced_calls,
                spent.unpriced_tokens,
                spent.unmetered_calls,
                spent.waiting_calls,
                *(spent.usage.get(meter.name, 0) for meter in METERS),
            )
        )
    return csv_text(HEADER, rows)
