"""Discounts and uplifts as a table: one model's, or all."""

from collections.abc import Sequence
from typing import Final

from api.pages.formats import Formats
from api.pages.prices.price_words import holds_for, percent, term
from api.pages.tables import Cell, Column, Held, Table
from reports.charts.palette import hue_of, shown_name
from spend.prices.discounts import DISCOUNT, Discount

_DISCOUNTS: Final = (
    Column("kind", "Kind"),
    Column("provider", "Provider", narrow=False),
    Column("model", "Models"),
    Column("percent", "Per cent", "number"),
    Column("holds_for", "Holds for", narrow=False),
    Column("valid", "Valid", csv=False),
    Column("known", "Known", narrow=False, csv=False),
    Column("valid_from", "Valid from", "when", shown=False),
    Column("valid_to", "Valid to", "when", shown=False),
    Column("known_from", "Known from", "when", shown=False),
    Column("known_to", "Known to", "when", shown=False),
    Column("reference", "Agreed in", narrow=False),
    Column("source", "Source", shown=False),
    Column("entered_by", "Entered by", narrow=False),
)


def discount_table(
    found: Sequence[Discount], told: Formats, *, caption: str, file: str, empty: str
) -> Table:
    """Discounts and uplifts, with their validity and who said so."""
    rows: list[dict[str, Held | Cell]] = [
        {
            "kind": Cell(each.kind, tone="good" if each.kind == DISCOUNT else "warn"),
            "provider": Cell(
                each.provider, show=shown_name(each.provider), colour=hue_of(each.provider)
            ),
            "model": each.model,
            "percent": Cell(each.percent.normalize(), show=percent(each)),
            "holds_for": Cell(holds_for(each), show=holds_for(each) or "everything"),
            "valid": term(each.valid_from, each.valid_to, told),
            "known": term(each.known_from, each.known_to, told),
            "valid_from": each.valid_from,
            "valid_to": each.valid_to,
            "known_from": each.known_from,
            "known_to": each.known_to,
            "reference": Cell(each.reference, note=each.source),
            "source": each.source,
            "entered_by": each.entered_by,
        }
        for each in found
    ]
    return Table(_DISCOUNTS, rows, caption, file=file, empty=empty)
