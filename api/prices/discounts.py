"""/v1/discounts: discounts that were agreed, and surcharges of regions."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from api.auth import Who, whole_ledger
from api.dependencies import Clock, Reading, Tenant, Writing
from api.prices.discount_shapes import (
    DiscountsAnswer,
    DiscountsAsked,
    NewDiscounts,
    discount_answer,
)
from api.problems import Problem, answers
from api.refused_rows import field_of, rows_refused
from spend.prices.discount_files import discount_lines
from spend.written_rows import RowsRefusedError
from store.prices.discount_entries import DiscountHeldError, enter_discounts
from store.prices.discounts import every_discount

router = APIRouter(prefix="/v1/discounts", tags=["prices"])

SOURCE: Final = "POST /v1/discounts"


@router.get(
    "",
    summary="Discounts and uplifts",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_discounts(
    session: Reading, tenant: Tenant, query: Annotated[DiscountsAsked, Query()]
) -> DiscountsAnswer:
    """What changes list prices, and who said so. A contract price is final: none applies."""
    found = every_discount(session, tenant, known_at=query.known_at)
    return DiscountsAnswer(
        discounts=[
            discount_answer(each) for each in found if query.at is None or each.in_force(query.at)
        ]
    )


@router.post(
    "",
    status_code=201,
    summary="Add discounts and uplifts",
    responses=answers(401, 403, 409, 422, 503),
)
def add(
    session: Writing, tenant: Tenant, clock: Clock, who: Who, body: NewDiscounts
) -> DiscountsAnswer:
    """They hold for what is charged from now on; what was charged before is left as it is.

    One that meets one said here before corrects it; the old one stays as what was known until now.
    """
    rows = [each.as_row(place) for place, each in enumerate(body, 1)]
    single = len(rows) == 1
    try:
        said = discount_lines(rows, source=SOURCE, entered_by=who.name)
    except RowsRefusedError as refused:
        raise rows_refused("The discounts make no sense", refused, single=single) from None
    try:
        entered = enter_discounts(session, tenant, said, now=clock())
    except DiscountHeldError as held:
        field = field_of(said.index(held.said) + 1, "valid_from", single=single)
        raise Problem(409, "There is one already", f"{field}: {held}", field=field) from None
    return DiscountsAnswer(discounts=[discount_answer(each) for each in entered.said])
