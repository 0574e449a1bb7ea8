"""The shapes of what-if: calls that were made, and what they would have cost elsewhere."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StrictStr

from api.grouping import Asked, GroupedAsked, Name, wrong
from api.instants import Instant
from api.shapes import BoundsAnswer, DimensionsAnswer, instant, usage_of
from spend.capacity.pools import Pool
from spend.capacity.targets import TargetRefusedError, target_named
from spend.capacity.what_if import Answer, Here, Rated, ToApi, ToPool, WhatIf, difference
from spend.capacity.what_if_terms import UNKNOWN, Terms
from spend.money import plain

MOST_TARGETS: Final = 20
LARGEST_FACTOR: Final = Decimal(100)
_FACTOR: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,6})?", re.ASCII)


class TargetAsked(BaseModel):
    """Where the calls are thought to go, and how their usage changes on the way."""

    model_config = ConfigDict(extra="forbid")

    to: StrictStr | None = Field(
        None,
        description="`provider/model`, as the price book names them.",
        examples=["groq/llama-3.3-70b-versatile"],
    )
    pool: StrictStr | None = Field(
        None, description="Or the name of a pool, at its own measured cost and capacity."
    )
    service_tier: Name | None = Field(
        None, description="Such as `batch` or `flex`. Default: that of each call."
    )
    region: Name | None = Field(
        None, description="Default: that of each call where the provider is the same, else none."
    )
    prices_at: Instant | None = Field(
        None, description="By the prices of this moment. Default: of each call's own time."
    )
    tokenizer: StrictStr = Field("1", description="Tokens there for each token here.")
    tokenizer_low: StrictStr | None = Field(None, description="For a range beside the figure.")
    tokenizer_high: StrictStr | None = None
    output: StrictStr = Field("1", description="Output there for output here, beyond that.")
    keeps_cache: bool = Field(
        True, description="False: nothing is read from a cache there, or written to one."
    )
    cache_hit_change: StrictStr = Field(
        "0", description="Added to the share of input read from a cache: `0.1` is ten points more."
    )


class WhatIfAsked(GroupedAsked):
    """A question as of `/v1/spend`, and where its calls are thought to go."""

    targets: Annotated[list[TargetAsked], Field(min_length=1, max_length=MOST_TARGETS)]


class ThereAnswer(BaseModel):
    """What calls would cost there."""

    cost: str | None = Field(description="Of all that has a price there; null: nothing has.")
    cost_low: str | None = Field(description="With `tokenizer_low`.")
    cost_high: str | None = Field(description="With `tokenizer_high`.")
    cost_of_unpriced: str = Field(
        description="Of `cost`: calls that have no price here. Not in `difference`."
    )
    difference: str | None = Field(
        description="What the calls would cost more there (less: negative); null: not known, as"
        " they have no price on one of the sides."
    )
    unpriced_calls: int = Field(description="Calls whose cost there is not known.")
    unpriced_tokens: int = Field(description="What those used.")


class HereAnswer(BaseModel):
    """What calls cost really."""

    cost: str | None = Field(
        description="Their charges and `idle_cost`; null where nothing is priced."
    )
    idle_cost: str = Field(
        description="Their part, by cost, of what nobody used of the pools that they ran on."
    )
    calls: int
    unpriced_calls: int = Field(description="Calls whose cost is unknown.")
    unpriced_tokens: int
    waiting_calls: int = Field(description="Calls whose charges are still to be posted.")
    usage: dict[str, int]


class WhatIfRow(HereAnswer, DimensionsAnswer):
    """One group. Of the dimensions only those of `group_by` are there."""

    there: list[ThereAnswer] = Field(description="One for each target, in order.")


class PoolThereAnswer(BaseModel):
    """What a pool would take to run the calls, too."""

    machines: int = Field(description="Like it, so many that the busiest hour fits.")
    busiest_hour: str
    extra_cost: str = Field(
        description="Of the further machines: the pool itself is paid for, whatever runs on it."
    )


class TargetAnswer(ThereAnswer):
    """All calls on one target."""

    to: str
    pool: PoolThereAnswer | None
    missing: list[str] = Field(description="Meters that were used and have no price there.")
    assumptions: list[str] = Field(description="In words.")


class CurrencyCost(BaseModel):
    """A cost in its own currency."""

    currency: str
    cost: str


class WhatIfAnswer(BoundsAnswer):
    """Real calls, and what they would have cost elsewhere. Nothing is written."""

    currency: str
    here: HereAnswer
    targets: list[TargetAnswer]
    rows: list[WhatIfRow] = Field(description="Dearest first; without `group_by`, all in one.")
    elsewhere: list[CurrencyCost] = Field(
        description="What the calls cost in other currencies: compared with nothing."
    )
    unknown: list[str] = Field(description="What real calls cannot tell of calls never made.")


def targets_of(asked: WhatIfAsked, pools: Sequence[Pool]) -> list[ToApi | ToPool]:
    """The targets that were asked for. Problem 422, naming the field."""
    return [_target(each, f"targets.{place}", pools) for place, each in enumerate(asked.targets)]


def _target(asked: TargetAsked, field: str, pools: Sequence[Pool]) -> ToApi | ToPool:
    terms = _terms(asked, field)
    if (asked.to is None) == (asked.pool is None):
        raise wrong(f"{field}.to", "say either to or pool")
    if asked.to is None:
        pool = next((each for each in pools if each.name == asked.pool), None)
        if pool is None:
            raise wrong(f"{field}.pool", f"no pool is called {str(asked.pool)[:100]!r}")
        for name in ("service_tier", "region", "prices_at"):
            if getattr(asked, name) is not None:
                raise wrong(f"{field}.{name}", "a pool has none")
        return ToPool(pool, terms)
    try:
        target = target_named(asked.to, region=asked.region, service_tier=asked.service_tier)
    except TargetRefusedError as refused:
        raise wrong(f"{field}.to", str(refused)) from None
    return ToApi(target, terms, asked.prices_at)


def _terms(asked: TargetAsked, field: str) -> Terms:
    middle = _factor(asked.tokenizer, f"{field}.tokenizer")
    low, high = (
        middle if text is None else _factor(text, f"{field}.{name}")
        for name, text in (
            ("tokenizer_low", asked.tokenizer_low),
            ("tokenizer_high", asked.tokenizer_high),
        )
    )
    if not low <= middle <= high:
        raise wrong(f"{field}.tokenizer", "it is not between tokenizer_low and tokenizer_high")
    return Terms(
        tokenizer=middle,
        tokenizer_low=low,
        tokenizer_high=high,
        output=_factor(asked.output, f"{field}.output"),
        keeps_cache=asked.keeps_cache,
        cache_hit_change=_change(asked.cache_hit_change, f"{field}.cache_hit_change"),
    )


def _factor(text: str, field: str) -> Decimal:
    factor = _decimal(text, field)
    if not 0 < factor <= LARGEST_FACTOR:
        raise wrong(field, f"{text[:100]!r} is not above 0 and at most {LARGEST_FACTOR}")
    return factor


def _change(text: str, field: str) -> Decimal:
    change = _decimal(text, field)
    if not -1 <= change <= 1:
        raise wrong(field, f"{text[:100]!r} is not between -1 and 1")
    return change


def _decimal(text: str, field: str) -> Decimal:
    if not _FACTOR.fullmatch(text):
        raise wrong(field, f"{text[:100]!r} is not a plain decimal number such as 1.15")
    return Decimal(text)


def what_if_answer(
    found: WhatIf, asked: Asked, currency: str, bounds: Mapping[str, Any]
) -> WhatIfAnswer:
    """The answer of POST /v1/what-if."""
    names = asked.question.group_by
    rows = sorted(found.here.items(), key=lambda row: _dearest_first(*row))
    return WhatIfAnswer.model_validate(
        {
            **bounds,
            "currency": currency,
            "here": _here(found.whole),
            "targets": [_target_answer(found.whole, answer) for answer in found.there],
            "rows": [
                dict(zip(names, key, strict=True))
                | _here(here)
                | {
                    "there": [
                        _there(here, answer.by_group.get(key, Rated())) for answer in found.there
                    ]
                }
                for key, here in rows
            ],
            "elsewhere": [
                {"currency": code, "cost": plain(cost)} for code, cost in found.elsewhere.items()
            ],
            "unknown": list(UNKNOWN),
        }
    )


def _target_answer(here: Here, answer: Answer) -> dict[str, Any]:
    on = answer.on_pool
    return {
        "to": answer.name,
        "pool": None
        if on is None
        else {
            "machines": on.machines,
            "busiest_hour": instant(on.busiest),
            "extra_cost": plain(on.extra_cost),
        },
        **_there(here, answer.whole),
        "missing": sorted(answer.whole.missing),
        "assumptions": list(answer.notes),
    }


def _dearest_first(key: tuple[str | None, ...], here: Here) -> tuple[Any, ...]:
    cost = Decimal("-Infinity") if here.cost is None else here.cost
    return (-cost, -here.totals.calls, [(value is None, value or "") for value in key])


def _here(here: Here) -> dict[str, Any]:
    totals = here.totals
    return {
        "cost": None if here.cost is None else plain(here.cost),
        "idle_cost": plain(here.idle_cost),
        "calls": totals.calls,
        "unpriced_calls": totals.unpriced_calls,
        "unpriced_tokens": totals.unpriced_tokens,
        "waiting_calls": totals.waiting_calls,
        "usage": usage_of(totals.usage),
    }


def _there(here: Here, there: Rated) -> dict[str, Any]:
    costs = {"cost": there.cost, "cost_low": there.low, "cost_high": there.high}
    more = difference(here, there)
    return {
        **{name: None if cost is None else plain(cost) for name, cost in costs.items()},
        "cost_of_unpriced": plain(there.of_unpriced),
        "difference": None if more is None else plain(more),
        "unpriced_calls": there.unpriced_calls,
        "unpriced_tokens": there.unpriced_tokens,
    }
