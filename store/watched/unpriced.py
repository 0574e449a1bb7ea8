"""How much was used whose cost is not known."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func
from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule
from store.breakdowns.grouping import Part, added_up
from store.completeness import complete_until
from store.tables.rollups import cells
from store.watched.window import asked, named, window_to


def measure(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """Calls, or tokens, without a cost, for want of a price or of what they used.

    Cells that the charge job has not looked at are left out: nothing is known of them yet.
    """
    terms = rule.terms
    period = window_to(terms, complete_until(session), now)
    if period is None:
        return []
    unit = str(terms.settings["count"])
    sums = {
        "calls": func.sum(cells.c.calls),
        "unpriced_calls": func.coalesce(func.sum(cells.c.unpriced_calls), 0),
        "unpriced_tokens": func.coalesce(func.sum(cells.c.unpriced_tokens), 0),
        "untold_calls": func.coalesce(
            func.sum(func.least(cells.c.unpriced_calls, cells.c.unmetered_calls)), 0
        ),
    }
    found = []
    for key, row in added_up(session, asked(terms, period), tenant, (Part(cells, sums),)):
        subject, team = named(terms, key)
        # Without a dimension there is a row even where there is no cell.
        calls, without = int(row.calls or 0), int(row.unpriced_calls or 0)
        tokens, untold = int(row.unpriced_tokens or 0), int(row.untold_calls or 0)
        value = Decimal(without if unit == "calls" else tokens)
        found.append(
            Measured(
                subject,
                value if calls >= terms.minimum else None,
                unit,
                period.start,
                period.end,
                facts=(
                    ("Calls", f"{without:,} of {calls:,} have no known cost"),
                    *((("Tokens", f"{tokens:,}"),) if tokens else ()),
                    *((("Usage not told", f"by {untold:,} of them"),) if untold else ()),
                ),
                detail={
                    "calls": calls,
                    "unpriced_calls": without,
                    "unpriced_tokens": tokens,
                    "calls_without_usage": untold,
                },
                team=team,
            )
        )
    return found
