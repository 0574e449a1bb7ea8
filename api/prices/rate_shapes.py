"""An exchange rate as it is said to the API, and as the API shows it."""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from api.instants import Instant
from api.shapes import instant
from api.written_shapes import ONE_OR_MORE, Written
from spend.currencies.exchange import ExchangeRate, UsedRate
from spend.money import plain
from spend.written_rows import Row

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]


class NewRate(Written):
    """One unit of a currency in another, on a day."""

    date: StrictStr = Field(
        description="The day that it is published for; not after today (UTC).",
        examples=["2026-10-01"],
    )
    from_currency: StrictStr = Field(alias="from", description="ISO 4217.", examples=["EUR"])
    to_currency: StrictStr = Field(alias="to", description="ISO 4217.", examples=["USD"])
    rate: StrictStr = Field(
        description="What one unit of `from` is in `to`: a decimal string above 0, with at most 10"
        " decimals.",
        examples=["1.0845"],
    )
    source: StrictStr = Field(description="Who publishes it.", examples=["ecb"])
    reference: StrictStr | None = Field(None, description="The document, or where it can be read.")

    def as_row(self, place: int) -> Row:
        """As a row of a file; ``place`` is its number in the request."""
        return Row(place, self.model_dump(exclude_none=True, by_alias=True))


NewRates = Annotated[
    list[NewRate],
    ONE_OR_MORE,
    Field(min_length=1, description="One rate, or a list of them: all are taken, or none."),
]


class EnteringAsked(BaseModel):
    """How rates are entered."""

    model_config = ConfigDict(extra="forbid")

    correct: bool = Field(
        default=False, description="Whether they replace other rates of their days."
    )


class EnteredRatesAnswer(BaseModel):
    """What became of them."""

    entered: int = Field(description="Of days that had none.")
    corrected: int = Field(description="Of days that had another one.")
    same: int = Field(description="Known already.")


class RateAnswer(BaseModel):
    """An exchange rate."""

    id: int
    day: str
    from_currency: str = Field(alias="from")
    to_currency: str = Field(alias="to")
    rate: str = Field(description="What one unit of `from` is in `to`.")
    source: str
    reference: str | None
    entered_by: str | None
    known_from: str = Field(description="When it was entered.")
    known_to: str | None = Field(description="When it was corrected; null: it holds.")


class RatesAnswer(BaseModel):
    """Exchange rates."""

    rates: list[RateAnswer]
    next: int | None = Field(None, description="`after` of the next page; null: this is the last.")


class RatesAsked(BaseModel):
    """Which exchange rates."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_currency: Currency | None = Field(None, alias="from", description="From this one only.")
    to_currency: Currency | None = Field(None, alias="to", description="To this one only.")
    first: dt.date | None = Field(None, description="Of this day and later.")
    last: dt.date | None = Field(None, description="Of this day and earlier.")
    known_at: Instant | None = Field(
        None, description="As they were known at this instant. Default: now."
    )
    after: int = Field(0, ge=0, le=2**63 - 1, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many rates.")


def rate_answer(rate: ExchangeRate) -> RateAnswer:
    """An exchange rate as it is shown."""
    bounds = {"from": rate.from_currency, "to": rate.to_currency}
    return RateAnswer(
        id=rate.id or 0,
        day=rate.day.isoformat(),
        rate=plain(rate.rate),
        source=rate.source,
        reference=rate.reference,
        entered_by=rate.entered_by,
        known_from=str(instant(rate.known_from)),
        known_to=instant(rate.known_to),
        **bounds,
    )


class ExchangedAnswer(BaseModel):
    """What one unit of a currency was counted as."""

    from_currency: str
    to_currency: str
    rate: str = Field(description="With at most 10 decimals: amounts were multiplied with it.")
    day: str = Field(description="Whose rate it is; of an average, the last day that has one.")
    days: int = Field(description="Of how many days it is the mean.")
    path: str = Field(description="`entered`, `inverse`, or `across` a third currency.")
    sources: list[str] = Field(description="Who published what it was made from.")


def exchanged_answer(used: UsedRate) -> ExchangedAnswer:
    """A used rate as it is shown."""
    return ExchangedAnswer(
        from_currency=used.from_currency,
        to_currency=used.to_currency,
        rate=plain(used.rate),
        day=used.day.isoformat(),
        days=used.days,
        path=used.path,
        sources=list(used.sources),
    )
