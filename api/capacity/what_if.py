"""POST /v1/what-if: real calls, rated by other prices."""

from typing import Annotated

from fastapi import APIRouter, Body

from api.auth import Asker, whole_ledger
from api.capacity.what_if_shapes import WhatIfAnswer, WhatIfAsked, targets_of, what_if_answer
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import checked, too_many_rows, wrong
from api.problems import answers
from api.shapes import bounds_of
from spend.capacity.targets import TargetRefusedError
from store.breakdowns.grouping import TooManyRowsError
from store.capacity import pools
from store.capacity.what_if import what_if
from store.completeness import complete_until

router = APIRouter(prefix="/v1", tags=["what-if"])


@router.post(
    "/what-if",
    summary="What calls would have cost elsewhere",
    response_model_exclude_unset=True,
    responses=answers(401, 403, 422, 503),
)
def ask_what_if(
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Asker,
    body: Annotated[WhatIfAsked, Body()],
) -> WhatIfAnswer:
    """The calls of a question, each meter of each call by the prices of another model.

    By the size of each prompt and with what was read from caches, exactly, from the rollups.
    Nothing is written: a read key will do.
    """
    now = clock()
    asked = checked(body, default_zone=config.timezone, now=now, caller=who)
    if any(each.pool is not None for each in body.targets):
        whole_ledger(who)
    targets = targets_of(body, pools.all_pools(session, tenant))
    try:
        found = what_if(session, asked.question, tenant, targets, currency=config.currency, now=now)
    except TargetRefusedError as refused:
        place = [getattr(each, "target", None) for each in targets].index(refused.target)
        raise wrong(f"targets.{place}.to", str(refused)) from None
    except TooManyRowsError:
        raise too_many_rows() from None
    return what_if_answer(found, asked, config.currency, bounds_of(asked, complete_until(session)))
