"""/v1/rates: exchange rates."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.auth import Who, whole_ledger
from api.dependencies import Clock, Reading, Tenant, Writing
from api.prices.rate_shapes import (
    EnteredRatesAnswer,
    EnteringAsked,
    NewRates,
    RatesAnswer,
    RatesAsked,
    rate_answer,
)
from api.problems import Problem, answers
from api.refused_rows import rows_refused
from spend.currencies.rate_files import Writing as Written
from spend.currencies.rate_files import rates_of
from spend.written_rows import RowsRefusedError
from store import rates

router = APIRouter(prefix="/v1/rates", tags=["prices"])


@router.get(
    "",
    summary="Exchange rates",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_rates(
    session: Reading, tenant: Tenant, query: Annotated[RatesAsked, Query()]
) -> RatesAnswer:
    """What one unit of a currency is in another, by the day, in the order in which it was entered.

    Inverse and cross rates are made of these where they are used, and told there.
    """
    found = rates.page(
        session,
        tenant,
        from_currency=query.from_currency,
        to_currency=query.to_currency,
        first=query.first or date.min,
        last=query.last or date.max,
        known_at=query.known_at,
        after=query.after,
        at_most=query.limit + 1,
    )
    shown = [rate_answer(each) for each in found[: query.limit]]
    return RatesAnswer(rates=shown, next=shown[-1].id if len(found) > len(shown) else None)


@router.post(
    "",
    status_code=201,
    summary="Enter exchange rates",
    responses=answers(401, 403, 409, 422, 503),
)
def enter(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    who: Who,
    body: NewRates,
    query: Annotated[EnteringAsked, Query()],
) -> EnteredRatesAnswer:
    """All are taken, or none.

    A day that has another rate keeps it, and this is refused (409), unless it is said to correct
    it: then the old one stays as what was known until now.
    """
    rows = [each.as_row(place) for place, each in enumerate(body, 1)]
    single = len(rows) == 1
    try:
        said = rates_of(rows, Written(today=clock().date(), entered_by=who.name))
        done = rates.enter(session, tenant, said, correct=query.correct, clock=clock)
    except rates.RatesHeldError as held:
        refused = rows_refused("Days have another rate", held, single=single)
        raise Problem(409, refused.title, refused.detail, field=refused.field) from None
    except RowsRefusedError as wrong:
        raise rows_refused("The rates make no sense", wrong, single=single) from None
    return EnteredRatesAnswer(entered=done.entered, corrected=done.corrected, same=done.same)
