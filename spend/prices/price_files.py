"""Our own prices as people write them, in a CSV or JSON file or a request: read, checked, refused.

All or nothing: one wrong line refuses the file, with every reason there is.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from spend import money
from spend.currencies.currencies import CODES
from spend.prices.bands import EDGES
from spend.prices.prices import CONTRACT, PriceLine, tier_of
from spend.prices.rating import PRICED
from spend.providers import provider_named
from spend.written_rows import Refusal, Row, RowReading, read_rows

REQUIRED: Final = ("provider", "model", "meter", "unit_price", "currency", "valid_from")
OPTIONAL: Final = (
    "per",
    "valid_to",
    "region",
    "service_tier",
    "above_tokens",
    "above_monthly",
    "reference",
)
FIELDS: Final = (*REQUIRED, *OPTIONAL)

PER: Final = (1, 1_000, 1_000_000)
"""For how many units a price may be written; the book has all of them for 1,000,000."""

_FINEST: Final = Decimal(1).scaleb(-money.PRICE_DIGITS)


def price_lines(
    rows: Iterable[Row], *, source: str, entered_by: str | None = None
) -> list[PriceLine]:
    """The contract lines that ``rows`` ask for; RowsRefusedError if any of them is wrong."""

    def read(row: Row, refusals: list[Refusal]) -> PriceLine | None:
        reading = RowReading(row, refusals, required=REQUIRED, fields=FIELDS)
        return _line(reading, source, entered_by)

    return read_rows(rows, read, called="prices")


def _line(reading: RowReading, source: str, entered_by: str | None) -> PriceLine | None:
    valid_from, valid_to = reading.term()
    line = PriceLine(
        book=CONTRACT,
        provider=provider_of(reading),
        model=reading.text("model"),
        meter=_meter(reading),
        unit_price=_price(reading),
        currency=currency_of(reading),
        valid_from=valid_from,
        valid_to=valid_to,
        region=reading.text("region"),
        service_tier=tier_of(reading.text("service_tier")),
        above_tokens=_edge(reading),
        above_monthly=reading.whole("above_monthly", otherwise=0),
        source=source,
        reference=reading.text("reference") or None,
        entered_by=entered_by,
    )
    return line if reading.sound else None


def provider_of(reading: RowReading) -> str:
    """The provider as calls have it.

    A contract with "OpenAI" would price nothing, and nobody would be told.
    """
    text = reading.text("provider")
    return provider_named(text) or text


def currency_of(reading: RowReading) -> str:
    """The currency that something is agreed in: any that there is."""
    code = reading.text("currency")
    if code and code not in CODES:
        reading.refuse("currency", "is no currency code of ISO 4217, such as EUR")
    return code


def _meter(reading: RowReading) -> str:
    meter = reading.text("meter")
    if meter == "reasoning":
        reading.refuse("meter", "reasoning is a part of output and charged with it")
    elif meter and meter not in PRICED:
        reading.refuse("meter", f"unknown meter; there are {', '.join(PRICED)}")
    return meter


def _edge(reading: RowReading) -> int:
    text = reading.text("above_tokens") or "0"
    if text == "0" or text in map(str, EDGES):
        return int(text)
    edges = ", ".join(map(str, EDGES))
    reading.refuse("above_tokens", f"must be 0 or one of {edges}: only there usage is kept apart")
    return 0


def _price(reading: RowReading) -> Decimal:
    """The price of 1,000,000 units, exactly as it was written for ``per`` of them."""
    per = reading.text("per") or str(PER[-1])
    if per not in map(str, PER):
        reading.refuse("per", f"must be one of {', '.join(map(str, PER))}")
        per = str(PER[-1])
    written = reading.number("unit_price", such_as="2.50")
    if written is None:
        return Decimal(0)
    price = money.EXACT.multiply(written, Decimal(PER[-1] // int(per)))
    if price >= money.PRICE_LIMIT:
        reading.refuse("unit_price", f"must be less than {money.PRICE_LIMIT} for 1,000,000 units")
    elif price != money.quantised(price):
        reason = f"is finer than the finest price, {_FINEST} for 1,000,000 units: round it"
        reading.refuse("unit_price", reason)
    else:
        return money.quantised(price)
    return Decimal(0)
