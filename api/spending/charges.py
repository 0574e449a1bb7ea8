"""GET /v1/charges: the lines of the ledger that a number of a report is made of."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.auth import Who
from api.dependencies import Clock, Config, Reading, Tenant
from api.grouping import FiltersAsked, checked
from api.known import BooksAsked, books_of, in_books, known_at
from api.paging import charge_cursor_of, charge_position_of
from api.problems import answers
from api.shapes import bounds_of
from api.spending.charge_shapes import ChargesAnswer, charge_answer, charges_total
from store.completeness import complete_until
from store.spending.charge_pages import page, sums

router = APIRouter(prefix="/v1", tags=["spend"])


class ChargesAsked(FiltersAsked, BooksAsked):
    """Which lines: ask as /v1/spend is asked, with the dimensions of a row as filters."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        None,
        description="Lines in this currency only, ISO 4217. Default: the server's setting.",
        examples=["EUR"],
    )
    limit: int = Field(100, ge=1, le=1000, description="At most so many lines.")
    cursor: str | None = Field(
        None, max_length=400, description="`next` of the page before; the rest as for that page."
    )


@router.get("/charges", summary="Lines of the ledger", responses=answers(401, 403, 422, 503))
def list_charges(
    request: Request,
    session: Reading,
    tenant: Tenant,
    config: Config,
    clock: Clock,
    who: Who,
    query: Annotated[ChargesAsked, Query()],
) -> ChargesAnswer:
    """What a cell of a report is made of: its lines add up to it, to the last digit.

    A line is never changed: what was mended shows as further lines, of kind `correction`.
    """
    now = clock()
    asked = checked(query, default_zone=config.timezone, now=now, caller=who)
    moment = known_at(request, query, now)
    asked = in_books(asked, query, moment)
    after = None if query.cursor is None else charge_position_of(query.cursor)
    currency = query.currency or config.currency
    found = page(
        session,
        asked.question,
        tenant,
        currency=currency,
        after=after,
        at_most=query.limit + 1,
    )
    shown = found[: query.limit]
    totals = sums(session, asked.question, tenant)
    return ChargesAnswer.model_validate(
        {
            "currency": currency,
            **bounds_of(asked, None if moment else complete_until(session)),
            **books_of(query, moment),
            "charges": [charge_answer(each) for each in shown],
            "next": charge_cursor_of(shown[-1].position) if len(found) > len(shown) else None,
            "total": charges_total(totals.get(currency)),
            "elsewhere": [
                {"currency": code} | charges_total(its)
                for code, its in totals.items()
                if code != currency
            ],
        }
    )
