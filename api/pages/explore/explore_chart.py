"""The chart of a question of spend: its largest groups, the others together, and their colours."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from api.pages.charts import Chart, Legend
from api.pages.explore.explore_answer import MEASURES, Explored
from api.pages.explore.filters import TITLES, named
from api.pages.formats import Formats
from reports.charts import explore_chart
from reports.charts.palette import IDLE, NOBODY, REST, SERIES, hue_of, shades, shown_name
from reports.charts.spend_chart import Part, daily_stack
from reports.tables.pivot import Keys, Label, Line, cut
from spend.totals import Totals

MOST_MARKS: Final = 400
MOST_PARTS: Final = 9
MOST_BARS: Final = 14
OTHERS: Final = "All others"


def chart_of(
    found: Explored,
    told: Formats,
    labels: Mapping[Label, str],
    link: Callable[[Keys], str | None],
    *,
    today: date,
) -> Chart | None:
    """Bars over time, or a bar for each group; None: there is nothing to draw.

    ``labels`` names columns, ``link`` leads to what a group is made of.
    """
    if not any(found.value(line.total) for line in found.pivot.lines):
        return None
    colours = colours_of(found)
    if found.pieces is not None:
        return _over_time(found, told, labels, link, colours, today)
    return _ranked(found, told, colours)


def colours_of(found: Explored) -> dict[Keys, str]:
    """The colour of each of the largest groups that has one; all others are REST."""
    if found.series == found.rows:
        keys = [line.keys for line in found.pivot.lines]
    else:
        keys = [(label,) for label in found.pivot.columns]
    if found.providers:
        return _by_provider(found, keys)
    colours = iter(SERIES)
    hues: dict[Keys, str] = {}
    for key in keys[:MOST_PARTS]:
        own = _of_nobody(found.series, key)
        hues[key] = own or next(colours)
    return hues


def name_of(series: Sequence[str], keys: Keys) -> str:
    """A group as people read it."""
    said = [
        shown_name(value) if name == "provider" and value else named(value)
        for name, value in zip(series, keys, strict=True)
    ]
    return " · ".join(said) or "All"


def _of_nobody(series: Sequence[str], keys: Keys) -> str | None:
    """Idle, unclaimed and nameless are grey everywhere."""
    if "team" in series:
        team = keys[series.index("team")]
        if team in {"idle", "unused"}:
            return IDLE
        if team == "unallocated":
            return NOBODY
    return NOBODY if keys and not any(keys) else None


def _by_provider(found: Explored, keys: Sequence[Keys]) -> dict[Keys, str]:
    of_hue: dict[str, list[Keys]] = {}
    hues: dict[Keys, str] = {}
    for key in keys[:MOST_PARTS]:
        own = None if found.series == ("provider",) else _of_nobody(found.series, key)
        if own:
            hues[key] = own
        else:
            of_hue.setdefault(hue_of(found.providers.get(key)), []).append(key)
    for hue, alike in of_hue.items():
        hues.update(zip(alike, shades(hue, len(alike)), strict=True))
    return hues


def _over_time(
    found: Explored,
    told: Formats,
    labels: Mapping[Label, str],
    link: Callable[[Keys], str | None],
    colours: Mapping[Keys, str],
    today: date,
) -> Chart:
    columns = found.pivot.columns
    most = min(max(MOST_MARKS // max(len(columns), 1) - 1, 3), MOST_PARTS)
    lines, rest = cut(found.pivot, lines=most)
    # What comes to nothing, or to nobody knows how much, has no place in a stack.
    series = [(each, name_of(found.rows, each.keys)) for each in lines if found.value(each.total)]
    parts = [
        Part(name, colours.get(line.keys, REST), _amounts(found, line, columns))
        for line, name in series
    ]
    legend = [
        Legend(part.name, part.colour, link(line.keys), told_of(found, told, line.total))
        for part, (line, _name) in zip(parts, series, strict=True)
    ]
    if rest is not None:
        count = len(found.pivot.lines) - len(lines)
        parts.append(Part(OTHERS, REST, _amounts(found, rest, columns)))
        legend.append(
            Legend(f"{OTHERS} ({told.number(count)})", REST, None, told_of(found, told, rest.total))
        )
    unit, of, digits = unit_of(found), _said(found.rows), _digits(found)
    if found.column == "day":
        days = [date.fromisoformat(str(label)) for label in columns]
        spec = daily_stack(days, parts, currency=unit, today=today, of=of, digits=digits)
    else:
        names = [labels[label] for label in columns]
        unit = f"{unit} a {found.column}"
        spec = explore_chart.stack(names, parts, unit=unit, of=of, digits=digits)
    return Chart(spec, _title(found, told), tuple(legend))


def _ranked(
    found: Explored,
    told: Formats,
    colours: Mapping[Keys, str],
) -> Chart:
    lines, rest = cut(found.pivot, lines=MOST_BARS)
    names = [name_of(found.rows, line.keys) for line in lines]
    if rest is not None:
        names.append(f"{OTHERS} ({told.number(len(found.pivot.lines) - len(lines))})")
        lines = (*lines, rest)
    unit, digits = unit_of(found), _digits(found)
    if found.series == found.rows:
        parts = [
            Part(
                name,
                REST if line is rest else colours.get(line.keys, REST),
                [_amount(found, line) if each is line else Decimal(0) for each in lines],
            )
            for name, line in zip(names, lines, strict=True)
        ]
        legend: tuple[Legend, ...] = ()
    else:
        shown = found.pivot.columns[:MOST_PARTS]
        parts = [
            Part(
                name_of(found.series, (label,)),
                colours.get((label,), REST),
                [Decimal(found.value(line.cells.get(label)) or 0) for line in lines],
            )
            for label in shown
        ]
        if len(found.pivot.columns) > len(shown):
            others = found.pivot.columns[MOST_PARTS:]
            amounts = [
                sum((Decimal(found.value(line.cells.get(each)) or 0) for each in others), Decimal())
                for line in lines
            ]
            parts.append(Part(OTHERS, REST, amounts))
        legend = tuple(Legend(part.name, part.colour) for part in parts)
    spec = explore_chart.ranked(names, parts, unit=unit, of=_said(found.series), digits=digits)
    return Chart(spec, _title(found, told), legend)


def unit_of(found: Explored) -> str:
    """What values are of: a currency, or what is counted."""
    return found.conversion.to if found.is_money else found.measure


def told_of(found: Explored, told: Formats, totals: Totals) -> str:
    """What a group comes to, in short."""
    value = found.value(totals)
    if found.is_money:
        amount = None if value is None else Decimal(value)
        return told.rounded(amount, found.conversion.to)
    return told.short(value)


def _title(found: Explored, told: Formats) -> str:
    total = told_of(found, told, found.pivot.total.total)
    return f"{MEASURES[found.measure]} by {_said(found.rows).lower()}: {total} in all"


def _said(series: Sequence[str]) -> str:
    return " and ".join(TITLES[name].lower() for name in series).capitalize() or "All"


def _digits(found: Explored) -> str:
    return ",.2f" if found.is_money else ",.0f"


def _amounts(found: Explored, line: Line, columns: Sequence[Label]) -> list[Decimal]:
    return [Decimal(found.value(line.cells.get(label)) or 0) for label in columns]


def _amount(found: Explored, line: Line) -> Decimal:
    return Decimal(found.value(line.total) or 0)
