"""What price lines and discounts say, as people read it."""

from datetime import datetime
from typing import Final

from api.pages.formats import Formats
from spend.capacity.pools import IDLE_METER, POOL_METER
from spend.commitments.commitments import COVERED, PURCHASE, UNUSED_METER
from spend.prices.discounts import DISCOUNT, Discount
from spend.prices.prices import CONTRACT, LIST, SUPPLEMENT, PriceLine

BOOKS: Final = {CONTRACT: "Contract", LIST: "Public list", SUPPLEMENT: "Supplement"}
METERS: Final = {
    "input": "Input",
    "cache_read": "Cache read",
    "cache_write": "Cache write",
    "cache_write_5m": "Cache write, 5 min",
    "cache_write_1h": "Cache write, 1 h",
    "output": "Output",
    "input_audio": "Audio in",
    "output_audio": "Audio out",
    "input_image": "Images in",
    "output_image": "Images out, tokens",
    "requests": "Requests",
    "tool_calls": "Tool calls",
    "images": "Images made",
    "seconds": "Seconds of audio",
    "embeddings": "Embeddings",
}
"""Meters of price lines, as people read them, in the order of a table."""
ORDER: Final = {name: place for place, name in enumerate(METERS)}

ALWAYS: Final = "always"
FIRST_YEAR: Final = 2020
"""Prices whose beginning no list tells hold from its first day."""


_LINES: Final = {
    COVERED: "Covered by commitments",
    PURCHASE: "Commitments bought",
    UNUSED_METER: "Commitments not used",
    POOL_METER: "Pools",
    IDLE_METER: "Idle capacity",
}
"""Meters of charges that no price line is for."""


def meter_name(meter: str) -> str:
    """A meter as people read it; one that we do not know, as it is called."""
    return METERS.get(meter) or _LINES.get(meter) or meter.replace("_", " ")


def holds_for(line: PriceLine | Discount) -> str:
    """What a line holds for alone: region, tier, size of prompt, volume; '' for everything."""
    parts = []
    if line.region:
        parts.append(line.region)
    if line.service_tier:
        parts.append(f"tier {line.service_tier}")
    if isinstance(line, PriceLine):
        if line.above_tokens:
            parts.append(f"prompts above {line.above_tokens:,} tokens")
        if line.above_monthly:
            parts.append(f"above {line.above_monthly:,} a month")
    elif line.meter:
        parts.append(meter_name(line.meter).lower())
    return ", ".join(parts)


def percent(each: Discount) -> str:
    """By how much it changes a price, with its sign."""
    sign = "\u2212" if each.kind == DISCOUNT else "+"
    return f"{sign}{each.percent.normalize():f}%"


def term(start: datetime | None, end: datetime | None, told: Formats) -> str:
    """From when to when (exclusive) something holds, in the reader's zone."""
    ever = start is None or start.year <= FIRST_YEAR
    if end is None:
        return ALWAYS if ever else f"from {told.day_or_when(start)}"
    until = told.day_or_when(end)
    return f"until {until}" if ever else f"{told.day_or_when(start)} to {until}"


def said_by(line: PriceLine) -> str | None:
    """Who says so: the document or source, and who entered it; None: the list that we ship."""
    if line.book == LIST:
        return None
    return ", ".join(each for each in (line.reference or line.source, line.entered_by) if each)
