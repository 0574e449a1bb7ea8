"""Bills in the shape of FOCUS 1.0 to 1.4, dataset Cost and Usage: of AWS, Azure, GCP and others.

Sources: the FOCUS specification (columns and values of ChargeCategory; a number may have an
exponent); "AWS FOCUS 1.2 columns" (``x_UsageType``, ``x_Operation``), Microsoft's FOCUS schema
1.2-preview (``x_SkuMeterName``, ``x_PricingBlockSize``: how many one of PricingQuantity is) and
Google's FOCUS export. BilledCost is what the invoice says: what a commitment has paid for is 0.
"""

import re
from decimal import Decimal
from typing import Final

from spend.providers import provider_named
from spend.reconciliation.bill_reading import ReadLine, RowFields, Rows, check_columns
from spend.reconciliation.bill_words import (
    AI_SERVICES,
    counted,
    meter_in_unit,
    model_before,
    price_per_million,
    scaled,
    tier_in,
    token_meter,
)
from spend.reconciliation.bills import ADJUSTMENT, CREDIT, FEE, TAX, USAGE, BillLine
from spend.reconciliation.bills_aws import model_of
from spend.written_rows import Refusal

COLUMNS: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "InvoiceIssuerName",
)
_KINDS: Final = {
    "Usage": USAGE,
    "Purchase": FEE,
    "Tax": TAX,
    "Credit": CREDIT,
    "Adjustment": ADJUSTMENT,
}
# Where the name of what was metered stands, the most telling first.
_METERED: Final = ("x_UsageType", "x_SkuMeterName", "SkuMeter", "x_SkuDescription")
_MODEL_KEYS: Final = ("ModelId", "x_ModelId", "x_Model")
# What a meter's name may count that Microsoft calls "Units", and Google "count".
_ANY: Final = frozenset({"units", "unit", "count", ""})


def lines_of_focus(table: Rows, refusals: list[Refusal]) -> list[ReadLine]:
    """Lines of a Cost and Usage dataset."""
    check_columns(table.columns, COLUMNS, called="FOCUS")
    return [_line(RowFields(row, refusals)) for row in table.rows]


def provider_of(name: str | None) -> str | None:
    """The provider that an issuer's or a service provider's name means, with its legal form or not.

    >>> provider_of("Microsoft Ireland Operations"), provider_of("Acme Models")
    ('azure', 'acme models')
    """
    word = " ".join((name or "").lower().split())
    first = re.split(r"[ ,]", word)[0]
    return "azure" if first == "microsoft" else provider_named(first) or word or None


def _line(row: RowFields) -> ReadLine:
    used = row.stretch("ChargePeriodStart", "ChargePeriodEnd")
    issuer = provider_of(row.text("InvoiceIssuerName", required=True))
    provider = provider_of(row.text("ServiceProviderName") or row.text("ProviderName"))
    kind = row.one_of("ChargeCategory", _KINDS)
    model, meter, tier = _metered(row, provider or issuer)
    quantity, unit, price = _quantity(row, meter)
    return ReadLine(
        issuer=issuer,
        billed=row.name("BillingAccountId"),
        invoice=row.name("InvoiceId"),
        period=row.stretch("BillingPeriodStart", "BillingPeriodEnd"),
        said=BillLine(
            line=row.line,
            starts=used.start,
            ends=used.end,
            account=row.name("SubAccountId"),
            provider=provider or issuer or "",
            model=model,
            meter=meter_in_unit(meter, unit),
            region=row.text("RegionId"),
            service_tier=tier,
            description=row.text("ChargeDescription"),
            kind=_KINDS.get(kind, USAGE),
            quantity=quantity,
            unit=unit,
            unit_price=price,
            amount=row.amount("BilledCost"),
            currency=row.currency("BillingCurrency"),
            raw=row.raw,
        ),
    )


def _metered(row: RowFields, provider: str | None) -> tuple[str | None, str | None, str | None]:
    """Model, meter and tier, where it is a service that sells models."""
    service = row.text("ServiceName") or ""
    category = row.text("ServiceCategory")
    if category != "AI and Machine Learning" and not AI_SERVICES.search(service):
        return None, None, None
    details = row.mapping("SkuPriceDetails")
    named = next((details[key] for key in _MODEL_KEYS if key in details), None)
    told = [text for name in (*_METERED, "ChargeDescription") if (text := row.text(name))]
    for text in told:
        if provider == "aws":
            model, meter, tier = model_of(text, "AmazonBedrock", {"product_name": service})
        else:
            model, meter, tier = model_before(text), token_meter(text), tier_in(text)
        if meter is not None:
            return named or model, meter, tier
    return named, None, None


def _quantity(
    row: RowFields, meter: str | None
) -> tuple[Decimal | None, str | None, Decimal | None]:
    """Quantity, unit, and price for 1,000,000 of it."""
    priced, block = row.number("PricingQuantity"), row.number("x_PricingBlockSize")
    pricing_unit, pricing_each = counted(row.text("PricingUnit"))
    if meter and (pricing_unit or "").lower() in _ANY:
        pricing_unit, pricing_each = "token", block or pricing_each
    price = price_per_million(row.number("ContractedUnitPrice"), pricing_each)
    consumed = row.number("ConsumedQuantity")
    unit, each = counted(row.text("ConsumedUnit"))
    if meter and (unit or "").lower() in _ANY and consumed is not None:
        unit = "token"
    if consumed is not None and unit in {pricing_unit, "token"}:
        return scaled(consumed, each), unit, price
    return scaled(priced, pricing_each), pricing_unit, price
