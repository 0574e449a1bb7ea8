"""A discount or uplift as it is said to the API, and as the API shows it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from api.instants import Instant
from api.shapes import instant
from api.written_shapes import ONE_OR_MORE, Written
from spend.money import plain
from spend.prices.discounts import Discount


class NewDiscount(Written):
    """So many per cent less, or (an uplift) more, than the public list asks."""

    kind: StrictStr = Field(description="`discount` or `uplift`.", examples=["discount"])
    provider: StrictStr = Field(description="Who bills, as in `/v1/spend`.", examples=["openai"])
    model: StrictStr = Field(
        description="As called or as listed; with `*` at the end all that begin so.",
        examples=["gpt-4*"],
    )
    percent: StrictStr = Field(
        description="A decimal string; of a discount at most 100.", examples=["12.5"]
    )
    valid_from: StrictStr = Field(
        description="A date or time on a quarter hour, UTC unless it has an offset. Inclusive.",
        examples=["2026-10-01"],
    )
    valid_to: StrictStr | None = Field(None, description="Likewise; exclusive. Default: for good.")
    region: StrictStr | None = Field(None, description="Of calls in this region only.")
    service_tier: StrictStr | None = Field(None, description="Of calls of this tier only.")
    meter: StrictStr | None = Field(None, description="On the prices of this meter only.")
    reference: StrictStr | None = Field(
        None, description="The document that says so, or where it can be read."
    )


NewDiscounts = Annotated[
    list[NewDiscount],
    ONE_OR_MORE,
    Field(min_length=1, description="One, or a list of them: all are taken, or none."),
]


class DiscountAnswer(BaseModel):
    """A discount or uplift."""

    id: int
    kind: str
    provider: str
    model: str
    percent: str = Field(examples=["12.50"])
    region: str = Field(description="'' is every region; likewise the next two.")
    service_tier: str
    meter: str
    valid_from: str
    valid_to: str | None = Field(description="Exclusive; null: for good.")
    known_from: str | None
    known_to: str | None = Field(description="When something else became known; null: believed.")
    source: str
    reference: str | None
    entered_by: str | None = Field(description="Who entered it; null: not told.")


class DiscountsAnswer(BaseModel):
    """In the order in which they were entered."""

    discounts: list[DiscountAnswer]


class DiscountsAsked(BaseModel):
    """Which discounts and uplifts."""

    model_config = ConfigDict(extra="forbid")

    at: Instant | None = Field(None, description="In force at this instant only.")
    known_at: Instant | None = Field(
        None, description="Those that were known at this instant. Default: now."
    )


def discount_answer(each: Discount) -> DiscountAnswer:
    """A discount or uplift as it is shown."""
    return DiscountAnswer(
        id=each.id or 0,
        kind=each.kind,
        provider=each.provider,
        model=each.model,
        percent=plain(each.percent),
        region=each.region,
        service_tier=each.service_tier,
        meter=each.meter,
        valid_from=str(instant(each.valid_from)),
        valid_to=instant(each.valid_to),
        known_from=instant(each.known_from),
        known_to=instant(each.known_to),
        source=each.source,
        reference=each.reference,
        entered_by=each.entered_by,
    )
