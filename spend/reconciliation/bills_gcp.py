"""Bills of Google Cloud: the standard and the detailed usage cost export of BigQuery.

Source: "Structure of Standard data export" of Cloud Billing: ``cost`` before credits, the array
``credits`` (each with ``name``, ``amount``, ``type``), ``cost_type`` regular, tax, adjustment or
rounding_error, ``invoice.month`` as YYYYMM, ``usage.amount_in_pricing_units`` and
``usage.pricing_unit``; SKUs such as ``Gemini 2.5 Flash GA Text Input - Predictions`` (``count``
of tokens). Rows are JSON, one a line or in a list, or CSV of the same names with ``_`` for the
dots: BigQuery cannot write nested fields as CSV, so there ``credits`` is JSON.

Each credit becomes a line of its own; lines are numbered in the order in which they are read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from spend.periods import Period, parse_month
from spend.reconciliation.bill_reading import (
    ReadLine,
    RowFields,
    Rows,
    Written,
    check_columns,
    flat,
    month_of_utc,
)
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
from spend.reconciliation.bills import ADJUSTMENT, CREDIT, TAX, USAGE, BillLine
from spend.written_rows import Refusal

ISSUER: Final = "google"
COLUMNS: Final = (
    "billing_account_id",
    "service_description",
    "sku_description",
    "usage_start_time",
    "usage_end_time",
    "cost",
    "currency",
    "credits",
    "invoice_month",
    "cost_type",
)
_KINDS: Final = {
    "regular": USAGE,
    "tax": TAX,
    "adjustment": ADJUSTMENT,
    "rounding_error": ADJUSTMENT,
}


def flattened(rows: Rows) -> Rows:
    """The same with ``sku.description`` and an object ``sku`` both as ``sku_description``."""
    columns = dict.fromkeys(name.replace(".", "_") for name in rows.columns)
    made = []
    for row in rows.rows:
        values = {name.replace(".", "_"): value for name, value in flat(row.values)}
        columns |= dict.fromkeys(values)
        made.append(Written(row.line, values))
    return Rows(tuple(columns), made)


def lines_of_billing(table: Rows, refusals: list[Refusal]) -> list[ReadLine]:
    """Lines of a usage cost export."""
    table = flattened(table)
    check_columns(table.columns, COLUMNS, called="Google's usage cost export")
    numbered: list[ReadLine] = []
    for row in table.rows:
        fields = RowFields(row, refusals)
        numbered.append(_line(fields, len(numbered) + 1))
        for credit in _credits(fields, row.values.get("credits")):
            of_credit = RowFields(Written(row.line, credit), refusals)
            numbered.append(_credited(numbered[-1], of_credit, len(numbered) + 1))
    return numbered


def _line(row: RowFields, number: int) -> ReadLine:
    used = row.stretch("usage_start_time", "usage_end_time")
    sku = row.text("sku_description")
    model, meter, tier = (None, None, None)
    if sku and AI_SERVICES.search(row.text("service_description") or ""):
        model, meter, tier = metered(sku)
    unit, each = counted(row.text("usage_pricing_unit") or row.text("usage_unit"))
    if meter and (unit or "count").lower() in {"count", "requests"}:
        unit = "token"
    told = row.number("usage_amount_in_pricing_units")
    return ReadLine(
        issuer=ISSUER,
        billed=row.name("billing_account_id"),
        period=_invoiced(row),
        said=BillLine(
            line=number,
            starts=used.start,
            ends=used.end,
            account=row.name("project_id"),
            provider=ISSUER,
            model=model,
            meter=meter_in_unit(meter, unit),
            region=row.text("location_region"),
            service_tier=tier,
            description=sku,
            kind=_KINDS.get(row.one_of("cost_type", _KINDS), USAGE),
            quantity=scaled(row.number("usage_amount") if told is None else told, each),
            unit=unit,
            unit_price=price_per_million(row.number("price_effective_price"), each),
            amount=row.amount("cost"),
            currency=row.currency("currency"),
            raw=row.raw,
        ),
    )


def metered(sku: str) -> tuple[str | None, str | None, str | None]:
    """Model, meter and tier of a SKU.

    >>> metered("Generate content cached input token count gemini 2.5 flash short input text")
    ('gemini 2.5 flash', 'cache_read', None)
    """
    before, counts, after = sku.partition(" token count ")
    meter = token_meter(before)
    model = (model_before(after) or after) if counts else model_before(sku)
    return (model if meter else None), meter, tier_in(sku)


def _credits(row: RowFields, told: object) -> Sequence[Mapping[str, Any]]:
    if isinstance(told, str) and told.strip():
        try:
            told = json.loads(told, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):
            row.refuse("credits", "is not JSON")
            return []
    if told in (None, "", {}):
        return []
    if isinstance(told, list) and all(isinstance(each, dict) for each in told):
        return told
    row.refuse("credits", "must be a list of objects, or JSON of one")
    return []


def _credited(of: ReadLine, row: RowFields, number: int) -> ReadLine:
    """A credit on a line, as a line."""
    said = replace(
        of.said,
        line=number,
        description=row.text("full_name") or row.text("name") or of.said.description,
        kind=CREDIT,
        quantity=None,
        unit=None,
        unit_price=None,
        amount=row.amount("amount"),
        raw={"credit": row.raw, "sku_description": of.said.description},
    )
    return replace(of, said=said)


def _invoiced(row: RowFields) -> Period | None:
    text = row.text("invoice_month", required=True) or ""
    try:
        return month_of_utc(parse_month(f"{text[:4]}-{text[4:]}"))
    except ValueError:
        row.refuse("invoice_month", "must be a month such as 202610")
        return None
