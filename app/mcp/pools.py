"""Tools of capacity that is paid for by the hour, and of what calls would have cost elsewhere."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from app.mcp import telling
from app.mcp.answers import Amount, Bounds, Cut, cut, leave_out
from app.mcp.asking import Api
from app.mcp.questions import (
    OF_THE_CUT,
    CutAsked,
    GroupedAsked,
    Names,
    Number,
    PeriodAsked,
    Text,
    parameters,
)
from app.mcp.telling import money, number, quoted
from app.mcp.tool import Asked, Found, Told, Tool


class PoolsAsked(CutAsked):
    """Which part of them."""


class PoolTold(Told):
    """Capacity that is paid for by the hour, whoever uses it."""

    id: int
    name: str
    kind: str
    currency: str
    method: str = Field(description="How an hour is split over the calls that used it.")
    components: list[Told] = Field(description="What it costs and why; a component named alone.")


class PoolsTold(Cut):
    """Pools."""

    pools: list[PoolTold]


async def _pools(api: Api, asked: PoolsAsked) -> Found:
    return cut(await api.get("pools"), "pools", asked, without=("tariffs",))


def _pools_text(found: Mapping[str, Any]) -> str:
    lines = [
        [each["id"], quoted(each["name"]), each["kind"], each["method"],
         ", ".join(quoted(part["name"]) for part in each["components"]) or "-",
         number(each["charged_to"])]
        for each in found["pools"]
    ]  # fmt: skip
    return telling.told(
        telling.rows(["id", "pool", "kind", "split by", "components", "charged until"], lines),
        telling.more(found),
    )


POOLS: Final = Tool(
    name="pools",
    title="Capacity paid by the hour",
    does="Pools: GPUs or provisioned throughput that are paid for by the hour, with what each costs"
    " and how its hours are split. For what its tokens cost and how idle it was take"
    " `pool_economics`. For a key that sees all teams.",
    asks=PoolsAsked,
    tells=PoolsTold,
    answer=_pools,
    text=_pools_text,
)


class EconomicsAsked(PeriodAsked):
    """Of which pool, against what."""

    pool_id: Number = Field(description="`id` of `pools`.")
    against: Names | None = Field(
        None, description="Models of APIs to compare with: `provider/model`, as `prices` has them."
    )
    idle: Literal["own", "weighted", "even"] = Field(
        "own", description="Idle cost by team: a line of its own, by use, or in even parts."
    )


class EconomicsTold(Bounds):
    """What a pool's tokens cost."""

    pool: str
    currency: str
    hours: int = Field(description="That are posted.")
    cost: Amount | None = Field(description="Busy and idle, by the ledger; null: unknown.")
    busy_cost: Amount | None
    idle_cost: Amount | None
    calls: int
    tokens: int
    utilisation: Told = Field(description="`busy`: of the cost; `of_capacity`: of what it can do.")
    per_million_tokens: Told = Field(description="`allocation`: with idle; `usage`: busy alone.")
    teams: list[Told]
    against: list[Told] = Field(description="`cheaper`, `difference` and the break-even.")


_MOST_TEAMS: Final = 50


async def _economics(api: Api, asked: EconomicsAsked) -> Found:
    said = parameters(asked, frozenset({"pool_id"}))
    found = await api.get("pools", asked.pool_id, "economics", asked=said)
    against = [leave_out(each, ("steps",)) for each in found["against"]]
    teams = found["teams"]
    return {
        **found,
        "against": against,
        "teams": [leave_out(each, ("usage",)) for each in teams[:_MOST_TEAMS]],
        "teams_in_all": len(teams),
    }


def _economics_text(found: Mapping[str, Any]) -> str:
    currency, tokens = found["currency"], found["per_million_tokens"]
    teams = [
        [quoted(each["team"]), each["calls"], each["tokens"], money(each["cost"], currency)]
        for each in found["teams"]
    ]
    against = [
        f"Against {quoted(each['against'])}: the API would ask {money(each['api_cost'], currency)}"
        f" for the same; cheaper: {number(each['cheaper'])}."
        for each in found["against"]
    ]
    return telling.told(
        f"Pool {quoted(found['pool'])}, {telling.period(found)}, {found['hours']} hours:"
        f" {money(found['cost'], currency)}, of which idle {money(found['idle_cost'], currency)}."
        f" {telling.watermark(found)}",
        f"A million tokens: {money(tokens['allocation']['blended'], currency)} with idle,"
        f" {money(tokens['usage']['blended'], currency)} without.",
        telling.rows(["team", "calls", "tokens", "cost"], teams),
        against,
    )


ECONOMICS: Final = Tool(
    name="pool_economics",
    title="What a pool's tokens cost",
    does="What a pool cost in a period, how much of it was idle, what a million of its tokens came"
    " to, which teams used it, and whether an API would have been cheaper (`against`). For a key"
    " that sees all teams.",
    asks=EconomicsAsked,
    tells=EconomicsTold,
    answer=_economics,
    text=_economics_text,
)


class Target(Asked):
    """Where the calls are thought to go. Numbers are decimal texts."""

    to: Text | None = Field(None, description="`provider/model`, as `prices` has them.")
    pool: Text | None = Field(None, description="Or the name of a pool.")
    service_tier: Text | None = Field(None, description="Such as `batch`. Default: the call's.")
    region: Text | None = None
    prices_at: str | None = Field(None, description="By prices of then. Default: the call's time.")
    tokenizer: str | None = Field(None, description="Tokens there for one here. Default: `1`.")
    output: str | None = Field(None, description="Output there for one here. Default: `1`.")
    keeps_cache: bool = Field(True, description="False: there is no cache there.")


class WhatIfAsked(GroupedAsked, CutAsked):
    """Calls that were made, and where they are thought to go."""

    targets: list[Target] = Field(min_length=1, max_length=5)


class ThereTold(Told):
    """What the calls would have cost at one target."""

    cost: Amount | None = Field(description="Of all that has a price there; null: nothing has.")
    difference: Amount | None = Field(description="More there; negative: less. Null: unknown.")
    unpriced_calls: int = Field(description="Calls whose cost there is not known.")


class HereTold(Told):
    """What they cost."""

    cost: Amount | None = Field(description="Null: nothing is priced.")
    calls: int
    unpriced_calls: int


class WhatIfRow(HereTold):
    """A group."""

    there: list[ThereTold] = Field(description="One for each target, in order.")


class WhatIfTold(Bounds, Cut):
    """What calls would have cost elsewhere."""

    currency: str
    here: HereTold
    targets: list[ThereTold] = Field(description="With `to` or `pool`, and `assumptions`.")
    rows: list[WhatIfRow] = Field(description="Dearest first, with the dimensions of `group_by`.")
    unknown: list[str] = Field(description="What real calls cannot tell of calls never made.")


async def _what_if(api: Api, asked: WhatIfAsked) -> Found:
    said = parameters(asked, OF_THE_CUT)
    if said.get("group_by"):
        said["group_by"] = list(asked.group_by)
    else:
        said.pop("group_by", None)
    found = await api.what_if(said)
    return cut(found, "rows", asked, without=("usage",))


def _what_if_text(found: Mapping[str, Any]) -> str:
    currency, here = found["currency"], found["here"]
    targets = [
        [quoted(each["to"]), money(each["cost"], currency), money(each["difference"], currency),
         each["unpriced_calls"]]
        for each in found["targets"]
    ]  # fmt: skip
    return telling.told(
        f"{here['calls']} calls, {telling.period(found)}, cost {money(here['cost'], currency)} here"
        f" ({here['unpriced_calls']} have no known cost). {telling.watermark(found)}",
        telling.rows(["there", "cost", "difference", "calls without a price there"], targets),
        [f"Assumed of {quoted(each['to'])}: {quoted(said)}"
         for each in found["targets"] for said in each["assumptions"]],
        [f"Not known: {quoted(each)}" for each in found["unknown"]],
        telling.more(found, currency),
    )  # fmt: skip


WHAT_IF: Final = Tool(
    name="what_if",
    title="What calls would have cost elsewhere",
    does="What calls that were made would have cost on another model or pool, exactly rated, with"
    " what was assumed and what cannot be known (quality, above all). Tell these with the figure.",
    asks=WhatIfAsked,
    tells=WhatIfTold,
    answer=_what_if,
    text=_what_if_text,
)
