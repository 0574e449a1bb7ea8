"""Draws the chart that belongs to a budget's notice."""

from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from jobs.context import JobContext
from reports.charts.budget_chart import BudgetCurve, budget_chart
from reports.pictures import png
from spend.budgets.budget_periods import name_of, period_of
from spend.channels.notices import Notice
from spend.money import shown
from store.budgets import budgets, forecasts, standings
from store.budgets.budget_curve import budget_curve
from store.completeness import complete_until
from store.tenants import TENANT

log = structlog.get_logger(__name__)


def picture_of(context: JobContext, notice: Notice) -> bytes | None:
    """A PNG, or None where the notice is of no budget. Whatever goes wrong, there is none."""
    if notice.budget_id is None:
        return None
    try:
        with context.database.read() as session:
            curve = curve_of(session, notice, context.now)
        return None if curve is None else png(budget_chart(curve))
    except Exception:  # a message without its picture is better than none
        log.exception("a budget's chart could not be drawn", budget=notice.budget_id)
        return None


def curve_of(session: Session, notice: Notice, now: datetime) -> BudgetCurve | None:
    """What the chart shows: the period that the notice tells of, as far as is known by ``now``."""
    try:
        budget = budgets.in_force(session, TENANT, notice.budget_id or 0, now)
    except budgets.NoSuchBudget:  # closed since
        return None
    said = notice.data.get("period_start")
    moment = datetime.fromisoformat(said) if said else now
    period = period_of(budget.terms, moment)
    if period is None:
        return None
    through = min(complete_until(session) or now, now, period.end)
    zone = ZoneInfo(budget.terms.timezone)
    spent = budget_curve(session, TENANT, budget.terms, period, through, now)
    stood = standings.of_periods(session, TENANT, {budget.id: period.start})
    standing = stood.get((budget.id, period.start))
    forecast = forecasts.forecasts(session, TENANT).get((budget.id, period.start))
    limit = budget.terms.amount if standing is None else standing.limit
    currency = budget.terms.currency
    subtitle = f"{shown(spent[-1][1], currency)} of {shown(limit, currency)} {currency} spent"
    subtitle += f" by {_clock(through, zone):%-d %B, %H:%M} ({budget.terms.timezone})"
    if forecast is not None:
        band = " to ".join(shown(each, currency) for each in (forecast.low, forecast.high))
        subtitle += f" · expected {shown(forecast.expected, currency)} ({band})"
    return BudgetCurve(
        title=f"Budget {budget.terms.name} · {name_of(budget.terms, period)}",
        subtitle=subtitle,
        starts=_clock(period.start, zone),
        ends=_clock(period.end, zone),
        spent=tuple((_clock(at, zone), amount) for at, amount in spent),
        limit=limit,
        thresholds=budget.terms.thresholds,
        expected=None if forecast is None else forecast.expected,
        low=None if forecast is None else forecast.low,
        high=None if forecast is None else forecast.high,
    )


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
