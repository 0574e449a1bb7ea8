"""Where the two public lists disagree: the list, which wins, beside the supplement."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.pages.asked import PageAsked
from api.pages.prices.model_list import address, per
from api.pages.prices.price_book import called_pairs
from api.pages.prices.price_tabs import price_tabs
from api.pages.prices.price_words import meter_name
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting
from reports.charts.palette import hue_of, shown_name
from spend.prices.discrepancies import ABOVE, AGREED, DISPUTED, SINGLE, Compared, counted
from store.prices import listings
from store.prices.price_comparison import price_comparison

router = APIRouter(include_in_schema=False)

MOST: Final = 500
STATES: Final = {
    DISPUTED: "Disputed",
    SINGLE: "In one list only",
    AGREED: "Agreed",
}


class ListsAsked(PageAsked):
    """Which prices."""

    above: Annotated[Decimal, Field(ge=0, le=1_000_000, description="Per cent.")] = ABOVE
    state: Literal["disputed", "single-source", "agreed"] = "disputed"
    of: Literal["called", "all"] = "called"


@router.get("/prices/discrepancies")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[ListsAsked, Query()],
) -> Response:
    """Prices of either list, those to look at first: the furthest apart."""
    visitor.whole_ledger()
    pairs = called_pairs(session, tenant) if query.of == "called" else None
    every = price_comparison(session, tenant, at=visitor.now, above=query.above, pairs=pairs)
    asked = [each for each in every if each.calls or query.of == "all"]
    counts = counted(asked)
    found = [each for each in asked if each.state == query.state]
    return page(
        request,
        visitor,
        "price_lists.html",
        title="Where price lists disagree",
        tables={
            "discrepancies": Table(
                _COLUMNS,
                [_row(request, each) for each in found[:MOST]],
                STATES[query.state],
                file=f"prices-{query.state}",
                empty="None.",
            )
        },
        tabs=price_tabs(request, "/prices/discrepancies"),
        query=query,
        has_two=bool(listings.supplement(session).newest),
        states=[(name, f"{text} ({counts[name]:,})") for name, text in STATES.items()],
        found=len(found),
        most=MOST,
    )


_COLUMNS: Final = (
    Column("model", "Model"),
    Column("provider", "Provider", narrow=False),
    Column("meter", "Meter"),
    Column("holds_for", "Holds for", narrow=False),
    Column("list_price", "List", "unit_price", "This one is charged."),
    Column("supplement_price", "Supplement", "unit_price"),
    Column("difference", "Supplement is dearer by", "percent", narrow=False),
    Column("calls", "Calls, 30 days", "number", narrow=False),
)


def _row(request: Request, each: Compared) -> dict[str, Held | Cell]:
    parts = [
        each.region,
        f"tier {each.service_tier}" if each.service_tier else "",
        f"prompts above {each.above_tokens:,} tokens" if each.above_tokens else "",
    ]
    place = ", ".join(part for part in parts if part)
    share = None if each.difference is None else per(each.difference, 100)
    return {
        "model": Cell(each.model, href=address(request, each.provider, each.model)),
        "provider": Cell(
            each.provider, show=shown_name(each.provider), colour=hue_of(each.provider)
        ),
        "meter": Cell(each.meter, show=meter_name(each.meter)),
        "holds_for": Cell(place, show=place or "everything", tone="" if place else "quiet"),
        "list_price": each.list_price,
        "supplement_price": each.supplement_price,
        "difference": share,
        "calls": each.calls,
    }
