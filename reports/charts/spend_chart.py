"""Spend by day, stacked, as Vega-Lite. A pure function of data.

Amounts become floats here, for drawing; what is written in numbers is written exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from reports.charts.chart_frame import FIGURE, Spec, framed
from reports.charts.palette import GRID, INK, LINE, PAPER, SOFT

_MONTHS: Final = "['Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','Nov','Dec']"
_DAY: Final = "toNumber(slice(datum.value, 8, 10))"
_DATED: Final = f"{_DAY} + ' ' + {_MONTHS}[toNumber(slice(datum.value, 5, 7)) - 1]"
_NUMBER_WIDE: Final = 22
"""Pixels that a day takes whose number alone is written below it."""
_DATE_WIDE: Final = 52
"""Likewise with its month."""


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of the stack: what it is called, and its amount of each day."""

    name: str
    colour: str
    amounts: Sequence[Decimal]


def daily_stack(
    days: Sequence[date],
    parts: Sequence[Part],
    *,
    currency: str,
    today: date | None = None,
    of: str = "Part",
    digits: str = ",.2f",
    height: int = 260,
) -> Spec:
    """Bars of ``days``; the first of ``parts`` is on top, as in the legend.

    ``today`` is marked, if it is among them: days after it stay empty. ``of`` is what the parts
    are, for whoever points at one, and ``digits`` how d3-format writes their amounts there.
    """
    values = [
        {
            "day": day.isoformat(),
            "told": f"{day:%a} {day.day} {day:%b %Y}",
            "part": part.name,
            "cost": float(amount),
            "place": -place,
        }
        for place, part in enumerate(parts)
        for day, amount in zip(days, part.amounts, strict=True)
        if amount
    ]
    bars: Spec = {
        "data": {"values": values},
        "mark": {"type": "bar", "stroke": PAPER, "strokeWidth": 0.5},
        "encoding": {
            "y": {
                "field": "cost",
                "type": "quantitative",
                "stack": "zero",
                "axis": {"title": f"{currency} a day", "labelExpr": FIGURE},
            },
            "color": {
                "field": "part",
                "type": "nominal",
                "scale": {
                    "domain": [part.name for part in parts],
                    "range": [part.colour for part in parts],
                },
            },
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [
                {"field": "told", "type": "nominal", "title": "Day"},
                {"field": "part", "type": "nominal", "title": of},
                {"field": "cost", "type": "quantitative", "title": currency, "format": digits},
            ],
        },
    }
    return framed(
        {
            "layer": [*_today(days, today), bars, *_month_starts(days)],
            "encoding": {"x": _x(days, today)},
        },
        height=height,
    )


def _x(days: Sequence[date], today: date | None) -> Spec:
    """Each day has its place; as many are named as have room, the months' first ones with it."""
    count = max(len(days), 1)
    place = f"round(datum.index * {count - 1})"
    step = f"ceil({count * _DATE_WIDE} / width)"
    first = f"({place} == 0 || {_DAY} == 1)"
    numbers = f"{first} ? {_DATED} : '' + {_DAY}"
    dates = f"{place} % {step} == 0 ? {_DATED} : ''"
    here = f"datum.value == '{today}'"
    return {
        "field": "day",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": [day.isoformat() for day in days], "paddingInner": 0.15},
        "axis": {
            "title": None,
            "labelAngle": 0,
            "labelOverlap": False,
            "labelFlush": False,
            "ticks": False,
            "labelExpr": f"width >= {count * _NUMBER_WIDE} ? ({numbers}) : ({dates})",
            "labelColor": {"condition": {"test": here, "value": INK}, "value": SOFT},
            "labelFontWeight": {"condition": {"test": here, "value": "bold"}, "value": "normal"},
        },
    }


def _today(days: Sequence[date], today: date | None) -> list[Spec]:
    """A light ground behind the day that goes on, with its name above."""
    if today is None or today not in days:
        return []
    data: Spec = {"values": [{"day": today.isoformat()}]}
    text: Spec = {
        "type": "text",
        "text": "today",
        "baseline": "bottom",
        "dy": -3,
        # At the end there is no room for half of it.
        "align": "right" if today in days[-2:] else "center",
        "color": SOFT,
    }
    return [
        {"data": data, "mark": {"type": "rect", "color": GRID}},
        {"data": data, "mark": text, "encoding": {"y": {"value": 0}}},
    ]


def _month_starts(days: Sequence[date]) -> list[Spec]:
    """A line where a month begins that is not the first."""
    starts = [{"day": day.isoformat()} for day in days[1:] if day.day == 1]
    if not starts:
        return []
    edge: Spec = {"x": {"field": "day", "type": "ordinal", "bandPosition": 0}}
    mark: Spec = {"type": "rule", "color": LINE, "strokeDash": [3, 3]}
    return [{"data": {"values": starts}, "mark": mark, "encoding": edge}]
