"""A budget as it is said to the API, and as the API shows it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from api.shapes import instant
from spend.budget_periods import FISCAL, KINDS
from spend.budgets import DEFAULT_THRESHOLDS, DIMENSIONS, Budget
from spend.money import plain
from store.budget_status import Status


class BudgetChange(BaseModel):
    """What is to be changed; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: StrictStr | None = Field(None, description="What people call it; no two the same.")
    filter: dict[StrictStr, list[StrictStr]] | None = Field(
        None,
        description="Dimension to values: spend counts that has one of the values in each. `{}` is"
        " everything, the value `''` spend without one. Dimensions: " + ", ".join(DIMENSIONS) + ".",
        examples=[{"team": ["search"]}],
    )
    # Anything, so that a number with a point is refused for what it is: not exact.
    amount: Any = Field(
        None,
        description="A decimal string, or an integer.",
        json_schema_extra={"anyOf": [{"type": "string"}, {"type": "integer"}]},
        examples=["1000.00"],
    )
    currency: StrictStr | None = Field(None, description="ISO 4217. Default: the server's setting.")
    period: StrictStr | None = Field(None, description="One of " + ", ".join(KINDS) + ".")
    timezone: StrictStr | None = Field(
        None, description="IANA name of the zone that periods are cut in. Default: the setting."
    )
    thresholds: list[StrictInt] | None = Field(
        None, description="Percentages of the amount that are warned of.", examples=[[80, 100]]
    )
    webhook_url: StrictStr | None = Field(
        None,
        description="A Slack webhook, kept secret. null: the one of the settings.",
    )


class NewBudget(BudgetChange):
    """A budget to be set."""

    name: StrictStr = Field(description="What people call it; no two the same.")
    filter: dict[StrictStr, list[StrictStr]] = Field(
        description=str(BudgetChange.model_fields["filter"].description),
        examples=[{"team": ["search"]}],
    )
    amount: Any = Field(
        description="A decimal string, or an integer.",
        json_schema_extra={"anyOf": [{"type": "string"}, {"type": "integer"}]},
        examples=["1000.00"],
    )
    currency: StrictStr | None = Field(None, description="ISO 4217. Default: the server's setting.")
    period: StrictStr = Field("month", description="One of " + ", ".join(KINDS) + ".")
    thresholds: list[StrictInt] = Field(
        list(DEFAULT_THRESHOLDS), description="Percentages of the amount that are warned of."
    )


class FiscalAnswer(BaseModel):
    """How a fiscal year is cut: the settings, when the budget was set or last changed."""

    kind: str = Field(examples=["4-4-5"])
    starts_in: int = Field(description="The month, 1 to 12.")
    week_starts_on: str
    ends: str = Field(description="`last` or `nearest`.")


class BudgetAnswer(BaseModel):
    """A budget as it holds now."""

    id: int
    version: int = Field(description="Counts changes, from 1.")
    name: str
    filter: dict[str, list[str]]
    amount: str = Field(examples=["1000.00"])
    currency: str
    period: str
    timezone: str
    fiscal: FiscalAnswer | None = Field(
        description="How its fiscal periods are cut; null: its period is none of them."
    )
    thresholds: list[int]
    webhook_url: str | None = Field(
        description="Its last 4 characters; null: the webhook of the settings.", examples=["…x7Yz"]
    )
    created_at: str = Field(description="When this version came into force.")


class BudgetsAnswer(BaseModel):
    """All budgets in force."""

    budgets: list[BudgetAnswer]


class ThresholdAnswer(BaseModel):
    """A percentage that is warned of."""

    percent: int
    crossed_at: str | None = Field(description="When it was found reached in this period.")


class WithoutRate(BaseModel):
    """Spend that could not be converted."""

    currency: str
    spent: str = Field(description="Exact.")


class StatusAnswer(BaseModel):
    """Where a budget stands in its present period."""

    budget: BudgetAnswer
    spent: str = Field(
        description="Exact; what is in other currencies at the rate of its day.",
        examples=["812.345678"],
    )
    without_rate: list[WithoutRate] = Field(
        description="Spent in other currencies that have no rate: not in `spent`."
    )
    amount: str
    currency: str
    percent: str | None = Field(
        description="Spent of the amount, cut to 2 decimals; null of an amount of 0."
    )
    left: str = Field(description="Negative when over.")
    period_start: str = Field(description="Inclusive.")
    period_end: str = Field(description="Exclusive.")
    thresholds: list[ThresholdAnswer]
    complete_until: str | None = Field(
        description="Everything heard before this instant is counted; null: not known."
    )
    state: str = Field(
        description="`over` from 100 % on, `warning` from the lowest threshold on, else `ok`."
    )


def budget_answer(budget: Budget) -> BudgetAnswer:
    """A budget as the API shows it, without its secret."""
    terms = budget.terms
    return BudgetAnswer(
        id=budget.id,
        version=budget.version,
        name=terms.name,
        filter={name: list(values) for name, values in terms.filter.items()},
        amount=plain(terms.amount),
        currency=terms.currency,
        period=terms.period,
        timezone=terms.timezone,
        fiscal=FiscalAnswer(**asdict(terms.fiscal)) if terms.period in FISCAL else None,
        thresholds=list(terms.thresholds),
        webhook_url=None if terms.webhook_url is None else f"…{terms.webhook_url[-4:]}",
        created_at=_at(budget.created_at),
    )


def status_answer(status: Status) -> StatusAnswer:
    """Where a budget stands, as the API shows it."""
    terms = status.budget.terms
    return StatusAnswer(
        budget=budget_answer(status.budget),
        spent=plain(status.spent),
        without_rate=[
            WithoutRate(currency=code, spent=plain(amount))
            for code, amount in status.without_rate.items()
        ],
        amount=plain(terms.amount),
        currency=terms.currency,
        percent=None if status.percent is None else plain(status.percent),
        left=plain(status.left),
        period_start=_at(status.period.start),
        period_end=_at(status.period.end),
        thresholds=[
            ThresholdAnswer(percent=percent, crossed_at=instant(crossed_at))
            for percent, crossed_at in status.crossed_at.items()
        ],
        complete_until=instant(status.complete_until),
        state=status.state,
    )


def _at(moment: datetime) -> str:
    return str(instant(moment))
