"""Compares spend with budgets, and writes each threshold that is reached, with its message, once.

A crossing and its message are written in one transaction under a unique key (version, period,
threshold): whoever comes second writes nothing. The last period is looked at too, as late calls and
corrected prices can still reach a threshold of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from jobs.budget_notices import Warned, notice
from jobs.context import Done, JobContext, JobSettings
from spend.budget_periods import period_at, period_before
from spend.budgets import Budget, Spending, reached
from spend.periods import Period
from store import budgets, crossings
from store.completeness import complete_until
from store.crossings import Crossing
from store.notify import tell
from store.tenants import TENANT

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Reached:
    """A threshold that is reached and not recorded yet."""

    budget: Budget
    period: Period
    threshold: int
    spent: Decimal

    @property
    def crossing(self) -> Crossing:
        return Crossing(self.budget.id, self.budget.armed, self.period.start, self.threshold)


def run(context: JobContext) -> Done:
    """One round over all budgets, at ``context.now``."""
    with context.database.read() as session:
        history = budgets.with_history(session, TENANT, context.now)
        found = list(_newly_reached(session, history, context.now))
        as_of = complete_until(session)
    sent = 0
    with context.database.write() as session:
        for each in found:
            try:
                with session.begin_nested():
                    sent += _record(session, each, as_of, context.now, context.settings)
            except Exception:  # one budget's trouble must not silence the others
                log.exception("a crossing could not be recorded", budget=each.budget.id)
    compared = sum(budget.replaced_at is None for budget in history)
    return Done(f"{compared} budgets, {sent} new crossings")


def _newly_reached(session: Session, history: list[Budget], now: datetime) -> Iterator[_Reached]:
    """What is reached and not recorded: one query for each period, not for each budget."""
    judged = list(_judged(history, now))
    if not judged:
        return
    since = min(period.start for _, period in judged)
    known = crossings.recorded(session, TENANT, {budget.id for budget, _ in judged}, since)
    currencies = {budget.terms.currency for budget, _ in judged}
    spending: dict[Period, Spending] = {}
    for budget, period in judged:
        if period not in spending:
            spending[period] = crossings.spending_in(session, TENANT, period, currencies, now=now)
        terms = budget.terms
        try:
            spent = spending[period].on(terms.filter, terms.currency).amount
        except KeyError:  # a dimension that this version of the program does not know
            log.exception("a budget could not be compared", budget=budget.id)
            continue
        for threshold in reached(spent, terms.amount, terms.thresholds):
            each = _Reached(budget, period, threshold, spent)
            if each.crossing not in known:
                yield each


def _judged(history: Iterable[Budget], now: datetime) -> Iterator[tuple[Budget, Period]]:
    """Each budget in force with its present period and with its last one.

    The last one is judged by the version that held when it ended, not by what was set later.
    """
    for budget_id, versions in groupby(history, key=lambda budget: budget.id):
        for budget in versions:
            try:
                zone = ZoneInfo(budget.terms.timezone)
                present = period_at(now, budget.terms.period, zone, budget.terms.fiscal)
                last = period_before(present, budget.terms.period, zone, budget.terms.fiscal)
            except Exception:  # a zone that this machine does not have, for one
                log.exception("a budget could not be compared", budget=budget_id)
                continue
            if budget.replaced_at is None:
                yield budget, present
            if budget.created_at < last.end and budget.in_force(last.end):
                yield budget, last


def _record(
    session: Session, each: _Reached, as_of: datetime | None, now: datetime, settings: JobSettings
) -> int:
    alert_id = crossings.record(session, TENANT, each.crossing, each.budget, each.spent, now)
    if alert_id is None:
        return 0
    warned = Warned(
        alert_id=alert_id,
        budget_id=each.budget.id,
        terms=each.budget.terms,
        period=each.period,
        threshold=each.threshold,
        spent=each.spent,
        as_of=as_of,
        noticed_at=now,
    )
    said = notice(warned, settings.api_url)
    where = each.budget.terms.channel_ids
    return tell(session, TENANT, said, key=f"crossing:{alert_id}", channel_ids=where, now=now)
