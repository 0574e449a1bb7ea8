"""Tools of prices: the price book, and what it lacks."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Amount, Watermark, watermark
from app.mcp.asking import Api
from app.mcp.questions import Text, parameters
from app.mcp.telling import number, quoted
from app.mcp.tool import Asked, Found, Told, Tool


class PricesAsked(Asked):
    """Which price lines."""

    provider: Text | None = None
    model: Text | None = Field(None, description="Exactly as the book names it.")
    at: str | None = Field(None, description="Only those in force at this instant.")
    known_at: str | None = Field(None, description="The book as it was known then. Default: now.")
    limit: int = Field(30, ge=1, le=100, description="At most so many lines.")
    after: int = Field(0, ge=0, description="`next` of the page before.")


class PriceTold(Told):
    """A price line: what a million units of a meter cost, from when to when."""

    id: int
    book: str = Field(description="`contract` wins over `list` (public), this over `supplement`.")
    provider: str
    model: str
    meter: str
    unit_price: Amount = Field(description="For 1,000,000 units.")
    currency: str
    valid_from: str
    valid_to: str | None = Field(description="Exclusive; null: for good.")
    source: str


class PricesTold(Told):
    """Price lines."""

    prices: list[PriceTold]
    next: int | None = Field(description="`after` of the next page; null: this is the last.")


async def _prices(api: Api, asked: PricesAsked) -> Found:
    found: Found = await api.get("prices", asked=parameters(asked))
    return found


def _prices_text(found: Mapping[str, Any]) -> str:
    lines = [
        [each["id"], each["book"], quoted(each["provider"]), quoted(each["model"]), each["meter"],
         f"{each['unit_price']} {each['currency']}", quoted(each["region"]),
         quoted(each["service_tier"]), each["valid_from"], number(each["valid_to"] or "for good")]
        for each in found["prices"]
    ]  # fmt: skip
    header = [
        "id", "book", "provider", "model", "meter", "price of a million", "region", "tier", "from",
        "to",
    ]  # fmt: skip
    return telling.told(
        telling.rows(header, lines),
        f"More: after={found['next']}" if found["next"] else "",
    )


PRICES: Final = Tool(
    name="prices",
    title="The price book",
    does="Price lines: what a million units of each meter cost, by provider, model, region"
    " and tier, with their source. For a key that sees all teams.",
    asks=PricesAsked,
    tells=PricesTold,
    answer=_prices,
    text=_prices_text,
)


class UnpricedAsked(Asked):
    """When."""

    from_: str | None = Field(None, alias="from", description="An instant. Default: 92 days ago.")
    to: str | None = Field(None, description="An instant, exclusive. Default: now.")
    limit: int = Field(30, ge=1, le=200, description="At most so many models.")


class UnpricedModel(Told):
    """Calls of a model whose cost is unknown."""

    provider: str | None
    model: str | None
    reason: str = Field(description="`no price`, or `usage not reported`.")
    calls: int
    usage: dict[str, int]
    first_seen: str
    last_seen: str


class UnpricedTold(Watermark):
    """What has no known cost."""

    from_: str = Field(alias="from")
    to: str
    unpriced: list[UnpricedModel]


async def _unpriced(api: Api, asked: UnpricedAsked) -> Found:
    until = await watermark(api)
    return {**until, **await api.get("prices", "unpriced", asked=parameters(asked))}


def _unpriced_text(found: Mapping[str, Any]) -> str:
    lines = [
        [quoted(each["provider"]), quoted(each["model"]), each["reason"], each["calls"],
         each["first_seen"], each["last_seen"]]
        for each in found["unpriced"]
    ]  # fmt: skip
    return telling.told(
        f"Calls without a known cost, {found['from']} to {found['to']}. They are in no amount."
        f" {telling.watermark(found)}",
        telling.rows(["provider", "model", "reason", "calls", "first seen", "last seen"], lines),
    )


UNPRICED: Final = Tool(
    name="unpriced",
    title="What has no known cost",
    does="Models whose calls have no known cost, with their volume, and why: no price, or no usage"
    " reported. Their cost is unknown, not zero. For a key that sees all teams.",
    asks=UnpricedAsked,
    tells=UnpricedTold,
    answer=_unpriced,
    text=_unpriced_text,
)
