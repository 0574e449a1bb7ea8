"""A budget as it is said to the API."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from spend.budgets.budget_periods import KINDS
from spend.budgets.budgets import DEFAULT_THRESHOLDS, DIMENSIONS


class OwnPeriodShape(BaseModel):
    """How periods of no calendar are cut, in the budget's zone: one of `days` and `ends_on`."""

    model_config = ConfigDict(extra="forbid")

    starts_on: StrictStr = Field(description="The first day of the first.", examples=["2026-11-02"])
    days: StrictInt | None = Field(None, description="Each has so many, and the next follows.")
    ends_on: StrictStr | None = Field(None, description="The last day, where there is one alone.")


class BudgetTerms(BaseModel):
    """What may be left out of a budget, and out of a change of one."""

    model_config = ConfigDict(extra="forbid")

    currency: StrictStr | None = Field(None, description="ISO 4217. Default: the server's setting.")
    own_period: OwnPeriodShape | None = Field(
        None, description="Of the period `custom`: how it is cut."
    )
    timezone: StrictStr | None = Field(
        None, description="IANA name of the zone that periods are cut in. Default: the setting."
    )
    forecast_thresholds: list[StrictInt] | None = Field(
        None,
        description="Percentages of the limit: it warns when the period is expected to reach one.",
        examples=[[100]],
    )
    pace_thresholds: list[StrictInt] | None = Field(
        None,
        description="Percentages of the even rate, above 100: of 200 it warns when it is spent"
        " twice as fast as it would last.",
        examples=[[200]],
    )
    rollover_cap: Any = Field(
        None,
        description="At most so much of what a period leaves over goes into the next one: a decimal"
        " string, or an integer. null: nothing does.",
        json_schema_extra={"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        examples=["200.00"],
    )
    parent: StrictStr | StrictInt | None = Field(
        None, description="The budget that it is a part of: name or id.", examples=["research"]
    )
    owner: StrictStr | None = Field(None, description="Whom to ask about it.")
    channels: list[StrictStr] | None = Field(
        None,
        description="Names of the channels that it warns in; none: its team's, or the default"
        " ones.",
    )
    remind_hours: StrictInt | None = Field(
        None, description="While it is over, somebody is reminded after so many hours. null: never."
    )
    webhook_url: StrictStr | None = Field(
        None, description="A Slack webhook of its own, kept secret, where it names no channels."
    )


class BudgetChange(BudgetTerms):
    """What is to be changed; what is left out stays as it is."""

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
    period: StrictStr | None = Field(None, description="One of " + ", ".join(KINDS) + ".")
    thresholds: list[StrictInt] | None = Field(
        None, description="Percentages of the limit that are warned of.", examples=[[80, 100]]
    )
    effective_from: StrictStr | None = Field(
        None,
        description="From when it is to hold: a day of the budget's zone, or an instant with its"
        " offset. Left out: at once. Only one change can be to come.",
        examples=["2026-12-01"],
    )


class NewBudget(BudgetTerms):
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
    period: StrictStr = Field("month", description="One of " + ", ".join(KINDS) + ".")
    thresholds: list[StrictInt] = Field(
        list(DEFAULT_THRESHOLDS), description="Percentages of the limit that are warned of."
    )
