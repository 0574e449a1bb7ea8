"""Tools of money: what was spent, and the lines of the ledger that a number is made of."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Amount, Bounds, Costs, Cut, Totals, cut
from app.mcp.asking import Api
from app.mcp.questions import (
    OF_THE_CUT,
    BooksAsked,
    CurrencyAsked,
    CutAsked,
    FiltersAsked,
    GroupedAsked,
    parameters,
)
from app.mcp.telling import money, quoted
from app.mcp.tool import Found, Told, Tool

_OURS: Final = OF_THE_CUT | {"with_usage"}


class SpendAsked(GroupedAsked, BooksAsked, CurrencyAsked, CutAsked):
    """What was spent."""

    with_usage: bool = Field(False, description="Tokens by class in each row; the total has them.")


class SpendTold(Bounds, Cut):
    """What was spent, dearest first."""

    currency: str
    rows: list[Totals] = Field(description="With the dimensions of `group_by`; null: nobody said.")
    total: Totals = Field(description="Of all rows, also those not shown.")
    elsewhere: list[Costs] = Field(description="Money in currencies without a rate: in no sum.")


async def _spend(api: Api, asked: SpendAsked) -> Found:
    found = await api.get("spend", asked=parameters(asked, _OURS))
    without = () if asked.with_usage else ("usage",)
    found = cut(found, "rows", asked, without=without)
    return {**found, "elsewhere": found["elsewhere"][: asked.limit]}


def _spend_text(found: Mapping[str, Any]) -> str:
    currency, total = found["currency"], found["total"]
    names = [name for name in found["rows"][0] if name not in _FIGURES] if found["rows"] else []
    lines = [
        [*(quoted(row[name]) for name in names), money(row["cost"], currency), row["calls"],
         row["unpriced_calls"]]
        for row in found["rows"]
    ]  # fmt: skip
    return telling.told(
        f"Spent {telling.period(found)}: {money(total['cost'], currency)} for {total['calls']}"
        f" calls, of which {total['unpriced_calls']} have no known cost."
        f" {telling.watermark(found)}",
        telling.rows([*names, "cost", "calls", "unpriced calls"], lines),
        telling.more(found, currency),
        [
            f"In no sum, as it has no exchange rate: {money(each['cost'], each['currency'])}"
            for each in found["elsewhere"]
        ],
    )


_FIGURES: Final = frozenset({*Totals.model_fields, "unpriced_tokens", "unmetered_calls", "usage"})

SPEND: Final = Tool(
    name="spend",
    title="What was spent",
    does="What calls to models cost, and how many there were: in a period, by any dimensions"
    " (team, model, day, …), filtered by any. The first tool to take. Rows add up to the total to"
    " the last digit. `cost` is what calls effectively cost, commitments spread over their use;"
    " also at list prices, as contracted, and as billed.",
    asks=SpendAsked,
    tells=SpendTold,
    answer=_spend,
    text=_spend_text,
)


class ChargesAsked(FiltersAsked, BooksAsked):
    """Lines of the ledger."""

    currency: str | None = Field(None, description="Lines in this currency. Default: the server's.")
    limit: int = Field(20, ge=1, le=100, description="At most so many lines.")
    cursor: str | None = Field(None, description="`next` of the page before.")


class ChargeTold(Costs):
    """A line of the ledger."""

    id: int
    kind: str = Field(description="original, correction, allocation, true-up, credit or tax.")
    slot: str | None = Field(description="Quarter hour of the usage, UTC.")
    meter: str
    quantity: Amount
    unit_price: Amount | None = Field(description="For 1,000,000 units.")


class ChargesTold(Bounds):
    """Lines of the ledger, latest usage first."""

    currency: str
    charges: list[ChargeTold]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last.")
    total: Told = Field(description="Of all pages: `lines`, `cost` and the other bases.")


async def _charges(api: Api, asked: ChargesAsked) -> Found:
    found: Found = await api.get("charges", asked=parameters(asked))
    return found


def _charges_text(found: Mapping[str, Any]) -> str:
    currency, total = found["currency"], found["total"]
    lines = [
        [
            each["slot"], each["kind"], quoted(each["payer"]["team"]),
            quoted(each["route"]["model"]), each["meter"], each["quantity"],
            telling.number(each["unit_price"]), money(each["cost"], currency),
        ]
        for each in found["charges"]
    ]  # fmt: skip
    header = ["slot", "kind", "team", "model", "meter", "quantity", "price of a million", "cost"]
    return telling.told(
        f"{total['lines']} lines of the ledger, {telling.period(found)}:"
        f" {money(total['cost'], currency)}. {telling.watermark(found)}",
        telling.rows(header, lines),
        f"More: cursor={found['next']}" if found["next"] else "",
    )


CHARGES: Final = Tool(
    name="charges",
    title="Lines of the ledger",
    does="The lines of the ledger that a number of `spend` is made of: ask with the same period"
    " and filters, and they add up to it. Each tells meter, quantity, unit price, and whether it is"
    " original, a correction, a pool's share, a credit, …. Take it to prove a number; for single"
    " calls take `calls`.",
    asks=ChargesAsked,
    tells=ChargesTold,
    answer=_charges,
    text=_charges_text,
)
