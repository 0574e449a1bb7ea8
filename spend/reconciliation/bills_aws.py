"""Bills of AWS: the Cost and Usage Report 2.0 of Data Exports, CSV or Parquet.

Sources: the CUR 2.0 table dictionary of AWS Data Exports (columns ``bill_*``, ``line_item_*``,
``pricing_*``, ``product_*``; ``line_item_usage_amount`` is in ``pricing_unit``, so that times
``line_item_unblended_rate`` it is ``line_item_unblended_cost``), its list of line item types, and
"Understanding your Amazon Bedrock Cost and Usage Report data": usage types such as
``USE1-Claude4.6Sonnet-cache-read-input-token-count``, ``USE1-Nova2.0Lite-input-tokens-flex``,
``USW2-anthropic.claude-opus-4-8-mantle-output-tokens-global-standard`` and, sold through the
marketplace, ``USE1-MP:USE1_InputTokenCount_Global-Units`` with the model in the product's name.

The sum of ``line_item_unblended_cost`` over all types is what the payer is invoiced.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from spend.reconciliation.bill_reading import (
    ReadLine,
    RowFields,
    Rows,
    check_columns,
    month_holding,
)
from spend.reconciliation.bill_words import (
    AI_SERVICES,
    counted,
    price_per_million,
    scaled,
    tier_in,
    token_meter,
    words_of,
)
from spend.reconciliation.bills import CREDIT, FEE, TAX, USAGE, BillLine
from spend.written_rows import Refusal

ISSUER: Final = "aws"
COLUMNS: Final = (
    "bill_billing_period_start_date",
    "bill_payer_account_id",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
    "line_item_line_item_type",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_unblended_cost",
    "line_item_currency_code",
)
_KINDS: Final = {
    "Usage": USAGE,
    "DiscountedUsage": USAGE,
    "SavingsPlanCoveredUsage": USAGE,
    "FlatRateSubscription": FEE,
    "Fee": FEE,
    "RIFee": FEE,
    "SavingsPlanRecurringFee": FEE,
    "SavingsPlanUpfrontFee": FEE,
    "Tax": TAX,
    # What a savings plan has paid for comes off again.
    "SavingsPlanNegation": CREDIT,
    "BundledDiscount": CREDIT,
    "Credit": CREDIT,
    "Discount": CREDIT,
    "DistributorDiscount": CREDIT,
    "EdpDiscount": CREDIT,
    "PrivateRateDiscount": CREDIT,
    "Refund": CREDIT,
    "RiVolumeDiscount": CREDIT,
    "SppDiscount": CREDIT,
}
_PLACE: Final = re.compile(r"[A-Z]{2,4}[0-9]?-")
_COUNTS: Final = re.compile(
    r"-(?:mantle|(?:text-|image-|audio-|speech-|video-)?(?:input|output)-|cache-(?:read|write)-)"
)
_EDITION: Final = re.compile(r"\s*\((?:Amazon )?Bedrock Edition\)$")


def lines_of_cur(table: Rows, refusals: list[Refusal]) -> list[ReadLine]:
    """Lines of the Cost and Usage Report."""
    check_columns(table.columns, COLUMNS, called="the Cost and Usage Report 2.0")
    return [_line(RowFields(row, refusals)) for row in table.rows]


def _line(row: RowFields) -> ReadLine:
    period = row.stretch("line_item_usage_start_date", "line_item_usage_end_date")
    booked = row.moment("bill_billing_period_start_date")
    kind = row.one_of("line_item_line_item_type", _KINDS)
    usage_type = row.text("line_item_usage_type") or ""
    product = _product(row)
    model, meter, tier = model_of(usage_type, row.text("line_item_product_code") or "", product)
    used = _KINDS.get(kind) == USAGE
    quantity, unit, unit_price = _quantity(row, meter) if used else (None, None, None)
    return ReadLine(
        issuer=ISSUER,
        billed=row.name("bill_payer_account_id"),
        invoice=row.name("bill_invoice_id"),
        period=None if booked is None else month_holding(booked),
        said=BillLine(
            line=row.line,
            starts=period.start,
            ends=period.end,
            account=row.name("line_item_usage_account_id"),
            provider=ISSUER,
            model=model,
            meter=meter,
            region=row.text("product_region_code") or product.get("region_code"),
            service_tier=tier,
            description=row.text("line_item_line_item_description") or usage_type or None,
            kind=_KINDS.get(kind, USAGE),
            quantity=quantity,
            unit=unit,
            unit_price=unit_price,
            amount=row.amount("line_item_unblended_cost"),
            currency=row.currency("line_item_currency_code"),
            raw=row.raw,
        ),
    )


def model_of(
    usage_type: str, product_code: str, product: Mapping[str, str]
) -> tuple[str | None, str | None, str | None]:
    """Model, meter and tier of a usage type of Bedrock; nothing of another service.

    >>> model_of("USE1-Claude4.6Sonnet-cache-read-input-token-count", "AmazonBedrock", {})
    ('Claude4.6Sonnet', 'cache_read', None)
    """
    name = product.get("product_name") or product.get("servicename") or ""
    sold = AI_SERVICES.search(product_code) or _EDITION.search(name)
    # The marketplace's own product codes say nothing; only models are counted in tokens.
    if not sold and "token" not in words_of(usage_type):
        return None, None, None
    meter = token_meter(usage_type)
    if meter is None:
        return None, None, tier_in(usage_type)
    if _EDITION.search(name):
        return _EDITION.sub("", name), meter, tier_in(usage_type)
    told = _PLACE.sub("", usage_type, count=1)
    found = _COUNTS.search(told)
    return (told[: found.start()] if found else None) or None, meter, tier_in(usage_type)


def _product(row: RowFields) -> dict[str, str]:
    """The map of what the product is: an object in Parquet, JSON in CSV, columns where selected."""
    found = row.mapping("product")
    for name in ("product_name", "servicename"):
        told = row.text(f"product_{name}")
        if told:
            found[name] = told
    return found


def _quantity(
    row: RowFields, meter: str | None
) -> tuple[Decimal | None, str | None, Decimal | None]:
    """Quantity, unit, and price for 1,000,000 of it."""
    told = row.number("line_item_usage_amount")
    rate = row.number("line_item_unblended_rate")
    name = row.text("pricing_unit")
    unit, each = counted(name)
    if meter and unit != "token":
        # The marketplace counts "Units"; which these are is told in words only.
        if "million" not in (row.text("line_item_line_item_description") or "").lower():
            return None, name, None
        unit, each = "token", Decimal(10**6)
    return scaled(told, each), unit, price_per_million(rate, each)
