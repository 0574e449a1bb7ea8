"""Parts that several answers share: bounds, dimensions, totals, usage."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, Field

from api.grouping import Asked
from spend.meters import CACHE_WRITES, METERS
from spend.moments import moment_text
from spend.money import plain
from spend.totals import Totals

_UNITS: Final = {
    "token": "Tokens",
    "call": "Requests to the provider's own tools that it bills, such as web search",
    "image": "Images that were made",
    "second": "Seconds of audio, transcribed or spoken",
    "ms": "Milliseconds of a model server's time",
}


def _usage_schema() -> dict[str, Any]:
    told = {}
    for meter in METERS:
        if meter.name == CACHE_WRITES[0]:
            told["cache_write_tokens"] = "Written to a cache: the sum of the three below."
        part = f", a part of {meter.of_which}_tokens." if meter.of_which else "."
        told[meter.asked_as] = f"{_UNITS[meter.unit]}{part}"
    return {
        "properties": {
            name: {"type": "integer", "description": text} for name, text in told.items()
        }
    }


_ASKED_AS: Final = tuple((meter.name, meter.asked_as) for meter in METERS)

COSTS: Final = ("cost", "list_cost", "contracted_cost", "billed_cost")
"""The four cost bases, effective first, as answers and CSV have them."""


class TotalsAnswer(BaseModel):
    """What a group of calls comes to."""

    cost: str | None = Field(
        description="Exact, in `currency`; null where nothing in the row is priced. Effective:"
        " commitments are spread over what they were for.",
        examples=["12.345678"],
    )
    list_cost: str | None = Field(
        description="At list prices; null where some of it has none, or nothing is priced."
    )
    contracted_cost: str | None = Field(description="As contracted, before commitments.")
    billed_cost: str | None = Field(
        description="What is on a bill for it: a commitment where it was bought, nothing for what"
        " it covers, nothing for depreciation and your own people's time."
    )
    calls: int = Field(description="Requests to a model.")
    errors: int = Field(description="Calls that did not end well.")
    unpriced_calls: int = Field(description="Calls whose cost is unknown: not in `cost`.")
    unpriced_tokens: int = Field(description="What those used, as far as they said.")
    unmetered_calls: int = Field(description="Calls that did not say what they used.")
    waiting_calls: int = Field(description="Calls whose charges are still to be posted.")
    usage: dict[str, int] = Field(
        description="Usage by class. `input_tokens` is uncached input only: the classes of"
        " tokens are disjoint, but for those that are a part of another.",
        json_schema_extra=_usage_schema(),
    )


class DimensionsAnswer(BaseModel):
    """The dimensions that were asked for; null where nothing was said."""

    day: str | None = None
    month: str | None = None
    team: str | None = None
    project: str | None = None
    service: str | None = None
    environment: str | None = None
    feature: str | None = None
    customer: str | None = None
    provider: str | None = None
    model: str | None = None
    request_model: str | None = None
    operation: str | None = None
    deployment: str | None = None
    region: str | None = None


class BoundsAnswer(BaseModel):
    """What an answer is about."""

    from_: str = Field(alias="from", description="Inclusive; a local date or an instant.")
    to: str = Field(description="Exclusive; likewise.")
    timezone: str = Field(description="The zone that dates, days and months are in.")
    complete_until: str | None = Field(
        description="Everything answered to its sender before it is counted; null: not known."
    )


def instant(moment: datetime | None) -> str | None:
    """A moment of UTC as RFC 3339."""
    return moment_text(moment) if moment else None


def bounds_of(asked: Asked, complete_until: datetime | None) -> dict[str, Any]:
    """The fields of BoundsAnswer."""
    return {
        "from": asked.start,
        "to": asked.end,
        "timezone": asked.question.zone.key,
        "complete_until": instant(complete_until),
    }


def totals_of(totals: Totals) -> dict[str, Any]:
    """The fields of TotalsAnswer."""
    return {
        **{name: decimal_or_null(getattr(totals, name)) for name in COSTS},
        "calls": totals.calls,
        "errors": totals.errors,
        "unpriced_calls": totals.unpriced_calls,
        "unpriced_tokens": totals.unpriced_tokens,
        "unmetered_calls": totals.unmetered_calls,
        "waiting_calls": totals.waiting_calls,
        "usage": usage_of(totals.usage),
    }


def decimal_or_null(amount: Decimal | None) -> str | None:
    """A decimal string; null: not known."""
    return None if amount is None else plain(amount)


def usage_of(usage: Mapping[str, int]) -> dict[str, int]:
    """Usage by the API's names, with the sum of cache writes before its parts."""
    told: dict[str, int] = {}
    for name, asked_as in _ASKED_AS:
        if name == CACHE_WRITES[0]:
            told["cache_write_tokens"] = sum(usage.get(each, 0) for each in CACHE_WRITES)
        told[asked_as] = usage.get(name, 0)
    return told
