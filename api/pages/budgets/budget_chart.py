"""The chart of a budget's page: its present period so far, and where it should end."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from api.pages.charts import Chart
from api.pages.visitor import Visitor
from reports.charts.budget_chart import BudgetCurve, budget_page_chart
from spend.budgets.budget_attention import Stands
from spend.money import shown
from store.budgets.budget_curve import budget_curve
from store.completeness import complete_until


def budget_page_figure(
    session: Session, tenant: int, visitor: Visitor, stands: Stands, *, down: bool
) -> Chart | None:
    """What was spent so far, or with ``down`` what is left; None where there is no period now."""
    period, terms, now = stands.period, stands.budget.terms, visitor.now
    if period is None or stands.spent is None:
        return None
    through = min(complete_until(session) or now, now, period.end)
    spent = budget_curve(session, tenant, terms, period, max(through, period.start), now)
    forecast, zone = stands.forecast, ZoneInfo(terms.timezone)
    curve = BudgetCurve(
        title=terms.name,
        subtitle="",
        starts=_clock(period.start, zone),
        ends=_clock(period.end, zone),
        spent=tuple((_clock(at, zone), amount) for at, amount in spent),
        limit=stands.limit,
        thresholds=terms.thresholds,
        expected=None if forecast is None else forecast.expected,
        low=None if forecast is None else forecast.low,
        high=None if forecast is None else forecast.high,
    )
    return Chart(
        budget_page_chart(curve, currency=terms.currency, down=down), _said(stands, down=down)
    )


def _said(stands: Stands, *, down: bool) -> str:
    terms = stands.budget.terms
    spent = shown(stands.spent, terms.currency) if stands.spent is not None else "nothing"
    title = f"{spent} of {shown(stands.limit, terms.currency)} {terms.currency} spent"
    if stands.forecast is not None:
        title += f", {shown(stands.forecast.expected, terms.currency)} expected by the end"
    return title + (": what is left by day" if down else ": what is spent by day")


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
