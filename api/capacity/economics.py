"""GET /v1/pools/{pool_id}/economics: what a pool's tokens cost, and an API's beside them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import json_answer
from api.auth import Who, whole_ledger
from api.capacity.economics_shapes import EconomicsAnswer, EconomicsAsked, economics_answer
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import checked, wrong
from api.problems import Problem, answers
from api.shapes import instant
from spend.capacity.targets import TargetRefusedError, target_named
from store.capacity import pools
from store.capacity.pool_economics import pool_economics
from store.completeness import complete_until

router = APIRouter(prefix="/v1/pools", tags=["pools"])

PoolId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get(
    "/{pool_id}/economics",
    summary="What a pool's tokens cost",
    response_model=EconomicsAnswer,
    responses=answers(401, 403, 404, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def economics(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    pool_id: PoolId,
    query: Annotated[EconomicsAsked, Query()],
) -> Response:
    """Effective prices of a pool's tokens, how full it was, and its break-even against APIs.

    Over the hours of UTC that begin in the time asked for. Spreading idle cost over teams is a
    view: nothing is booked.
    """
    now = clock()
    asked = checked(query, default_zone=config.timezone, now=now, caller=who)
    pool = pools.pool_by_id(session, tenant, pool_id)
    if pool is None:
        raise Problem(404, "There is no such pool", f"No pool has the id {pool_id}.")
    question = asked.question
    try:
        targets = [target_named(text) for text in dict.fromkeys(query.against)]
        found = pool_economics(
            session,
            tenant,
            pool,
            question.period,
            question.zone,
            targets,
            now=now,
            shared=query.shared,
        )
    except TargetRefusedError as refused:
        raise wrong("against", str(refused)) from None
    known_until = instant(complete_until(session))
    return json_answer(request, economics_answer(found, asked, query.idle, known_until))
