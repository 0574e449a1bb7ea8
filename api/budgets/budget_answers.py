"""A budget as the API shows it, and where it stands."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.budgets.budget_shapes import OwnPeriodShape
from api.shapes import instant
from spend.budgets.budget_periods import name_of
from spend.budgets.budget_tree import allocated
from spend.budgets.budgets import Budget
from spend.forecasts.forecast import Forecast
from spend.money import EXACT, plain
from store.budgets.budget_names import Names
from store.budgets.budget_status import Status
from store.budgets.budgets import withdrawn


class FiscalAnswer(BaseModel):
    """How a fiscal year is cut: the settings, when the budget was set or last changed."""

    kind: str = Field(examples=["4-4-5"])
    starts_in: int = Field(description="The month, 1 to 12.")
    week_starts_on: str
    ends: str = Field(description="`last` or `nearest`.")


class NamedBudget(BaseModel):
    """A budget beside another one."""

    id: int
    name: str


class BudgetToldAnswer(BaseModel):
    """What a version of a budget says."""

    id: int
    version: int = Field(description="Counts changes, from 1.")
    name: str
    filter: dict[str, list[str]]
    amount: str = Field(examples=["1000.00"])
    currency: str
    period: str
    own_period: OwnPeriodShape | None
    timezone: str
    fiscal: FiscalAnswer | None = Field(
        description="How its fiscal periods are cut; null: its period is none of them."
    )
    thresholds: list[int]
    forecast_thresholds: list[int]
    pace_thresholds: list[int]
    rollover_cap: str | None
    parent: str | None = Field(description="The name of the budget that it is a part of.")
    owner: str | None
    channels: list[str]
    remind_hours: int | None
    webhook_url: str | None = Field(
        description="Its last 4 characters; null: it has none of its own.", examples=["…x7Yz"]
    )
    created_at: str = Field(description="When this version was made.")
    effective_from: str = Field(description="From when it holds.")


class ToComeAnswer(BaseModel):
    """A change that is to come."""

    version: int
    effective_from: str


class BudgetAnswer(BudgetToldAnswer):
    """A budget as it holds now, or is to hold."""

    children: list[NamedBudget] = Field(description="Budgets that are parts of it.")
    to_come: ToComeAnswer | None = Field(description="The version that is to follow.")


class BudgetsAnswer(BaseModel):
    """All budgets in force."""

    budgets: list[BudgetAnswer]


class VersionAnswer(BudgetToldAnswer):
    """A version of a budget."""

    replaced_at: str | None = Field(description="Until when it holds; null: for now.")
    state: Literal["past", "in force", "to come", "withdrawn"]


class BudgetVersionsAnswer(BaseModel):
    """All versions of a budget, the first one first."""

    versions: list[VersionAnswer]


class ThresholdAnswer(BaseModel):
    """A percentage that is warned of."""

    percent: int
    crossed_at: str | None = Field(description="When it was found reached in this period.")


class WithoutRate(BaseModel):
    """Spend that could not be converted."""

    currency: str
    spent: str = Field(description="Exact.")


class ExpectedAnswer(BaseModel):
    """What the period is expected to come to."""

    expected: str = Field(description="Of the whole period, what is spent included.")
    low: str = Field(description="Of its band, which 8 of 10 such periods end within.")
    high: str
    past_error: str | None = Field(
        description="By how many per cent forecasts of this age were wrong before, in the middle."
    )
    made_at: str


class StatusAnswer(BaseModel):
    """Where a budget stands in its present period."""

    budget: BudgetAnswer
    spent: str | None = Field(
        description="Exact; what is in other currencies at the rate of its day. null, as the period"
        " and what is reckoned from it: there is no period now, or `trouble`.",
        examples=["812.345678"],
    )
    without_rate: list[WithoutRate] = Field(
        description="Spent in other currencies that have no rate: not in `spent`."
    )
    amount: str
    rolled_in: str = Field(description="What the last period left over, to its cap.")
    limit: str = Field(description="The amount, and what was rolled in.")
    currency: str
    percent: str | None = Field(
        description="Spent of the limit, cut to 2 decimals; null of a limit of 0."
    )
    left: str | None = Field(description="Of the limit; negative when over.")
    period: str | None = Field(description="What it is called.", examples=["2026-11"])
    period_start: str | None = Field(description="Inclusive.")
    period_end: str | None = Field(description="Exclusive.")
    thresholds: list[ThresholdAnswer]
    pace: int | None = Field(
        description="Percent of the even rate at which it was spent of late; null: not measured."
    )
    forecast: ExpectedAnswer | None = Field(description="null: there is none yet.")
    allocated: str | None = Field(
        description="What its children's amounts come to, of those whose periods are its own. null:"
        " it has no children."
    )
    unallocated: str | None = Field(
        description="Its amount without `allocated`; negative: more was allocated than there is."
    )
    complete_until: str | None = Field(
        description="Everything heard before this instant is counted; null: not known."
    )
    state: str = Field(
        description="`over` from 100 % on, `warning` from the lowest threshold on or while a"
        " forecast or a pace is above one, `recovered` from one of these, else `ok`."
    )
    trouble: str | None = Field(description="Why it cannot be compared; null: it can.")


def budget_answer(budget: Budget, there: Names) -> BudgetAnswer:
    """A budget as the API shows it, without its secret, among those that the caller may see."""
    to_come = there.to_come(budget.id)
    if to_come is not None and to_come.version == budget.version:
        to_come = None
    return BudgetAnswer(
        **_told(budget, there),
        children=[
            NamedBudget(id=each.id, name=each.terms.name) for each in there.children(budget.id)
        ],
        to_come=None
        if to_come is None
        else ToComeAnswer(version=to_come.version, effective_from=_at(to_come.starts)),
    )


def version_answer(version: Budget, there: Names, now: datetime) -> VersionAnswer:
    """A version as the API shows it."""
    return VersionAnswer(
        **_told(version, there),
        replaced_at=None if withdrawn(version) else instant(version.replaced_at),
        state="withdrawn"
        if withdrawn(version)
        else "to come"
        if version.starts > now
        else "in force"
        if version.in_force(now)
        else "past",
    )


def _told(version: Budget, there: Names) -> dict[str, Any]:
    return there.fields(version.terms) | {
        "id": version.id,
        "version": version.version,
        "created_at": _at(version.created_at),
        "effective_from": _at(version.starts),
    }


def status_answer(status: Status, there: Names, forecast: Forecast | None) -> StatusAnswer:
    """Where a budget stands, as the API shows it."""
    terms, period = status.budget.terms, status.period
    children = there.children(status.budget.id)
    given = allocated(status.budget, children) if children else None
    return StatusAnswer(
        budget=budget_answer(status.budget, there),
        spent=None if period is None else plain(status.spent),
        without_rate=[
            WithoutRate(currency=code, spent=plain(amount))
            for code, amount in status.without_rate.items()
        ],
        amount=plain(terms.amount),
        rolled_in=plain(status.rolled_in),
        limit=plain(status.limit),
        currency=terms.currency,
        percent=None if period is None or status.percent is None else plain(status.percent),
        left=None if period is None else plain(status.left),
        period=None if period is None else name_of(terms, period),
        period_start=None if period is None else instant(period.start),
        period_end=None if period is None else instant(period.end),
        thresholds=[
            ThresholdAnswer(percent=percent, crossed_at=instant(crossed_at))
            for percent, crossed_at in status.crossed_at.items()
        ],
        pace=status.pace,
        forecast=None if forecast is None else _forecast(forecast),
        allocated=None if given is None else plain(given),
        unallocated=None if given is None else plain(EXACT.subtract(terms.amount, given)),
        complete_until=instant(status.complete_until),
        state=status.state,
        trouble=status.trouble,
    )


def _forecast(found: Forecast) -> ExpectedAnswer:
    return ExpectedAnswer(
        expected=plain(found.expected),
        low=plain(found.low),
        high=plain(found.high),
        past_error=None if found.past_error is None else plain(found.past_error),
        made_at=_at(found.made_at),
    )


def _at(moment: datetime) -> str:
    return str(instant(moment))
