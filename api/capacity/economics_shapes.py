"""The shapes of a pool's economics: what is asked, and what is answered."""

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.capacity.pool_shapes import PartAnswer, part_answer
from api.grouping import MOST_VALUES, Asked, Name, PeriodAsked
from api.shapes import BoundsAnswer, bounds_of, instant, usage_of
from spend.capacity.against_api import NO_CAPACITY, NO_TOKENS, SHARED, Comparison, PoolEconomics
from spend.capacity.break_even import Step
from spend.capacity.economics import Economics, TeamLine, TokenCost, per_million, token_cost
from spend.capacity.pool_costs import KINDS
from spend.capacity.targets import ApiTarget
from spend.money import plain, rounded

NO_HOURS = "no hour of it is posted in this time"


class EconomicsAsked(PeriodAsked):
    """A time, what idle capacity is shown as, and what the pool is held against."""

    idle: Literal["own", "weighted", "even"] = Field(
        "own",
        description="Idle cost by team: a line of its own, in proportion to their busy cost, or"
        " evenly. A view: the ledger keeps its idle line.",
    )
    against: Annotated[list[Name], Field(default_factory=list, max_length=MOST_VALUES)] = Field(
        description="A model of a provider, `provider/model`, that the pool's traffic could have"
        " gone to. May be repeated.",
        examples=["groq/llama-3.3-70b-versatile"],
    )
    shared: Annotated[list[Literal[KINDS]], Field(default_factory=lambda: list(SHARED))] = Field(  # type: ignore[valid-type]  # a tuple of strings
        description="Kinds of components that a further machine does not cost again."
    )


class TokenCostAnswer(BaseModel):
    """Per 1,000,000 tokens, 6 decimals; null where there are none to divide by."""

    input: str | None = Field(description="Uncached input. What was found in a cache is no work.")
    output: str | None
    blended: str | None = Field(description="Over all tokens, cached ones too.")


class BasesAnswer(BaseModel):
    """Effective prices on two bases. Hold an API's price against `allocation`, never `usage`."""

    allocation: TokenCostAnswer = Field(description="Busy and idle cost over the tokens.")
    usage: TokenCostAnswer = Field(description="Busy cost alone over the tokens.")


class UtilisationAnswer(BaseModel):
    """How much of the pool was used, as shares; null has its reason."""

    busy: float | None = Field(description="Of the cost, what calls were charged: 0 to 1.")
    of_capacity: float | None = Field(
        description="Work done, of what the declared capacity could have done."
    )


class TeamEconomics(BaseModel):
    """A team on the pool; `idle` is a line of its own unless it was asked to be spread."""

    team: str | None
    calls: int
    tokens: int
    usage: dict[str, int]
    busy_cost: str
    idle_cost: str = Field(description="Its part of what nobody used, as asked with `idle`.")
    cost: str
    per_million_tokens: str | None = Field(description="`cost` over all its tokens.")


class StepAnswer(BaseModel):
    """So many machines, each with the pool's present cost and capacity."""

    machines: int
    cost: str = Field(description="A month (730 hours), to the coin.")
    up_to_tokens: int = Field(description="What they can do in a month, of this mix.")
    cheaper_from_tokens: int | None = Field(
        description="From here up to `up_to_tokens` they cost no more than the API; null: nowhere."
    )


class AgainstAnswer(BaseModel):
    """The pool beside an API, on the pool's own traffic."""

    against: str
    prices_at: str = Field(description="By whose prices of the API.")
    pool_cost: str = Field(description="Busy and idle.")
    api_cost: str | None = Field(description="What the API asks for the same usage.")
    difference: str | None = Field(description="`api_cost` - `pool_cost`: what the pool saves.")
    cheaper: Literal["pool", "api", "same"] | None
    api_per_million_tokens: str | None = Field(
        description="The API's price, weighted by the pool's mix of meters and prompt sizes."
    )
    tokens_a_month: int | None = Field(description="At the volume of this time; 730 hours.")
    machines: int | None = Field(description="That those need, evenly spread over the month.")
    break_even_tokens: int | None = Field(
        description="A month: from so many on the pool costs no more than the API."
    )
    break_even_machines: int | None = Field(description="That it takes to do so many.")
    break_even_utilisation: float | None = Field(
        description="Of one machine's capacity, where its tokens cost what the API asks. Above 1"
        " it cannot be reached."
    )
    break_even_date: str | None = Field(
        description="The day on which the volume gets there, by the straight line through its days."
    )
    steps: list[StepAnswer] = Field(description="The cost as a staircase of machines.")
    reasons: dict[str, str] = Field(description="Field that is null: why.")


class EconomicsAnswer(BoundsAnswer):
    """What a pool's hours cost, and what was done in them."""

    pool_id: int
    pool: str
    currency: str
    hours: int = Field(description="Of UTC, that begin in this time and are posted.")
    cost: str | None = Field(description="Of those hours, by the ledger: busy and idle.")
    busy_cost: str | None
    idle_cost: str | None
    components: list[PartAnswer] = Field(description="They add up to `cost`.")
    calls: int
    unmetered_calls: int = Field(description="That did not say what they used.")
    tokens: int
    usage: dict[str, int]
    work: str = Field(description="Work units: uncached input + 4 x output tokens.")
    utilisation: UtilisationAnswer
    per_million_tokens: BasesAnswer
    idle: Literal["own", "weighted", "even"]
    teams: list[TeamEconomics] = Field(description="Dearest first; they add up to `cost`.")
    against: list[AgainstAnswer]
    reasons: dict[str, str] = Field(description="Field that is null: why.")


def economics_answer(
    found: PoolEconomics, asked: Asked, view: str, complete_until: str | None
) -> EconomicsAnswer:
    """The answer of GET /v1/pools/{pool_id}/economics."""
    whole = found.whole
    known = whole.hours > 0
    body: dict[str, Any] = {
        "pool_id": found.pool.id,
        "pool": found.pool.name,
        "currency": found.pool.currency,
        **bounds_of(asked, None),
        "complete_until": complete_until,
        "hours": whole.hours,
        "cost": plain(whole.cost) if known else None,
        "busy_cost": plain(whole.whole.busy_cost) if known else None,
        "idle_cost": plain(whole.idle_cost) if known else None,
        "components": [part_answer(each) for each in whole.components],
        "calls": whole.whole.calls,
        "unmetered_calls": whole.whole.unmetered_calls,
        "tokens": whole.whole.tokens,
        "usage": usage_of(whole.whole.usage),
        "work": f"{whole.work.normalize():f}",
        "utilisation": {
            "busy": _number(whole.busy_share),
            "of_capacity": _number(whole.of_capacity),
        },
        "per_million_tokens": {
            "allocation": _token_cost(whole.allocation),
            "usage": _token_cost(whole.used),
        },
        "idle": view,
        "teams": [_team(line) for line in found.whole.teams(view)],
        "against": [_against(found, target, each) for target, each in found.against],
        "reasons": _reasons(whole),
    }
    return EconomicsAnswer.model_validate(body)


def _reasons(whole: Economics) -> dict[str, str]:
    if not whole.hours:
        return {"cost": NO_HOURS, "busy_cost": NO_HOURS, "idle_cost": NO_HOURS}
    reasons = {}
    if whole.capacity is None:
        reasons["utilisation.of_capacity"] = NO_CAPACITY
    if not whole.cost:
        reasons["utilisation.busy"] = "it cost nothing"
    if not whole.whole.tokens:
        reasons["per_million_tokens"] = NO_TOKENS
    return reasons


def _team(line: TeamLine) -> dict[str, Any]:
    blended = token_cost(line.cost, line.use.usage).blended
    return {
        "team": line.team,
        "calls": line.use.calls,
        "tokens": line.use.tokens,
        "usage": usage_of(line.use.usage),
        "busy_cost": plain(line.use.busy_cost),
        "idle_cost": plain(line.idle_cost),
        "cost": plain(line.cost),
        "per_million_tokens": None if blended is None else plain(blended),
    }


def _against(found: PoolEconomics, target: ApiTarget, each: Comparison) -> dict[str, Any]:
    difference, even = each.difference, each.even
    return {
        "against": target.name,
        "prices_at": instant(found.prices_at),
        "pool_cost": plain(each.pool_cost),
        "api_cost": None if each.api_cost is None else plain(each.api_cost),
        "difference": None if difference is None else plain(difference),
        "cheaper": each.cheaper,
        "api_per_million_tokens": (
            None if each.price is None else plain(per_million(each.price * 10**6))
        ),
        "tokens_a_month": each.tokens_now,
        "machines": each.machines_now,
        "break_even_tokens": even.tokens,
        "break_even_machines": even.machines,
        "break_even_utilisation": _number(even.utilisation),
        "break_even_date": None if each.on is None else each.on.isoformat(),
        "steps": [_step(step, found.pool.currency) for step in each.steps],
        "reasons": dict(each.reasons),
    }


def _step(step: Step, currency: str) -> dict[str, Any]:
    return {
        "machines": step.machines,
        "cost": plain(rounded(per_million(step.cost), currency)),
        "up_to_tokens": step.up_to,
        "cheaper_from_tokens": step.cheaper_from,
    }


def _token_cost(cost: TokenCost) -> dict[str, str | None]:
    told = {"input": cost.input, "output": cost.output, "blended": cost.blended}
    return {name: None if each is None else plain(each) for name, each in told.items()}


def _number(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), 6)
