"""A price as it is said to the API, and as the API shows it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from api.grouping import Name
from api.instants import Instant
from api.shapes import instant
from api.written_shapes import ONE_OR_MORE, Written
from spend.money import plain
from spend.prices.bands import EDGES
from spend.prices.prices import PriceLine
from spend.prices.rating import PRICED
from spend.prices.repricings import Concerned
from spend.written_rows import Row


class NewPrice(Written):
    """A contract price: it wins over the public list."""

    provider: StrictStr = Field(description="Who bills, as in `/v1/spend`.", examples=["openai"])
    model: StrictStr = Field(
        description="As in `/v1/spend`, or the name that the public list has it by.",
        examples=["gpt-4o"],
    )
    meter: StrictStr = Field(description="One of " + ", ".join(PRICED) + ".", examples=["input"])
    unit_price: StrictStr = Field(
        description="For `per` units: a decimal string.", examples=["2.125"]
    )
    per: StrictInt | None = Field(
        None, description="1, 1000 or 1000000 units. Default: 1000000.", examples=[1000000]
    )
    currency: StrictStr = Field(
        description="ISO 4217: what it prices is charged in it.", examples=["USD"]
    )
    valid_from: StrictStr = Field(
        description="A date or time on a quarter hour, UTC unless it has an offset. Inclusive.",
        examples=["2026-10-01"],
    )
    valid_to: StrictStr | None = Field(None, description="Likewise; exclusive. Default: for good.")
    region: StrictStr | None = Field(None, description="Default: every region without a price.")
    service_tier: StrictStr | None = Field(None, description="Default: every tier without a price.")
    above_tokens: StrictInt | None = Field(
        None,
        description="The price of a whole call whose prompt is larger than this, one of "
        + ", ".join(map(str, EDGES))
        + ".",
    )
    above_monthly: StrictInt | None = Field(
        None,
        description="A volume step: the price of the units above so many in a month (UTC).",
        examples=[1000000000],
    )
    reference: StrictStr | None = Field(
        None, description="The document that says so, or where it can be read."
    )

    def as_row(self, place: int) -> Row:
        """As a row of a file; ``place`` is its number in the request."""
        said = self.model_dump(exclude_none=True)
        return Row(place, {name: str(value) for name, value in said.items()})


NewPrices = Annotated[
    list[NewPrice],
    ONE_OR_MORE,
    Field(min_length=1, description="One price, or a list of them: all are taken, or none."),
]


class PriceAnswer(BaseModel):
    """A price line of the book."""

    id: int
    book: str = Field(description="`contract`, `list` (public prices), or `supplement`.")
    provider: str
    model: str
    region: str = Field(description="'' is every region without a line of its own.")
    service_tier: str = Field(description="'' is every tier without a line of its own.")
    meter: str
    above_tokens: int = Field(description="It holds for calls with a larger prompt.")
    above_monthly: int = Field(
        description="It holds for what is used above so many units in a month (UTC)."
    )
    unit_price: str = Field(
        description="For 1,000,000 units: tokens, requests, images, …", examples=["2.50"]
    )
    currency: str
    valid_from: str = Field(description="Calls that start from then on; inclusive.")
    valid_to: str | None = Field(description="Exclusive; null: for good.")
    known_from: str = Field(description="When it entered the book.")
    known_to: str | None = Field(description="When something else became known; null: believed.")
    source: str = Field(description="Where it came from.", examples=["genai-prices 0.2.3"])
    reference: str | None = Field(description="The document that says so, or where it is.")
    entered_by: str | None = Field(description="Who entered it; null: not told.")


class PricesAnswer(BaseModel):
    """Price lines."""

    prices: list[PriceAnswer]
    next: int | None = Field(None, description="`after` of the next page; null: this is the last.")


class ConcernedAnswer(BaseModel):
    """What of the past goes by what was known before, until it is re-priced."""

    cells: int = Field(description="Charged already: they keep their cost.")
    from_: str = Field(alias="from", description="The time to re-price: see `/v1/repricings`.")
    to: str
    command: str = Field(description="What re-prices it.")


class EnteredAnswer(PricesAnswer):
    """The lines that now say what was asked for."""

    concerned: ConcernedAnswer | None = Field(description="null: no price of the past has changed.")


def concerned_answer(concerned: Concerned | None) -> ConcernedAnswer | None:
    """What a change of prices leaves as it was, as it is shown."""
    if concerned is None:
        return None
    bounds = {"from": str(instant(concerned.starts))}
    return ConcernedAnswer(
        **bounds,
        cells=concerned.cells,
        to=str(instant(concerned.ends)),
        command=concerned.command,
    )


class PricesAsked(BaseModel):
    """Which price lines."""

    model_config = ConfigDict(extra="forbid")

    provider: Name | None = Field(None, description="Of this provider only.")
    model: Name | None = Field(
        None, description="Of this model only; with a provider also what it is listed by."
    )
    at: Instant | None = Field(None, description="In force at this instant only.")
    known_at: Instant | None = Field(
        None, description="The book as it was known at this instant. Default: now."
    )
    after: int = Field(0, ge=0, le=2**63 - 1, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many lines.")


class UnpricedAsked(BaseModel):
    """When to look for calls without a price."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Instant | None = Field(
        None, alias="from", description="Inclusive. Default: 92 days before `to`."
    )
    to: Instant | None = Field(None, description="Exclusive. Default: now.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many models.")


class UnpricedModel(BaseModel):
    """Calls of one model whose cost is unknown, for one reason."""

    provider: str | None
    model: str | None
    reason: str = Field(description="`no price`, or `usage not reported`.")
    calls: int
    usage: dict[str, int] = Field(description="Tokens by class, as in `/v1/spend`.")
    first_seen: str = Field(description="The quarter hour of the first such call.")
    last_seen: str = Field(description="The quarter hour of the last one.")


class UnpricedAnswer(BaseModel):
    """Most calls first."""

    from_: str = Field(alias="from")
    to: str
    unpriced: list[UnpricedModel]


def price_answer(line: PriceLine) -> PriceAnswer:
    """A price line as it is shown."""
    shown: dict[str, Any] = {
        "id": line.id,
        "book": line.book,
        "provider": line.provider,
        "model": line.model,
        "region": line.region,
        "service_tier": line.service_tier,
        "meter": line.meter,
        "above_tokens": line.above_tokens,
        "above_monthly": line.above_monthly,
        "unit_price": plain(line.unit_price),
        "currency": line.currency,
        "valid_from": instant(line.valid_from),
        "valid_to": instant(line.valid_to),
        "known_from": instant(line.known_from),
        "known_to": instant(line.known_to),
        "source": line.source,
        "reference": line.reference,
        "entered_by": line.entered_by,
    }
    return PriceAnswer(**shown)
