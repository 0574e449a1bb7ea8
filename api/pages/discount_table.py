"""Discounts and uplifts as a table: one model's, or all."""

from collections.abc import Sequence
from typing import Final

from api.pages.price_words import holds_for, percent
from api.pages.tables import Cell, Column, Held, Table
from spend.discounts import DISCOUNT, Discount

_DISCOUNTS: Final = (
    Column("kind", "Kind"),
    Column("provider", "Provider"),
    Column("model", "Models"),
    Column("percent", "Per cent", "number"),
    Column("holds_for", "Holds for", narrow=False),
    Column("valid_from", "Valid from", "when"),
    Column("valid_to", "Valid to", "when"),
    Column("known_from", "Known from", "when", narrow=False),
    Column("known_to", "Known to", "when", narrow=False),
    Column("reference", "Reference", narrow=False),
    Column("source", "Source", narrow=False),
    Column("entered_by", "Entered by", narrow=False),
)


def discount_table(found: Sequence[Discount], *, caption: str, file: str, empty: str) -> Table:
    """Discounts and uplifts, with their validity and who said so."""
    rows: list[dict[str, Held | Cell]] = [
        {
            "kind": Cell(each.kind, tone="good" if each.kind == DISCOUNT else "warn"),
            "provider": each.provider,
            "model": each.model,
            "percent": Cell(each.percent.normalize(), show=percent(each)),
            "holds_for": Cell(holds_for(each), show=holds_for(each) or "everything"),
            "valid_from": each.valid_from,
            "valid_to": Cell(each.valid_to, show=None if each.valid_to else "for good"),
            "known_from": each.known_from,
            "known_to": Cell(each.known_to, show=None if each.known_to else "still"),
            "reference": each.reference,
            "source": each.source,
            "entered_by": each.entered_by,
        }
        for each in found
    ]
    return Table(_DISCOUNTS, rows, caption, file=file, empty=empty)
