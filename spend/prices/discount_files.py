"""Discounts and uplifts as people write them, in a CSV or JSON file or a request.

All or nothing: one wrong line refuses the file, with every reason there is.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from spend.prices.discounts import DISCOUNT, PERCENT_DIGITS, UPLIFT, Discount
from spend.prices.price_files import provider_of
from spend.prices.prices import tier_of
from spend.prices.rating import PRICED
from spend.written_rows import Refusal, Row, RowReading, read_rows

REQUIRED: Final = ("kind", "provider", "model", "percent", "valid_from")
OPTIONAL: Final = ("valid_to", "region", "service_tier", "meter", "reference")
FIELDS: Final = (*REQUIRED, *OPTIONAL)
KINDS: Final = (DISCOUNT, UPLIFT)

LARGEST_UPLIFT: Final = Decimal(1000)


def discount_lines(
    rows: Iterable[Row], *, source: str, entered_by: str | None = None
) -> list[Discount]:
    """What ``rows`` ask for; RowsRefusedError if any of them is wrong."""

    def read(row: Row, refusals: list[Refusal]) -> Discount | None:
        reading = RowReading(row, refusals, required=REQUIRED, fields=FIELDS)
        return _discount(reading, source, entered_by)

    return read_rows(rows, read, called="discounts or uplifts")


def _discount(reading: RowReading, source: str, entered_by: str | None) -> Discount | None:
    kind = reading.one_of("kind", KINDS)
    valid_from, valid_to = reading.term()
    said = Discount(
        kind=kind,
        provider=provider_of(reading),
        model=_pattern(reading),
        percent=_percent(reading, kind),
        valid_from=valid_from,
        valid_to=valid_to,
        region=reading.text("region"),
        service_tier=tier_of(reading.text("service_tier")),
        meter=reading.one_of("meter", PRICED),
        source=source,
        reference=reading.text("reference") or None,
        entered_by=entered_by,
    )
    return said if reading.sound else None


def _pattern(reading: RowReading) -> str:
    model = reading.text("model")
    if "*" in model[:-1]:
        reading.refuse("model", "* may stand at the end only")
    return model


def _percent(reading: RowReading, kind: str) -> Decimal:
    percent = reading.number("percent", such_as="12.5")
    if percent is None:
        return Decimal(0)
    if kind != UPLIFT and percent > 100:  # noqa: PLR2004 - all of it
        reading.refuse("percent", "must be at most 100: a discount is no more than the price")
    elif percent >= LARGEST_UPLIFT:
        reading.refuse("percent", f"must be less than {LARGEST_UPLIFT}")
    elif not percent:
        reading.refuse("percent", "must be more than 0")
    elif percent != round(percent, PERCENT_DIGITS):
        reading.refuse("percent", f"has more than {PERCENT_DIGITS} decimals")
    else:
        return percent
    return Decimal(0)
