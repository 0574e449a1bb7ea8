"""The tables of a page of spend: lines and columns with their sums, and every group by itself."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import ceil, sqrt
from typing import Final

from markupsafe import Markup, escape

from api.pages.explore.explore_answer import MEASURES, MONEY, Explored
from api.pages.explore.explore_chart import OTHERS, colours_of, name_of
from api.pages.explore.explore_links import Drill
from api.pages.explore.filters import TITLES, named
from api.pages.formats import MINUS, UNKNOWN, Formats
from api.pages.tables import Cell, Column, Held, Table, sorted_rows
from api.shapes import usage_of
from reports.charts.palette import shown_name
from reports.tables.pivot import Keys, Label, Line, cut
from spend.money import EXACT
from spend.totals import Totals, together

MOST_LINES: Final = 40
FEWEST_LINES: Final = 12
MOST_CELLS: Final = 700
"""Of lines with many columns fewer are shown: each cell is two links."""
MOST_COLUMNS: Final = 12
"""Of a dimension; of time there are as many as were asked for."""
_HEATS: Final = 5
_REST: Final = "others"

Row = dict[str, Held | Cell]


def column_labels(found: Explored, told: Formats) -> dict[Label, str]:
    """What columns are called on the page."""
    if found.pieces is None:
        provider = found.column == "provider"
        return {
            label: shown_name(label) if provider and label else named(label)
            for label in found.pivot.columns
        }
    of_month = found.pieces.cut == "month"
    return {
        name: told.day(first).partition(" ")[2] if of_month else told.day(first).rpartition(" ")[0]
        for name, (first, _end) in found.pieces.bounds.items()
    }


def pivot_table(
    found: Explored, told: Formats, drill: Drill, *, sort: str | None, whole: bool
) -> Table:
    """Lines, columns and sums. ``whole``: all of them, for a file, and no links."""
    shown, rest = _columns(found, whole=whole)
    labels = column_labels(found, told)
    kind, difference = ("money", "difference") if found.is_money else ("number", "number")
    columns = [Column(name, TITLES[name]) for name in found.rows] or [Column("all", "")]
    columns.append(Column("total", "Total" if shown else MEASURES[found.measure], kind))
    if not shown:
        columns += [Column("share", "Share", "percent"), Column("calls", "Calls", "number")]
        columns += [Column("tokens", "Tokens", "short", narrow=False)]
    if found.pivot.total.before is not None:
        columns += [
            Column("before", "Before", kind, "The time that it is compared with", narrow=False),
            Column("difference", "Difference", difference, narrow=False),
            Column("change", "Change", "percent"),
        ]
    columns += [
        Column(_named(found, label), labels[label], kind, _hint(found, told, label))
        for label in shown
    ]
    if rest:
        columns.append(Column(_REST, f"Others ({len(rest)})", kind))
    maker = _Rows(found, told, drill, shown, rest, whole=whole)
    order = sort if sort and sort.removeprefix("-") in {each.name for each in columns} else "-total"
    lines, others = (found.pivot.lines, None) if whole else cut(found.pivot, lines=_lines(shown))
    rows: list[Mapping[str, Held | Cell]] = sorted_rows([maker.row(each) for each in lines], order)
    if others is not None:
        count = len(found.pivot.lines) - len(lines)
        rows.append(maker.sum(others, f"{OTHERS} ({told.number(count)})"))
    return Table(
        columns,
        rows,
        _caption(found),
        file=f"spend-{found.asked.start[:10]}-{found.asked.end[:10]}-table",
        currency=found.conversion.to,
        total=maker.sum(found.pivot.total, "Total", column_links=True),
        empty="Nothing was spent and nothing was called in this time, with these filters.",
        sort=None if whole else order,
    )


def groups_table(found: Explored) -> Table:
    """Every group as a line of a file, with all that is known of it.

    And one for each of its currencies that has no rate.
    """
    column = found.column
    names = [*found.rows, *([column] if column else [])]
    usage = list(usage_of({}))
    counted = ("calls", "errors", "unpriced_calls", "unpriced_tokens", "tokens")
    columns = [Column(name, name) for name in (*names, "currency")]
    columns += [Column(name, name, "money") for name in MONEY]
    columns += [Column(name, name, "number") for name in (*counted, *usage)]
    rows: list[Row] = []
    for currency, line in [
        (currency, line)
        for currency, each in ((found.conversion.to, found.pivot), *found.elsewhere.items())
        for line in each.lines
    ]:
        for label, totals in line.cells.items():
            row: Row = dict(zip(found.rows, line.keys, strict=True))
            if column:
                row[column] = label
            row["currency"] = currency
            row |= {name: getattr(totals, name) for name in (*MONEY, *counted)}
            row |= usage_of(totals.usage)
            rows.append(row)
    file = f"spend-{found.asked.start[:10]}-{found.asked.end[:10]}"
    return Table(columns, rows, "Groups", file=file, currency=found.conversion.to)


class _Rows:
    """Makes rows of lines."""

    def __init__(
        self,
        found: Explored,
        told: Formats,
        drill: Drill,
        shown: Sequence[Label],
        rest: Sequence[Label],
        *,
        whole: bool,
    ) -> None:
        self._found, self._told, self._drill = found, told, drill
        self._shown, self._rest, self._whole = shown, rest, whole
        self._colours = {} if whole else colours_of(found)
        self._names: dict[Keys, str] = {}
        values = [
            found.value(totals)
            for line in found.pivot.lines
            for label, totals in line.cells.items()
            if label in shown
        ]
        self._most = max((Decimal(each) for each in values if each is not None), default=Decimal(0))

    def row(self, line: Line) -> Row:
        """A line with its links."""
        row: Row = dict(zip(self._found.rows, line.keys, strict=True))
        if not self._whole:
            row = self._named(line)
        row |= {
            _named(self._found, label): self._cell(line, label)
            for label in self._shown
            if label in line.cells
        }
        return row | self._sums(line)

    def sum(self, line: Line, name: str, *, column_links: bool = False) -> Row:
        """A line that is the sum of others."""
        first = self._found.rows[0] if self._found.rows else "all"
        row: Row = {first: Cell(name, show=name)}
        for other in self._found.rows[1:]:
            row[other] = Cell(None, show="")
        for label in self._shown:
            if label in line.cells:
                value = self._found.value(line.cells[label])
                href = self._drill.deeper(column=label, in_column=True) if column_links else None
                row[_named(self._found, label)] = Cell(value, href)
        return row | self._sums(line, linked=False)

    def _named(self, line: Line) -> Row:
        """The names of a line: the first leads to what it is made of."""
        found = self._found
        own = found.series == found.rows
        if not found.rows:
            return {"all": Cell("All", self._drill.deeper())}
        row: Row = {}
        for place, (name, value) in enumerate(zip(found.rows, line.keys, strict=True)):
            text = name_of((name,), (value,))
            row[name] = Cell(
                value,
                self._drill.deeper(line.keys) if place == 0 else None,
                show=text,
                colour=self._colours.get(line.keys) if own and place == 0 else None,
                tone="" if value else "quiet",
            )
        return row

    def _cell(self, line: Line, label: Label) -> Cell:
        totals = line.cells[label]
        value = self._found.value(totals)
        if self._whole or value is None:
            return Cell(value)
        deeper = self._drill.deeper(line.keys, label, in_column=True)
        return Cell(
            value, show=self._linked(value, deeper, totals, line, label), tone=self._heat(value)
        )

    def _linked(
        self, value: Decimal | int, deeper: str, totals: Totals, line: Line, label: Label
    ) -> Markup:
        figure = f'<a href="{escape(deeper)}">{escape(self._text(value))}</a>'
        if not totals.calls:
            return Markup(figure)  # noqa: S704 - every part of it is escaped
        of = f"Calls of {self._name(line.keys)}, {label or named(None)}"
        calls = self._drill.calls(line.keys, label, in_column=True)
        behind = f'<a class="behind" href="{escape(calls)}" title="{escape(of)}">calls</a>'
        return Markup(f"{figure} {behind}")  # noqa: S704 - every part of it is escaped

    def _name(self, keys: Keys) -> str:
        if keys not in self._names:
            self._names[keys] = name_of(self._found.rows, keys)
        return self._names[keys]

    def _text(self, value: Decimal | int) -> str:
        if self._found.is_money:
            return self._told.money(Decimal(value), self._found.conversion.to)
        return self._told.short(value)

    def _heat(self, value: Decimal | int) -> str:
        if len(self._shown) < 2 or value <= 0 or not self._most:  # noqa: PLR2004 - nothing to compare
            return ""
        return f"heat-{ceil(_HEATS * sqrt(Decimal(value) / self._most))}"

    def _sums(self, line: Line, *, linked: bool = True) -> Row:
        found = self._found
        value = found.value(line.total)
        row: Row = {"total": Cell(value, tone="strong")}
        if linked and not self._whole and line.total.calls:
            text = Markup("{}").format(self._exact(value))
            of = f"Calls of {self._name(line.keys)}"
            behind = Markup(' <a class="behind" href="{}" title="{}">calls</a>')
            show = text + behind.format(self._drill.calls(line.keys), of)
            row["total"] = Cell(value, show=show, tone="strong")
        if self._rest:
            others = [line.cells[label] for label in self._rest if label in line.cells]
            row[_REST] = found.value(together(others)) if others else None
        if not self._shown:
            whole = found.value(found.pivot.total.total)
            share = None if value is None or not whole else Decimal(value) / Decimal(whole)
            row["share"] = Cell(share, bar="")
            row |= {"calls": line.total.calls, "tokens": line.total.tokens}
        if found.pivot.total.before is not None:
            row |= self._compared(line)
        return row

    def _exact(self, value: Decimal | int | None) -> str:
        if value is None:
            return UNKNOWN
        return self._text(value) if self._found.is_money else self._told.number(value)

    def _compared(self, line: Line) -> Row:
        value, before = self._found.value(line.total), self._found.value(line.before)
        row: Row = {"before": before, "difference": None, "change": None}
        if _is_unknown(value, line.total) or _is_unknown(before, line.before):
            return row
        # Nothing was there: then it was nothing, and not unknown.
        was, now = Decimal(before or 0), Decimal(value or 0)
        difference = EXACT.subtract(now, was)
        row["difference"] = difference
        if not self._found.is_money:
            row["difference"] = Cell(
                difference, show=signed(difference, self._told.number(difference))
            )
        if was > 0:
            change = difference / was
            row["change"] = Cell(change, show=signed(change, self._told.percent(change)))
        elif now and not was:
            row["change"] = Cell(None, show="new", tone="quiet")
        return row


def _is_unknown(value: Decimal | int | None, totals: Totals | None) -> bool:
    """Whether something is there, and nobody knows what it comes to."""
    return value is None and totals is not None and not totals.is_nothing


def signed(value: Decimal, text: str) -> str:
    """A difference with its sign, + too."""
    return f"+{text}" if value > 0 else text.replace("-", MINUS)


def _lines(columns: Sequence[Label]) -> int:
    """How many lines of so many columns are shown."""
    return max(FEWEST_LINES, min(MOST_LINES, MOST_CELLS // max(1, len(columns))))


def _columns(found: Explored, *, whole: bool) -> tuple[Sequence[Label], Sequence[Label]]:
    """Columns that are shown, and those that are put together."""
    columns = found.pivot.columns
    if whole or found.pieces is not None or len(columns) <= MOST_COLUMNS + 1:
        return columns, ()
    return columns[:MOST_COLUMNS], columns[MOST_COLUMNS:]


def _named(found: Explored, label: Label) -> str:
    """A column's name in a file: no value of a dimension can be taken for a sum."""
    return f"{found.column}={label or ''}" if found.pieces is None else f"{label}"


def _hint(found: Explored, told: Formats, label: Label) -> str:
    if found.pieces is None or label is None:
        return label or ""
    first, end = found.pieces.bounds[label]
    last = date.fromordinal(end.toordinal() - 1)
    return told.day(first) if first == last else f"{told.day(first)} to {told.day(last)}"


def _caption(found: Explored) -> str:
    rows = " and ".join(TITLES[name].lower() for name in found.rows)
    said = f"{MEASURES[found.measure]} by {rows}" if rows else MEASURES[found.measure]
    if found.column is None:
        return said
    return f"{said}, {'by ' if found.pieces else 'across '}{_across(found.column)}"


def _across(column: str) -> str:
    return TITLES.get(column, column).lower() if column not in {"day", "week", "month"} else column
