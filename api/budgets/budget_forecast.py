"""/v1/budgets/{id}/forecast: what a budget's period should come to, and how it gets there."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.auth import Who
from api.budgets.budgets import BudgetId, found_for
from api.dependencies import Clock, Reading, Tenant
from api.problems import answers
from api.shapes import instant
from spend.budgets.budget_periods import name_of
from spend.budgets.budgets import Budget
from spend.forecasts.forecast import BAND, Forecast
from spend.forecasts.forecast_points import Point, points
from spend.money import plain
from spend.periods import Period, day_start, days_in
from store.budgets.budget_spend import read_spend
from store.budgets.forecasts import forecast_among, forecasts
from store.budgets.outlooks import present_outlooks

router = APIRouter(prefix="/v1/budgets", tags=["budgets"])


class ForecastPoint(BaseModel):
    """A local day of the period."""

    day: str
    spent: str | None = Field(description="null: the day is to come.")
    expected: str | None = Field(description="What is still to come of it; null: it is over.")
    low: str = Field(description="At its end, of all days until then: of the band.")
    total: str = Field(description="Likewise: what is spent and expected.")
    high: str


class BudgetForecastAnswer(BaseModel):
    """What the present period of a budget should come to."""

    budget_id: int
    currency: str
    timezone: str
    period: str | None = Field(examples=["2026-11"], description="null: there is none now.")
    period_start: str | None = Field(description="Inclusive.")
    period_end: str | None = Field(description="Exclusive.")
    expected: str | None = Field(
        description="Of the whole period, what is spent included. null, as all that follows:"
        " there is no forecast; `reason` says why."
    )
    low: str | None = Field(description=f"Of the band that {BAND} % of such periods end within.")
    high: str | None
    past_error: str | None = Field(
        description="By how many per cent forecasts of this age were wrong before, in the middle;"
        " null: there are too few days to have tried it."
    )
    method: str | None = Field(examples=["seasonal-1"])
    days: int | None = Field(description="Days of the past that it is from.")
    through: str | None = Field(description="What was spent before is in it as it was.")
    made_at: str | None
    points: list[ForecastPoint] = Field(description="Each day of the period.")
    reason: str | None = Field(description="Why there is no forecast.")


@router.get(
    "/{budget_id}/forecast",
    summary="What a budget's period should come to",
    responses=answers(401, 403, 404, 422, 503),
)
def forecast(
    session: Reading, tenant: Tenant, who: Who, clock: Clock, budget_id: BudgetId
) -> BudgetForecastAnswer:
    """The latest forecast, by which thresholds of forecasts go, and its days."""
    now = clock()
    budget = found_for(session, tenant, who, budget_id, now)
    outlooks, present = present_outlooks(session, tenant, [budget], now)
    period, outlook = present.get(budget_id), outlooks.get(budget_id)
    kept = forecast_among(forecasts(session, tenant), budget, period)
    shown: list[Point] = []
    reason = "it has no period now" if outlook is None else outlook.reason
    if period is not None and outlook is not None and kept is not None:
        spent = _spent(session, tenant, budget, Period(period.start, min(now, period.end)))
        zone = ZoneInfo(budget.terms.timezone)
        shown = list(points(period, zone, spent, outlook.rest, kept))
    elif outlook is not None and outlook.forecast is not None:
        reason = "none was made yet: the job forecast makes them every 15 minutes"
    return _answer(budget, period, kept, shown, reason)


def _spent(session: Session, tenant: int, budget: Budget, until_now: Period) -> dict[date, Decimal]:
    """By local day."""
    terms = budget.terms
    zone = ZoneInfo(terms.timezone)
    days = list(days_in(until_now, zone))
    starts = [day_start(day, zone) for day in days]
    ends = [*starts[1:], until_now.end]
    periods = [Period(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
    read = read_spend(session, tenant, periods, [terms.filter], {terms.currency}, now=until_now.end)
    found = (read.on(terms.filter, terms.currency, each).amount for each in periods)
    return dict(zip(days, found, strict=True))


def _answer(
    budget: Budget,
    period: Period | None,
    kept: Forecast | None,
    shown: list[Point],
    reason: str | None,
) -> BudgetForecastAnswer:
    terms = budget.terms
    error = None if kept is None else kept.past_error
    return BudgetForecastAnswer(
        budget_id=budget.id,
        currency=terms.currency,
        timezone=terms.timezone,
        period=None if period is None else name_of(terms, period),
        period_start=None if period is None else instant(period.start),
        period_end=None if period is None else instant(period.end),
        expected=None if kept is None else plain(kept.expected),
        low=None if kept is None else plain(kept.low),
        high=None if kept is None else plain(kept.high),
        past_error=None if error is None else plain(error),
        method=None if kept is None else kept.method,
        days=None if kept is None else kept.days,
        through=None if kept is None else instant(kept.through),
        made_at=None if kept is None else instant(kept.made_at),
        points=[
            ForecastPoint(
                day=str(each.day),
                spent=None if each.spent is None else plain(each.spent),
                expected=None if each.expected is None else plain(each.expected),
                low=plain(each.low),
                total=plain(each.total),
                high=plain(each.high),
            )
            for each in shown
        ],
        reason=None if kept is not None else reason,
    )
