"""What calls would have cost elsewhere, as tables for a terminal of 80 columns or more."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from reports.tables.table_parts import UNKNOWN, shown_money, shown_name, signed_money
from spend.capacity.what_if import Answer, Here, Key, Rated, WhatIf, difference
from spend.capacity.what_if_terms import UNKNOWN as NOT_TOLD
from spend.money import rounded

MOST_ROWS: Final = 40


def what_if_table(found: WhatIf, names: Sequence[str], when: str, currency: str) -> RenderableType:
    """What calls cost and would have cost, by the dimensions ``names``; ``when`` in words."""
    calls = found.whole.totals.calls
    title = Text.assemble(("What if", "bold"), f"\n{when}: {calls:,} calls, amounts in {currency}")
    if not found.here:
        return Group(title, Text("\nNo calls in this time."))
    parts: list[RenderableType] = [title]
    parts += [
        _paragraph(
            f"Not in it: {shown_money(rounded(cost, code), code)} {code}, for the same calls"
        )
        for code, cost in found.elsewhere.items()
    ]
    for answer in found.there:
        parts += [Text(f"\nOn {shown_name(answer.name)}", style="bold")]
        parts += [_rows(found, answer, names, currency), *_notes(found, answer, currency)]
    parts += [Text("\nNot to be known from these calls", style="bold")]
    parts += [_paragraph(each) for each in NOT_TOLD]
    return Group(*parts)


def _rows(found: WhatIf, answer: Answer, names: Sequence[str], currency: str) -> Table:
    total = _figures(found.whole, answer.whole, currency)
    headers = ["Calls", "Cost", "There", "Difference"]
    table = Table(
        *(
            Column(name.capitalize(), "" if place else "Total", overflow="fold")
            for place, name in enumerate(names)
        ),
        *(
            Column(header, figure, justify="right", overflow="fold")
            for header, figure in zip(headers, total, strict=True)
        ),
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        show_footer=bool(names),
        header_style="bold",
        footer_style="bold",
    )
    rows = sorted(found.here.items(), key=lambda row: -(row[1].cost or Decimal(-1)))
    for key, here in rows[:MOST_ROWS]:
        there = answer.by_group.get(key, Rated())
        table.add_row(*_named(key), *_figures(here, there, currency))
    if len(rows) > MOST_ROWS:
        table.add_row(f"and {len(rows) - MOST_ROWS:,} more", style="dim")
    return table


def _named(key: Key) -> list[Text]:
    return [Text(shown_name(each)) for each in key]


def _figures(here: Here, there: Rated, currency: str) -> list[str]:
    more = difference(here, there)
    return [
        f"{here.totals.calls:,}",
        _money(here.cost, currency),
        _money(there.cost, currency),
        UNKNOWN if more is None else signed_money(rounded(more, currency), currency),
    ]


def _notes(found: WhatIf, answer: Answer, currency: str) -> list[RenderableType]:
    here, there, on = found.whole, answer.whole, answer.on_pool
    notes = list(answer.notes)
    if there.low != there.high:
        ends = " to ".join(_money(each, currency) for each in (there.low, there.high))
        notes.append(f"By the range of tokens: {ends}.")
    if on is not None:
        notes.append(f"Further machines would cost {_money(on.extra_cost, currency)}.")
    if here.idle_cost:
        idle = _money(here.idle_cost, currency)
        notes.append(f"Cost here holds {idle} of idle hours: their part of pools they ran on.")
    if here.totals.unpriced_calls:
        worth = _money(there.of_unpriced, currency)
        notes.append(
            f"{here.totals.unpriced_calls:,} calls have no price here; there they would cost"
            f" {worth}, which is not in the difference."
        )
    if there.unpriced_calls:
        of = f", for {', '.join(sorted(there.missing))}" if there.missing else ""
        notes.append(f"{there.unpriced_calls:,} calls have no known cost there{of}.")
    return [_paragraph(each) for each in notes]


def _paragraph(text: str) -> RenderableType:
    return Padding(Text(text, style="dim"), (0, 0, 0, 2), expand=False)


def _money(amount: Decimal | None, currency: str) -> str:
    return UNKNOWN if amount is None else shown_money(rounded(amount, currency), currency)
