"""Discounts that were agreed, and surcharges of regions."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from api.dependencies import Reading, Tenant
from api.instants import Instant
from api.pages.asked import PageAsked
from api.pages.prices.discount_table import discount_table
from api.pages.prices.price_tabs import price_tabs
from api.pages.shell import page
from api.pages.visitor import Visiting
from store.prices.discounts import every_discount

router = APIRouter(include_in_schema=False)


class DiscountsAsked(PageAsked):
    """Which discounts and uplifts."""

    at: Annotated[Instant | None, Field(description="In force then only.")] = None
    known_at: Annotated[Instant | None, Field(description="As known then. Default: now.")] = None


@router.get("/prices/discounts")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[DiscountsAsked, Query()],
) -> Response:
    """All of them, the latest first."""
    visitor.whole_ledger()
    known_at = query.known_at and query.known_at.astimezone(UTC)
    found = every_discount(session, tenant, known_at=known_at)
    if query.at is not None:
        at = query.at.astimezone(UTC)
        found = [each for each in found if each.in_force(at)]
    found.sort(key=lambda each: (each.valid_from, each.id or 0), reverse=True)
    table = discount_table(
        found,
        visitor.formats,
        caption="Discounts and uplifts",
        file="discounts",
        empty="None holds then.",
    )
    return page(
        request,
        visitor,
        "price_discounts.html",
        title="Discounts and uplifts",
        tables={"discounts": table},
        tabs=price_tabs(request, "/prices/discounts"),
        narrowed=bool(query.at or query.known_at),
        asked_at=request.query_params.get("at", ""),
        asked_known=request.query_params.get("known_at", ""),
    )
