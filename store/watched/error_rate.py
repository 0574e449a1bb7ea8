"""The share of calls that did not end well."""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import func
from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule
from spend.calls import Outcome
from spend.money import ROUNDING
from store.breakdowns.grouping import Key, Part, added_up
from store.completeness import rolled_until
from store.tables.rollups import cells
from store.watched.window import asked, named, window_to

KINDS_NAMED: Final = 3
_PLACES: Final = Decimal("0.000001")


def measure(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """Per cent of calls that did not end well; no data with fewer calls than the minimum."""
    terms = rule.terms
    period = window_to(terms, rolled_until(session), now)
    if period is None:
        return []
    calls = Part(cells, {"calls": func.sum(cells.c.calls)})
    ended: defaultdict[Key, Counter[Outcome]] = defaultdict(Counter)
    question = asked(terms, period)
    for key, row in added_up(session, question, tenant, (calls,), also_by=("outcome",)):
        ended[key][Outcome(row.outcome)] += int(row.calls)
    if not terms.by:
        ended.setdefault((), Counter())
    found = []
    for key, outcomes in ended.items():
        subject, team = named(terms, key)
        total = outcomes.total()
        errors: dict[Outcome, int] = {
            each: count for each, count in outcomes.items() if count and each != Outcome.OK
        }
        failed = sum(errors.values())
        rate = None
        if total and total >= terms.minimum:
            rate = ROUNDING.divide(Decimal(100 * failed), Decimal(total)).quantize(_PLACES)
        found.append(
            Measured(
                subject,
                rate,
                "percent",
                period.start,
                period.end,
                facts=(("Calls", f"{failed:,} of {total:,} failed"), *_kinds(errors)),
                detail={
                    "calls": total,
                    "errors": {each.name.lower(): errors[each] for each in sorted(errors)},
                },
                team=team,
            )
        )
    return found


def _kinds(errors: dict[Outcome, int]) -> tuple[tuple[str, str], ...]:
    most = sorted(errors, key=lambda each: (-errors[each], each))[:KINDS_NAMED]
    told = ", ".join(f"{each.name.lower().replace('_', ' ')} {errors[each]:,}" for each in most)
    return (("Errors", told),) if told else ()
