"""Questions of money in one currency, and what answers say of how it came into it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.grouping import wrong
from api.prices.rate_shapes import ExchangedAnswer, exchanged_answer
from api.settings import ApiSettings
from spend.currencies.currencies import CODES
from spend.currencies.exchange import UsedRate
from store.breakdowns.dimensions import Question
from store.conversion import Conversion

Policy = Literal["daily", "period-end", "period-average", "none"]


class CurrencyAsked(BaseModel):
    """The currency that an answer is told in."""

    model_config = ConfigDict(extra="forbid")

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        None,
        description="ISO 4217. What is in others is converted. Default: the server's setting.",
        examples=["EUR"],
    )
    rate_policy: Policy | None = Field(
        None,
        description="At which rate: of the day of the call (`daily`), of the period's last day"
        " (`period-end`), the mean of its days (`period-average`); or `none`, and nothing is"
        " converted. Default: the server's setting.",
    )


class ConvertedAnswer(BaseModel):
    """How amounts came into one currency."""

    currency: str = Field(description="Of every amount that names no other: ISO 4217.")
    rate_policy: str
    rates: list[ExchangedAnswer] = Field(description="That were used; none: nothing was converted.")


def conversion_of(
    asked: CurrencyAsked, config: ApiSettings, question: Question, now: datetime
) -> Conversion:
    """What was asked for; Problem 422 for what is no currency."""
    if asked.currency is not None and asked.currency not in CODES:
        raise wrong("currency", f"{asked.currency!r} is no currency code of ISO 4217")
    return Conversion(
        to=asked.currency or config.currency,
        policy=asked.rate_policy or config.rate_policy,
        zone=question.zone,
        now=now,
        as_known_at=question.as_known_at,
    )


def converted_by(asked: Conversion, used: Iterable[UsedRate]) -> dict[str, Any]:
    """The fields of ConvertedAnswer."""
    return {
        "currency": asked.to,
        "rate_policy": asked.policy,
        "rates": [exchanged_answer(each) for each in used],
    }
