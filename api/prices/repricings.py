"""/v1/repricings: charged time, priced again by what is known of the price book now."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from api.auth import Who, whole_ledger
from api.dependencies import Clock, Reading, Tenant, Writing
from api.prices.repricing_shapes import (
    Listed,
    NewRepricing,
    RepricingsAnswer,
    RepricingWithDifference,
    repricing_answer,
    with_difference,
)
from api.problems import Problem, answers
from spend.prices.repricings import Repricing, RepricingRefusedError, check_range, slot_after
from store import closing
from store.prices import repricings

router = APIRouter(prefix="/v1/repricings", tags=["prices"])

RepricingId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post(
    "",
    status_code=202,
    summary="Price charged time again",
    responses=answers(401, 403, 422, 503),
)
def ask(
    session: Writing, tenant: Tenant, clock: Clock, who: Who, body: NewRepricing
) -> RepricingWithDifference:
    """Books, as corrections, the difference to what the ledger would say by today's price book.

    The job `reprice` does it, or with `dry_run` finds the difference out, which
    `GET /v1/repricings/{id}` shows. Of a month that is closed it is booked in the open one. Calls
    of that time that come late go by the same. One that is asked for again before it is through,
    while no price changed, is the same one.
    """
    now = clock()
    starts = body.from_.astimezone(UTC)
    ends = body.to.astimezone(UTC) if body.to else slot_after(now)
    try:
        check_range(starts, ends, now=now)
    except RepricingRefusedError as refused:
        detail = str(refused)
        raise Problem(422, "The request is not valid", detail, field=refused.field) from None
    asked = repricings.request(
        session,
        tenant,
        starts,
        ends,
        dry_run=body.dry_run,
        now=now,
        requested_by=who.name,
        note=body.note,
    )
    return _shown(session, tenant, asked)


@router.get(
    "",
    summary="Re-pricings",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_repricings(
    session: Reading, tenant: Tenant, query: Annotated[Listed, Query()]
) -> RepricingsAnswer:
    """What was asked for, and how far each has come."""
    found = repricings.page(session, tenant, before=query.before, at_most=query.limit + 1)
    shown = found[: query.limit]
    return RepricingsAnswer(
        repricings=[repricing_answer(each) for each in shown],
        next=shown[-1].id if len(found) > len(shown) else None,
    )


@router.get(
    "/{repricing_id}",
    summary="A re-pricing and the difference it makes",
    responses=answers(401, 403, 404, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def show(session: Reading, tenant: Tenant, repricing_id: RepricingId) -> RepricingWithDifference:
    """How far it has come, and what is different by team and by model."""
    found = repricings.one(session, tenant, repricing_id)
    if found is None:
        raise Problem(404, "There is no such re-pricing", f"No re-pricing has id {repricing_id}.")
    return _shown(session, tenant, found)


def _shown(session: Session, tenant: int, found: Repricing) -> RepricingWithDifference:
    return with_difference(
        found,
        repricings.differences(session, tenant, found.id),
        open_from=closing.open_from(session, tenant),
    )
