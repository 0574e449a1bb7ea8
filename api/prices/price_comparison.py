"""GET /v1/prices/discrepancies: where the two public lists disagree."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import whole_ledger
from api.dependencies import Clock, Reading, Tenant
from api.problems import answers
from spend.money import plain
from spend.prices.discrepancies import ABOVE, Compared, counted
from store.prices.price_comparison import price_comparison

router = APIRouter(prefix="/v1/prices/discrepancies", tags=["prices"])


class DiscrepanciesAsked(BaseModel):
    """Which prices."""

    model_config = ConfigDict(extra="forbid")

    above: Decimal = Field(
        ABOVE, ge=0, le=1_000_000, description="Per cent: what differs by less agrees."
    )
    state: Literal["disputed", "single-source", "agreed"] = Field(
        "disputed", description="Which to list; all are counted."
    )
    used: bool = Field(False, description="Only models that were called in the last 30 days.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class ComparedAnswer(BaseModel):
    """One price, as either list has it. Prices are for 1,000,000 units."""

    provider: str
    model: str
    region: str = Field(description="'' is every region.")
    service_tier: str
    meter: str
    above_tokens: int
    list_price: str | None = Field(description="Null: the list does not say.")
    supplement_price: str | None
    difference_percent: str | None = Field(
        description="By how much the supplement is dearer; null: one does not say, or is 0."
    )
    state: str
    calls: int = Field(description="Of this model and provider, in the last 30 days.")


class DiscrepanciesAnswer(BaseModel):
    """The furthest apart first. The list wins wherever it has a price."""

    compared: dict[str, int] = Field(
        description="How many prices are in each state.", examples=[{"disputed": 3}]
    )
    discrepancies: list[ComparedAnswer]


@router.get(
    "",
    summary="Where the public lists disagree",
    responses=answers(401, 403, 422, 503),
    dependencies=[Depends(whole_ledger)],
)
def list_discrepancies(
    session: Reading, tenant: Tenant, clock: Clock, query: Annotated[DiscrepanciesAsked, Query()]
) -> DiscrepanciesAnswer:
    """The public list beside the supplement, price by price, of one provider and model at a time.

    What is in dispute is not picked from: the list holds until somebody enters another price.
    """
    every = price_comparison(session, tenant, at=clock(), above=query.above)
    found = [each for each in every if each.state == query.state and (each.calls or not query.used)]
    return DiscrepanciesAnswer(
        compared=counted(every), discrepancies=[_answer(each) for each in found[: query.limit]]
    )


def _answer(each: Compared) -> ComparedAnswer:
    return ComparedAnswer(
        provider=each.provider,
        model=each.model,
        region=each.region,
        service_tier=each.service_tier,
        meter=each.meter,
        above_tokens=each.above_tokens,
        list_price=None if each.list_price is None else plain(each.list_price),
        supplement_price=None if each.supplement_price is None else plain(each.supplement_price),
        difference_percent=None if each.difference is None else str(each.difference),
        state=each.state,
        calls=each.calls,
    )
