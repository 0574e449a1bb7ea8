"""/v1/pools: capacity that is paid for by the hour."""

from typing import Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictStr

from api.auth import whole_ledger
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.problems import Problem, answers
from api.shapes import instant
from spend.money import plain
from spend.pool_files import PoolRefusedError, pool_of_fields
from spend.pools import DIMENSIONS, Pool
from store import pools

router = APIRouter(prefix="/v1/pools", tags=["pools"])

_DECIMALS: Final[list[JsonValue]] = [{"type": "string"}, {"type": "integer"}]


class NewPool(BaseModel):
    """Capacity that costs the same every hour, used or not."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: StrictStr = Field(description="No two the same.", examples=["llama on 8 x H100"])
    # Anything, so that a number with a point is refused for what it is: not exact.
    cost_per_hour: Any = Field(
        description="All of it: machines, energy, people. A decimal string.",
        json_schema_extra={"anyOf": _DECIMALS},
        examples=["49.24"],
    )
    currency: StrictStr | None = Field(None, description="The one that charges are kept in.")
    from_: StrictStr | None = Field(
        None,
        alias="from",
        description="A full hour, UTC unless it has an offset. Inclusive. Default: this hour.",
        examples=["2026-10-01"],
    )
    to: StrictStr | None = Field(None, description="Likewise; exclusive. Default: for good.")
    match: dict[StrictStr, list[StrictStr]] = Field(
        description="Which calls run on it: dimension to values, of which one must fit, in every"
        " dimension named. `*` at the end of a value fits any continuation. Dimensions: "
        + ", ".join(DIMENSIONS)
        + ".",
        examples=[{"deployment": ["self-hosted"], "model": ["llama-3.3-70b*"]}],
    )
    capacity_per_hour: Any = Field(
        None,
        description="Work units (uncached input + 4 x output tokens) that it can do in an hour."
        " Default: it is busy while a call is in flight.",
        json_schema_extra={"anyOf": [*_DECIMALS, {"type": "null"}]},
        examples=["50700000"],
    )
    provider: StrictStr | None = Field(None, description="What its idle share shows as provider.")
    region: StrictStr | None = Field(None, description="What its idle share shows as region.")


class PoolAnswer(BaseModel):
    """A pool as it is declared."""

    model_config = ConfigDict(populate_by_name=True)

    id: int
    name: str
    cost_per_hour: str
    currency: str
    from_: str = Field(alias="from")
    to: str | None
    match: dict[str, list[str]]
    capacity_per_hour: str | None
    method: str = Field(description="How its hours are split, with its version.")
    provider: str
    region: str | None
    charged_to: str | None = Field(
        description="Every hour that began before is posted; null: none yet, or all anew."
    )


class PoolsAnswer(BaseModel):
    """The first declared first: where several fit a call, that one has it."""

    pools: list[PoolAnswer]


@router.get(
    "",
    summary="All pools",
    responses=answers(401, 403, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_pools(session: Reading, tenant: Tenant) -> PoolsAnswer:
    """Every pool that was declared, also those that have ended."""
    return PoolsAnswer(pools=[_answer(each) for each in pools.all_pools(session, tenant)])


@router.post(
    "", status_code=201, summary="Declare a pool", responses=answers(401, 403, 409, 422, 503)
)
def declare(
    session: Writing, tenant: Tenant, config: Config, clock: Clock, body: NewPool
) -> PoolAnswer:
    """Its calls have no price from now on; each of its hours is split over them instead.

    The share that no call used is spend of the team `idle`.
    """
    said = body.model_dump(by_alias=True, exclude_none=True)
    try:
        pool = pool_of_fields(said, currency=config.currency, now=clock())
    except PoolRefusedError as refused:
        detail = f"{refused.field}: {refused.reason}"
        raise Problem(422, "The pool makes no sense", detail, field=refused.field) from None
    try:
        return _answer(pools.declare(session, tenant, pool))
    except pools.PoolExistsError:
        detail = f"name: there is a pool called {pool.name!r}"
        raise Problem(409, "The name is taken", detail, field="name") from None


def _answer(pool: Pool) -> PoolAnswer:
    capacity = pool.capacity_per_hour
    return PoolAnswer(
        id=pool.id,
        name=pool.name,
        cost_per_hour=plain(pool.cost_per_hour),
        currency=pool.currency,
        **{"from": str(instant(pool.valid_from))},
        to=instant(pool.valid_to),
        match={dimension: list(values) for dimension, values in pool.match.items()},
        capacity_per_hour=None if capacity is None else f"{capacity.normalize():f}",
        method=pool.method,
        provider=pool.provider,
        region=pool.region,
        charged_to=instant(pool.charged_to),
    )
