"""Rows of FOCUS Cost and Usage, each from what is booked of a day at one price, pool or agreement.

The four costs are the four bases of the ledger. What has no price of its own (a pool's share, what
a commitment came to, a split) is priced at cost: so much of the currency, at 1 each. docs/focus.md
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.focus.focus_allocation import allocation_of
from reports.focus.focus_columns import Row
from reports.focus.focus_commitments import discount_of
from reports.focus.focus_invoices import Invoices
from reports.focus.focus_json import json_text
from reports.focus.focus_names import UNKNOWN, provider_name, service_of, service_of_pool
from spend import money
from spend.calls import Owner
from spend.capacity.pools import IDLE_METER, Pool
from spend.capacity.splitting import GPU_SECONDS, PREFILL_DECODE, SEATS, TOKENS
from spend.charge_sums import BILL, COMMITMENT, POOL, PRICE, SPLIT, USAGE, ChargeSum
from spend.commitments.commitments import COVERED, PURCHASE, TERM, UNUSED_METER
from spend.ids import unsigned
from spend.meters import METERS
from spend.months.period_books import PeriodBooks

_MILLION: Final = 6
_NOTHING: Final = Decimal(0)
_ONE: Final = Decimal(1)
_TAGS: Final = ("team", "project", "service", "environment", "feature", "customer")

_UNITS: Final = {
    "token": "Tokens",
    "call": "Requests",
    "image": "Images",
    "second": "Seconds",
    "ms": "Milliseconds",
}
_UNIT_OF: Final = {each.name: _UNITS[each.unit] for each in METERS} | {"requests": "Requests"}
"""Meter -> what it counts."""
_WORK: Final = {
    TOKENS: "Tokens",
    GPU_SECONDS: "Microseconds",
    PREFILL_DECODE: "Work Units",
    SEATS: "Seats",
}
"""How a pool was split -> what that counted; else work units."""


def charge_row(each: ChargeSum, books: PeriodBooks, invoices: Invoices) -> Row:
    """One row, also noted on its invoice."""
    line = _Line(each, books)
    invoice = invoices.of(
        line.provider, each.currency, each.source_id if each.source == BILL else None
    )
    category = line.category
    invoices.add(invoice, category, each.billed_amount, each.posted_at)
    billed_by = provider_name(invoice.provider)
    return {
        "InvoiceIssuerName": billed_by,
        "ServiceProviderName": billed_by,
        "HostProviderName": None if line.provider == UNKNOWN else provider_name(line.provider),
        # FOCUS 1.2
        "ProviderName": billed_by,
        "PublisherName": billed_by,
        "InvoiceId": invoice.id,
        "InvoiceDetailId": invoices.detail_of(invoice, category),
        **_place(each, books),
        "ChargeCategory": category,
        "ChargeClass": "Correction" if each.is_late else None,
        "ChargeDescription": line.description,
        "ChargeFrequency": line.frequency,
        **_costs(each),
        **(prices := _prices(line)),
        # FOCUS 1.2 wants them also where both currencies are the same.
        "PricingCurrency": each.currency,
        "PricingCurrencyEffectiveCost": each.amount,
        "PricingCurrencyListUnitPrice": prices.get("ListUnitPrice"),
        "PricingCurrencyContractedUnitPrice": prices.get("ContractedUnitPrice"),
        **_service(line),
        **discount_of(each, books),
        **allocation_of(each, json_text(tags_of(each.payer))),
        **_custom(each),
    }


def tags_of(payer: Owner) -> dict[str, str]:
    """Who pays, as tags; what was not said is left out."""
    said = ((name, getattr(payer, name)) for name in _TAGS)
    return {name: value for name, value in said if value is not None}


@dataclass(frozen=True, slots=True)
class _Line:
    """A sum of charges, and what it came from."""

    sum: ChargeSum
    books: PeriodBooks

    @property
    def pool(self) -> Pool | None:
        return self.books.pools.get(self.sum.source_id) if self.sum.source == POOL else None

    @property
    def provider(self) -> str:
        """Who bills for it."""
        if self.pool is not None:
            return self.pool.provider
        if self.sum.source == BILL:
            for each in self.books.bills:
                if each.bill.id == self.sum.source_id:
                    return each.bill.provider
        return self.sum.route.provider or UNKNOWN

    @property
    def category(self) -> str:
        each = self.sum
        if each.source == COMMITMENT:
            return "Purchase" if each.meter == PURCHASE else "Usage"
        if each.kind == USAGE:
            return "Usage"
        # What is effective of tax and credits is what is billed; else it is something else.
        named = {"tax": "Tax", "credit": "Credit"}.get(each.kind, "Adjustment")
        return named if each.amount == each.billed_amount else "Adjustment"

    @property
    def name(self) -> str:
        """Of what it came from."""
        each, books = self.sum, self.books
        if each.source == COMMITMENT and each.source_id in books.commitments:
            return f"commitment {books.commitments[each.source_id].name}"
        if self.pool is not None:
            return f"pool {self.pool.name}"
        if each.source == SPLIT:
            return f"split {books.splits.get(each.source_id, each.source_id)}"
        return f"{each.source} {each.source_id}"

    @property
    def description(self) -> str:
        each = self.sum
        if each.source == PRICE:
            return f"{each.route.model or UNKNOWN}: {each.meter}"
        return f"{self.name}: {each.kind if each.source == BILL else each.meter}"

    @property
    def frequency(self) -> str:
        if self.category == "Usage":
            return "Usage-Based"
        commitment = self.books.commitments.get(self.sum.source_id)
        recurs = self.category == "Purchase" and commitment and commitment.period != TERM
        return "Recurring" if recurs else "One-Time"


def _place(each: ChargeSum, books: PeriodBooks) -> Row:
    return {
        "BillingAccountId": books.account,
        "BillingAccountName": "spanledger",
        "BillingAccountType": "Ledger",
        "SubAccountId": each.payer.team,
        "SubAccountName": each.payer.team,
        "SubAccountType": "Team",
        "BillingPeriodStart": books.period.start,
        "BillingPeriodEnd": books.period.end,
        "ChargePeriodStart": each.day.start,
        "ChargePeriodEnd": each.day.end,
        "Tags": json_text(tags_of(each.payer)),
    }


def list_cost(each: ChargeSum) -> Decimal:
    """What it is at list prices; where that is not known, what was contracted."""
    return each.contracted_amount if each.list_amount is None else each.list_amount


def _costs(each: ChargeSum) -> Row:
    return {
        "BillingCurrency": each.currency,
        "BilledCost": each.billed_amount,
        "EffectiveCost": each.amount,
        "ContractedCost": each.contracted_amount,
        "ListCost": list_cost(each),
        "x_ListCostKnown": "false" if each.list_amount is None else "true",
    }


def _prices(line: _Line) -> Row:
    """Quantities and unit prices: nothing of what is on no price list."""
    each = line.sum
    if each.source == BILL or (each.source == PRICE and each.unit_price is None):
        return {"SkuMeter": each.meter} if each.source == PRICE else {}
    if each.source == PRICE:
        return _by_the_book(each)
    return _at_cost(line)


def _by_the_book(each: ChargeSum) -> Row:
    unit = _UNIT_OF[each.meter]
    listed = each.unit_price if each.list_amount is None else each.list_unit_price
    changes = {"uplift": each.uplift_id, "discount": each.discount_id}
    price = [f"price-{each.source_id}", *(f"{name}-{id_}" for name, id_ in changes.items() if id_)]
    sku = f"{each.route.provider or UNKNOWN}/{each.route.model or UNKNOWN}/{each.meter}"
    details = {"x_ModelId": each.route.model, "x_ServiceTier": each.route.service_tier}
    return {
        "PricingCategory": "Standard" if each.covered_by is None else "Committed",
        "PricingQuantity": each.quantity.scaleb(-_MILLION, money.EXACT),
        "PricingUnit": f"1000000 {unit}",
        "ListUnitPrice": listed,
        "ContractedUnitPrice": each.unit_price,
        "ConsumedQuantity": each.quantity,
        "ConsumedUnit": unit,
        "SkuId": sku,
        "SkuMeter": each.meter,
        # One price of the book can be that of several models and meters.
        "SkuPriceId": f"{sku}/{'-'.join(price)}",
        "SkuPriceDetails": json_text({name: said for name, said in details.items() if said}),
    }


def _at_cost(line: _Line) -> Row:
    each = line.sum
    contracted, listed = each.contracted_amount, list_cost(each)
    quantity, unit, list_price, price = contracted, each.currency, _ONE, _ONE
    if listed != contracted:
        # The part of a split: one share, at what it comes to. Both are more than 0, or less.
        quantity, unit = (-_ONE if min(contracted, listed) < 0 else _ONE), "Shares"
        list_price, price = abs(listed), abs(contracted)
        if min(contracted, listed) < 0 < max(contracted, listed):
            return {"SkuId": line.name}
    consumed: Row = {}
    if line.category == "Usage" and each.meter != UNUSED_METER:
        works = each.source == POOL and each.meter != IDLE_METER
        consumed = {
            "ConsumedQuantity": each.quantity if works else _NOTHING,
            "ConsumedUnit": _WORK.get(each.method, "Work Units") if works else unit,
        }
    return {
        "PricingCategory": "Committed" if each.source == COMMITMENT else "Other",
        "PricingQuantity": quantity,
        "PricingUnit": unit,
        "ListUnitPrice": list_price,
        "ContractedUnitPrice": price,
        "SkuId": line.name,
        "SkuMeter": each.meter,
        "SkuPriceId": f"{each.source}-{each.source_id}-at-cost",
        **consumed,
    }


def _service(line: _Line) -> Row:
    pool = line.pool
    service = service_of(line.provider) if pool is None else service_of_pool(pool.kind)
    region = line.sum.route.region or (None if pool is None else pool.region)
    resource: Row = {}
    if pool is not None:
        resource = {
            "ResourceId": f"pool-{pool.id}",
            "ResourceName": pool.name,
            "ResourceType": "Pool",
        }
    return {
        **dict(zip(("ServiceName", "ServiceCategory", "ServiceSubcategory"), service, strict=True)),
        "RegionId": region,
        "RegionName": region,
        **resource,
    }


def _custom(each: ChargeSum) -> Row:
    route = each.route
    ids = {
        "x_PriceId": each.source_id if each.source == PRICE else None,
        "x_PoolId": each.source_id if each.source == POOL else None,
        "x_CommitmentId": each.source_id if each.source == COMMITMENT else each.covered_by,
        "x_RuleId": each.source_id if each.source == SPLIT else None,
        "x_BillId": each.source_id if each.source == BILL else None,
        "x_UpliftId": each.uplift_id,
        "x_DiscountId": each.discount_id,
    }
    return {
        "x_Model": route.model,
        "x_RequestedModel": route.request_model,
        "x_ModelProvider": route.provider,
        "x_Deployment": route.deployment,
        "x_Operation": route.operation,
        "x_Server": route.server,
        "x_ServiceTier": route.service_tier,
        "x_Kind": COVERED if each.covered_by is not None else each.kind,
        "x_Meter": each.meter,
        "x_Method": each.method,
        **{name: None if id_ is None else str(id_) for name, id_ in ids.items()},
        "x_PayerId": unsigned(each.payer_id),
        "x_RouteId": unsigned(each.route_id),
    }
