"""The cells of a row of a table, as HTML.

Written here rather than in a template: a page may have some thousand of them.
"""

from collections.abc import Callable, Mapping

from markupsafe import Markup, escape

from api.pages.formats import UNKNOWN, Formats
from api.pages.tables import Cell, Column, Held, Table, cell_of, exact_text

_LONG = 300
"""Characters of a text that scrolls in its cell: it has to be reachable by keyboard."""

Drawn = Callable[..., Markup]
"""A macro of ``templates/parts.html``."""


def cells_of(
    table: Table, row: Mapping[str, Held | Cell], told: Formats, bar: Drawn, swatch: Drawn
) -> Markup:
    """A row's cells in the order of the columns, as ``told`` writes them; the first is its head."""
    written, element = [], 'th scope="row"'
    for column in table.columns:
        if column.shown:
            cell = cell_of(row.get(column.name))
            its = f"{'right ' if column.right else ''}{'' if column.narrow else 'roomy '}"
            inside = _inside(cell, column, table, told, swatch)
            if cell.bar is not None:
                inside = f"{bar(cell.value, cell.bar, ' ')}{inside}"
            end = element[:2]
            written.append(f'<{element} class="{its}{escape(cell.tone)}">{inside}</{end}>')
            element = "td"
    return Markup("\n".join(written))  # noqa: S704 - every part of it is escaped


def _inside(cell: Cell, column: Column, table: Table, told: Formats, swatch: Drawn) -> str:
    text = _text(cell, column, table, told)
    shown: str = escape(text)
    if cell.href:
        shown = f'<a href="{escape(cell.href)}">{shown}</a>'
    if cell.colour:
        shown = f"{swatch(cell.colour)}{shown}"
    exact = exact_text(cell, column)
    if exact:
        exact = escape(exact)
        shown = f'<data value="{exact}" title="{exact}">{shown}</data>'
    else:
        long = ' long" tabindex="0' if _is_long(text) else ""
        shown = f'<span class="text{long}">{shown}</span>'
    return f"{shown}<small>{escape(cell.note)}</small>" if cell.note else shown


def _is_long(text: str | Markup) -> bool:
    """By what is read of it: a drawing is long only in its markup."""
    if len(text) <= _LONG:
        return False
    return not isinstance(text, Markup) or len(text.striptags()) > _LONG


def _text(cell: Cell, column: Column, table: Table, told: Formats) -> str | Markup:
    if cell.show is not None:
        return cell.show
    if column.kind in {"money", "difference", "unit_price"}:
        write = getattr(told, column.kind)
        text: str = write(cell.value, cell.currency or table.currency)
        return text
    if column.kind == "text":
        return UNKNOWN if cell.value is None else str(cell.value)
    return str(getattr(told, column.kind)(cell.value))
