"""A line of the ledger as the API shows it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from api.calls.call_shapes import OwnerAnswer
from api.known import BooksAnswer
from api.shapes import BoundsAnswer, decimal_or_null, instant
from spend.money import plain
from store.spending.charge_pages import ChargeLine


class CostsAnswer(BaseModel):
    """Four cost bases, exact, in `currency`."""

    currency: str

    cost: str = Field(description="Effective: commitments are spread over what they were for.")
    list_cost: str | None = Field(description="At list prices; null: unknown.")
    contracted_cost: str = Field(description="As contracted, before commitments.")
    billed_cost: str = Field(description="What is on somebody's bill for it.")


class RouteCharged(BaseModel):
    """What was called, as reports show it."""

    provider: str | None
    model: str | None
    request_model: str | None
    operation: str | None
    deployment: str | None
    region: str | None


class ChargeAnswer(CostsAnswer):
    """A line. Where it comes from a price, contracted_cost is quantity x unit_price / 1,000,000."""

    id: int
    kind: str = Field(description="original, correction, allocation, true-up, credit or tax.")
    slot: str | None = Field(description="Quarter hour (UTC) of the usage that it is for.")
    booked: str | None = Field(
        description="Quarter hour (UTC) in whose books it is: that of the usage, or the first that"
        " was open when it was posted."
    )
    posted_at: str | None = Field(description="When it was known.")
    payer: OwnerAnswer = Field(description="Who pays.")
    route: RouteCharged
    prompt_band: int
    meter: str = Field(description="A meter of `usage`; `pool` or `idle` of a pool-hour; …")
    quantity: str
    unit_price: str | None = Field(description="For 1,000,000 units, as contracted.")
    list_unit_price: str | None
    price_id: int | None = Field(description="The line of /v1/prices that it was charged by.")
    uplift_id: int | None
    discount_id: int | None
    pool_id: int | None
    pool: str | None
    commitment_id: int | None
    commitment: str | None
    rule_id: int | None
    rule: str | None = Field(description="The split that made it.")
    bill_id: int | None = Field(description="The bill whose difference it posts.")
    repricing_id: int | None = Field(description="The re-pricing that booked it.")
    method: str
    engine: str = Field(description="The version of spanledger that posted it.")


class ChargesTotal(BaseModel):
    """What all lines of the question come to, on whatever page they are."""

    lines: int
    cost: str | None
    list_cost: str | None = Field(description="Null where some line has no list price.")
    contracted_cost: str | None
    billed_cost: str | None


class ElsewhereTotal(ChargesTotal):
    """The same in another currency: ask for it to see its lines."""

    currency: str


class ChargesAnswer(BoundsAnswer, BooksAnswer):
    """A page of the ledger."""

    currency: str
    charges: list[ChargeAnswer] = Field(description="Latest usage first.")
    next: str | None = Field(description="`cursor` of the next page; null: this is the last.")
    total: ChargesTotal = Field(
        description="As /v1/spend has it for the same question with `rate_policy=none`."
    )
    elsewhere: list[ElsewhereTotal] = Field(
        description="Lines in other currencies: they are not in `charges` nor in `total`."
    )


def charge_answer(line: ChargeLine) -> dict[str, Any]:
    """The fields of ChargeAnswer."""
    row = line.row
    return {
        "id": row.id,
        "kind": row.kind,
        "slot": instant(row.slot),
        "booked": instant(row.booked_slot or row.slot),
        "posted_at": instant(row.posted_at),
        "payer": {name: getattr(line.payer, name) for name in OwnerAnswer.model_fields},
        "route": line.route,
        "prompt_band": row.band,
        "meter": row.meter,
        "quantity": f"{row.quantity.normalize():f}",
        "currency": row.currency,
        "cost": plain(row.amount),
        "list_cost": decimal_or_null(row.list_amount),
        "contracted_cost": plain(row.contracted_amount),
        "billed_cost": plain(row.billed_amount),
        "unit_price": decimal_or_null(row.unit_price),
        "list_unit_price": decimal_or_null(row.list_unit_price),
        **{
            name: getattr(row, name)
            for name in (
                "price_id",
                "uplift_id",
                "discount_id",
                "pool_id",
                "commitment_id",
                "rule_id",
                "bill_id",
                "repricing_id",
                "method",
                "engine",
            )
        },
        **line.names,
    }


def charges_total(sums: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of ChargesTotal; None: there are no lines."""
    if sums is None:
        return dict.fromkeys(ChargesTotal.model_fields) | {"lines": 0}
    known = sums["lines"] and not sums["unlisted"]
    listed = sums["list_cost"] or Decimal(0)
    return {
        "lines": sums["lines"],
        "cost": decimal_or_null(sums["cost"]),
        "list_cost": plain(listed) if known else None,
        "contracted_cost": decimal_or_null(sums["contracted_cost"]),
        "billed_cost": decimal_or_null(sums["billed_cost"]),
    }
