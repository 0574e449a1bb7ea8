"""Exchange rates: what one unit of a currency is in another, by the day."""

from datetime import UTC, date
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.instants import Instant
from api.pages.asked import PageAsked, Text
from api.pages.links import here
from api.pages.prices.price_tabs import price_tabs
from api.pages.shell import page
from api.pages.tables import Cell, Column, Table
from api.pages.visitor import Visiting
from store import rates

router = APIRouter(include_in_schema=False)

MOST: Final = 200


class RatesAsked(PageAsked):
    """Which rates."""

    from_currency: Text | None = None
    to_currency: Text | None = None
    first: date | None = None
    last: date | None = None
    known_at: Annotated[Instant | None, Field(description="As known then. Default: now.")] = None
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0


@router.get("/prices/rates")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[RatesAsked, Query()],
) -> Response:
    """Rates in the order in which they were entered."""
    visitor.whole_ledger()
    found = rates.page(
        session,
        tenant,
        from_currency=query.from_currency and query.from_currency.upper(),
        to_currency=query.to_currency and query.to_currency.upper(),
        first=query.first or date.min,
        last=query.last or date.max,
        known_at=query.known_at and query.known_at.astimezone(UTC),
        after=query.after,
        at_most=MOST + 1,
    )
    shown = found[:MOST]
    rows = [
        {
            "day": each.day,
            "from_currency": each.from_currency,
            "to_currency": each.to_currency,
            "rate": Cell(each.rate.normalize(), show=f"{each.rate.normalize():f}"),
            "source": each.source,
            "reference": each.reference,
            "entered_by": each.entered_by,
            "known_from": each.known_from,
        }
        for each in shown
    ]
    return page(
        request,
        visitor,
        "price_rates.html",
        title="Exchange rates",
        tables={"rates": Table(_COLUMNS, rows, "Rates", file="rates", empty="No rate fits.")},
        tabs=price_tabs(request, "/prices/rates"),
        query=query,
        narrowed=set(request.query_params) - {"timezone", "csv"},
        next=here(request, after=shown[-1].id) if len(found) > MOST else None,
    )


_COLUMNS: Final = (
    Column("day", "Day", "day"),
    Column("from_currency", "One unit of"),
    Column("to_currency", "is in"),
    Column("rate", "Rate", "number"),
    Column("source", "Source", narrow=False),
    Column("reference", "Reference", narrow=False),
    Column("entered_by", "Entered by", narrow=False),
    Column("known_from", "Known from", "when", narrow=False),
)
