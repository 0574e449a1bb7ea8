"""Bills as people write them: the plain CSV of docs/bills.md, for whoever has no cost API.

A row has the month that it is invoiced in (``period``), the day of use (``date``, UTC), or both.
Amounts are written out: no exponents, no separators of thousands, a point for the decimals.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from spend.meters import METERS
from spend.money import minor_digits
from spend.periods import Period, parse_month
from spend.reconciliation.bill_reading import (
    NO_TIME,
    ReadLine,
    RowFields,
    Rows,
    check_columns,
    month_of_utc,
)
from spend.reconciliation.bill_words import counted, price_per_million, scaled
from spend.reconciliation.bills import KINDS, USAGE, Bill, BillLine
from spend.reconciliation.bills_focus import provider_of
from spend.written_rows import Refusal

REQUIRED: Final = ("amount", "currency")
OPTIONAL: Final = (
    "period",
    "date",
    "provider",
    "account",
    "invoice",
    "project",
    "model",
    "meter",
    "quantity",
    "unit",
    "unit_price",
    "amount_unit",
    "kind",
    "region",
    "service_tier",
    "description",
)
FIELDS: Final = (*REQUIRED, *OPTIONAL)
TOTAL: Final = "total"
"""The kind of a row that is no line: what the invoice says that its lines come to."""
WHOLE, CENTS = "whole", "cents"
FEWEST: Final = 5
"""Of fewer lines it is no wonder when all amounts are whole."""
_METERS: Final = {meter.name: meter for meter in METERS}


def lines_of_csv(
    table: Rows, refusals: list[Refusal], *, provider: str | None
) -> tuple[list[ReadLine], dict[int, Decimal]]:
    """The lines, and the totals that rows of the kind ``total`` state: line -> amount."""
    check_columns(table.columns, REQUIRED, called="a bill")
    for name in table.columns:
        if name not in FIELDS:
            reason = f"unknown column; there are {', '.join(FIELDS)}"
            refusals.append(Refusal(1, name, reason))
    lines, totals = [], {}
    for written in table.rows:
        row = RowFields(written, refusals, by_people=True)
        if row.text("kind") == TOTAL:
            totals[row.line] = _amount(row)[0]
        else:
            lines.append(_line(row, provider))
    return lines, totals


def _line(row: RowFields, given: str | None) -> ReadLine:
    used, booked = _times(row)
    provider = provider_of(row.name("provider")) or given
    if provider is None:
        row.refuse("provider", "is missing: write it in the file, or give --provider")
    meter = row.text("meter")
    if meter and meter not in _METERS:
        row.refuse("meter", f"is {meter!r}: we know {', '.join(_METERS)}")
    amount, currency = _amount(row)
    unit, each = counted(row.text("unit"))
    counts = _METERS[meter].unit if meter in _METERS else None
    if unit and counts and unit != counts:
        row.refuse("unit", f"must be {counts} or so many of it, such as 1000000 {counts}s")
    return ReadLine(
        issuer=provider,
        billed=row.name("account"),
        invoice=row.name("invoice"),
        period=booked,
        said=BillLine(
            line=row.line,
            starts=used.start,
            ends=used.end,
            account=row.name("project"),
            provider=provider or "",
            model=row.name("model"),
            meter=meter,
            region=row.text("region"),
            service_tier=row.text("service_tier"),
            description=row.text("description"),
            kind=row.one_of("kind", (*KINDS, TOTAL), otherwise=USAGE),
            quantity=scaled(row.number("quantity"), each),
            unit=unit or counts,
            unit_price=price_per_million(row.number("unit_price"), each),
            amount=amount,
            currency=currency,
            raw=row.raw,
        ),
    )


def _amount(row: RowFields) -> tuple[Decimal, str]:
    currency = row.currency("currency")
    unit = row.one_of("amount_unit", (WHOLE, CENTS), otherwise=WHOLE)
    shift = minor_digits(currency) if unit == CENTS else 0
    return row.amount("amount", shift=shift), currency


def _times(row: RowFields) -> tuple[Period, Period | None]:
    """When it was used, and the month that it is invoiced in."""
    booked = None
    month = row.text("period")
    if month:
        try:
            booked = month_of_utc(parse_month(month))
        except ValueError as error:
            row.refuse("period", str(error))
    day = row.moment("date", required=not month)
    if day is None:
        return booked or NO_TIME, booked
    return Period(day, day + timedelta(days=1)), booked


def looks_like_cents(bill: Bill, lines: Sequence[BillLine]) -> bool:
    """Whether amounts may be cents, and nobody said so: a hint, and no more."""
    return (
        bill.format == "csv"
        and len(lines) >= FEWEST
        and all(line.amount == line.amount.to_integral_value() for line in lines)
    )
