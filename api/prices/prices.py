"""/v1/prices: the price book, and what has no price in it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from api.auth import Who, whole_ledger
from api.dependencies import Clock, Reading, Tenant, Writing
from api.prices.price_shapes import (
    EnteredAnswer,
    NewPrices,
    PricesAnswer,
    PricesAsked,
    UnpricedAnswer,
    UnpricedAsked,
    UnpricedModel,
    concerned_answer,
    price_answer,
)
from api.problems import Problem, answers
from api.refused_rows import field_of, rows_refused
from api.shapes import instant, usage_of
from spend.prices.price_files import price_lines
from spend.written_rows import RowsRefusedError
from store.prices import books, price_pages
from store.prices.unpriced import unpriced

router = APIRouter(prefix="/v1/prices", tags=["prices"])

SOURCE: Final = "POST /v1/prices"
LOOKED_BACK: Final = timedelta(days=92)
LONGEST: Final = timedelta(days=1100)


@router.get(
    "",
    summary="Price lines",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_prices(
    session: Reading, tenant: Tenant, query: Annotated[PricesAsked, Query()]
) -> PricesAnswer:
    """The book's lines, contract and list, in the order in which they entered it."""
    found = price_pages.page(
        session,
        tenant,
        provider=query.provider,
        model=query.model,
        at=query.at,
        known_at=query.known_at,
        after=query.after,
        at_most=query.limit + 1,
    )
    shown = [price_answer(each) for each in found[: query.limit]]
    return PricesAnswer(prices=shown, next=shown[-1].id if len(found) > len(shown) else None)


@router.post(
    "",
    status_code=201,
    summary="Add contract prices",
    responses=answers(401, 403, 409, 422, 503),
)
def add(session: Writing, tenant: Tenant, clock: Clock, who: Who, body: NewPrices) -> EnteredAnswer:
    """Contract prices win over the public list, for calls from when they are valid and known.

    What was charged stays until it is re-priced: `concerned` says what that is. A price that meets
    one said here before corrects it; the old one stays in the book as what was known until now.
    """
    rows = [price.as_row(place) for place, price in enumerate(body, 1)]
    try:
        said = price_lines(rows, source=SOURCE, entered_by=who.name)
    except RowsRefusedError as refused:
        raise rows_refused("The prices make no sense", refused, single=len(rows) == 1) from None
    try:
        entered = books.enter_contract(session, tenant, said, now=clock())
    except books.PriceHeldError as held:
        field = field_of(said.index(held.said) + 1, "valid_from", single=len(rows) == 1)
        raise Problem(409, "There is a price already", f"{field}: {held}", field=field) from None
    found = price_pages.lines_known(session, entered.ids)
    return EnteredAnswer(
        prices=[price_answer(each) for each in found],
        next=None,
        concerned=concerned_answer(entered.concerned),
    )


@router.get(
    "/unpriced",
    summary="What has no price",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_unpriced(
    session: Reading, tenant: Tenant, clock: Clock, query: Annotated[UnpricedAsked, Query()]
) -> UnpricedAnswer:
    """Models with calls whose cost is unknown: they are in no sum of money."""
    end = query.to.astimezone(UTC) if query.to else clock() + timedelta(hours=1)
    start = query.from_.astimezone(UTC) if query.from_ else _back(end)
    if not timedelta() < end - start <= LONGEST:
        detail = f"from: before to, by at most {LONGEST.days} days"
        raise Problem(422, "The request is not valid", detail, field="from")
    found = unpriced(session, tenant, start, end, at_most=query.limit)
    return UnpricedAnswer(
        **{"from": str(instant(start))},
        to=str(instant(end)),
        unpriced=[
            UnpricedModel(
                provider=each.provider,
                model=each.model,
                reason=each.reason,
                calls=each.calls,
                usage=usage_of(each.usage),
                first_seen=str(instant(each.first_seen)),
                last_seen=str(instant(each.last_seen)),
            )
            for each in found
        ],
    )


def _back(end: datetime) -> datetime:
    try:
        return end - LOOKED_BACK
    except OverflowError:
        raise Problem(422, "The request is not valid", "to: too early", field="to") from None
