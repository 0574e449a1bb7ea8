"""/v1/pools: capacity that is paid for by the hour."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from api.answers import json_answer
from api.auth import Who, whole_ledger
from api.capacity.pool_shapes import (
    NewPool,
    PoolAnswer,
    PoolDetailAnswer,
    PoolsAnswer,
    hour_answer,
    pool_answer,
    sums_of,
)
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.grouping import PeriodAsked, checked
from api.problems import Problem, answers
from api.shapes import bounds_of
from spend.capacity.pool_fields import PoolRefusedError
from spend.capacity.pool_files import pool_of_fields
from store.capacity import pool_hours, pools
from store.completeness import complete_until

router = APIRouter(prefix="/v1/pools", tags=["pools"])

PoolId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class PoolAsked(PeriodAsked):
    """A time, and whether each of its hours is to be told."""

    by: Literal["hour"] | None = Field(None, description="`hour`: also tell each hour.")


@router.get(
    "",
    summary="All pools",
    responses=answers(401, 403, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_pools(session: Reading, tenant: Tenant) -> PoolsAnswer:
    """Every pool that was declared, also those that have ended."""
    return PoolsAnswer(pools=[pool_answer(each) for each in pools.all_pools(session, tenant)])


@router.get(
    "/{pool_id}",
    summary="A pool, and what its hours were made of",
    response_model=PoolDetailAnswer,
    responses=answers(401, 403, 404, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def one_pool(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    pool_id: PoolId,
    query: Annotated[PoolAsked, Query()],
) -> Response:
    """What each component cost over the settled hours of UTC that begin in the time asked for."""
    asked = checked(query, default_zone=config.timezone, now=clock(), caller=who)
    pool = pools.pool_by_id(session, tenant, pool_id)
    if pool is None:
        raise Problem(404, "There is no such pool", f"No pool has the id {pool_id}.")
    period = asked.question.period
    settled = pool_hours.hours(session, tenant, pool_id, period.start, period.end)
    told: dict[str, Any] = {
        **bounds_of(asked, complete_until(session)),
        "pool": pool_answer(pool),
        "currency": pool.currency,
        **sums_of(settled),
    }
    if query.by is not None:
        told["by_hour"] = [hour_answer(each) for each in settled]
    return json_answer(request, PoolDetailAnswer(**told))


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
        return pool_answer(pools.declare(session, tenant, pool))
    except pools.PoolExistsError:
        detail = f"name: there is a pool called {pool.name!r}"
        raise Problem(409, "The name is taken", detail, field="name") from None
