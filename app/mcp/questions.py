"""Arguments that several tools share. Their names are the API's, so that its problems fit them.

What a value may be, the API says; here stands what a model should know before it asks.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from app.mcp.tool import Asked

MOST_NAMES = 50

Dimension = Literal[
    "day", "month", "team", "project", "service", "environment", "feature", "customer",
    "provider", "model", "request_model", "operation", "deployment", "region",
]  # fmt: skip


def _as_list(value: Any) -> Any:
    """Models write one value without its brackets."""
    return [value] if isinstance(value, str) else value


def _cut_at_commas(value: Any) -> Any:
    return [each.strip() for each in value.split(",")] if isinstance(value, str) else value


Text = Annotated[str, Field(max_length=1000)]
Names = Annotated[list[Text], BeforeValidator(_as_list), Field(max_length=MOST_NAMES)]
Dimensions = Annotated[list[Dimension], BeforeValidator(_cut_at_commas), Field(max_length=6)]
Number = Annotated[int, Field(ge=1)]
TraceId = Annotated[str, Field(pattern="^[0-9a-fA-F]{32}$", description="32 hex digits.")]
SpanId = Annotated[str, Field(pattern="^[0-9a-fA-F]{16}$", description="16 hex digits.")]
Month = Annotated[
    str,
    # A part of an address: nothing that could lead out of it.
    Field(
        pattern="^[A-Za-z0-9-]{1,20}$",
        description="Such as `2026-10`, or a fiscal period: `FY2027-P02`.",
    ),
]


class PeriodAsked(Asked):
    """The time that a question is about."""

    from_: str | None = Field(
        None,
        alias="from",
        description="First moment: a date (its local midnight) or an RFC 3339 instant on a quarter"
        " hour. Default: the first of the month of `to`.",
    )
    to: str | None = Field(
        None,
        description="End, exclusive, written likewise: all October is 2026-10-01 to 2026-11-01."
        " Default: the end of today. At most 400 days after `from`.",
    )
    timezone: str | None = Field(
        None, description="IANA zone of dates, days and months. Default: the server's setting."
    )


class FiltersAsked(PeriodAsked):
    """Which calls: each filter lets any of its values through; `""` is those that have none."""

    day: Names | None = Field(None, description="Local days: `2026-10-31`.")
    month: Names | None = Field(None, description="Local months: `2026-10`.")
    team: Names | None = Field(
        None, description="Who pays. `idle`: capacity nobody used; `unallocated`: nobody's."
    )
    project: Names | None = None
    service: Names | None = None
    environment: Names | None = None
    feature: Names | None = None
    customer: Names | None = None
    provider: Names | None = Field(None, description="Who bills, such as `openai`.")
    model: Names | None = Field(None, description="The model that answered, as answers name it.")
    request_model: Names | None = Field(None, description="The model that was asked for.")
    operation: Names | None = Field(None, description="`chat`, `embeddings`, …")
    deployment: Names | None = Field(None, description="`api`, `hosted-open` or `self-hosted`.")
    region: Names | None = None


class GroupedAsked(FiltersAsked):
    """A question with a row for each group."""

    group_by: Dimensions = Field(
        default_factory=list, description="A row for each combination; none: one row of all."
    )


class BooksAsked(Asked):
    """By use or as booked, as known now or then."""

    period: Literal["charge", "billing"] = Field(
        "charge",
        description="`charge`: what was used in the period, as corrected since; `billing`: what is"
        " booked in it, which adds up to its statement.",
    )
    as_known_at: str | None = Field(
        None, description="As it was known at that instant, or date (UTC). Default: now."
    )


class CurrencyAsked(Asked):
    """What amounts are told in."""

    currency: str | None = Field(
        None, description="ISO 4217. Default: the server's setting.", pattern="^[A-Z]{3}$"
    )
    rate_policy: Literal["daily", "period-end", "period-average"] | None = Field(
        None, description="Which days' exchange rates. Default: the server's setting."
    )


class CutAsked(Asked):
    """Which part of a long answer."""

    limit: int = Field(30, ge=1, le=200, description="At most so many rows.")
    skip: int = Field(0, ge=0, description="Rows to leave out first: `next_skip` of the last part.")


OF_THE_CUT = frozenset({"limit", "skip"})


def parameters(asked: Asked, leave_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What the API is asked with, by its names."""
    said = asked.model_dump(by_alias=True, exclude_none=True, exclude=set(leave_out))
    if "group_by" in said:
        said["group_by"] = ",".join(said["group_by"]) or None
    return said
