"""The chart of a budget's period, as Vega-Lite: spent so far, even line, limit, what is expected.

A pure function of data: pages show it, mail and Slack its picture (``reports/pictures.py``). Each
line is named where it ends and has a stroke of its own, so that no colour tells what nothing else
does. Amounts become floats here, for drawing; what is written in numbers is written exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

WIDTH, HEIGHT = 560, 260

_INK, _SOFT, _LINE, _PAPER = "#1d2733", "#66717f", "#d6dbe1", "#ffffff"
_SPENT, _LIMIT = "#2f6299", "#a4462f"
_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
_LABEL_GAP: Final = 15
"""Pixels between the middles of two labels."""
_HEADROOM: Final = 1.08
_MOST_POINTS: Final = 800

Spec = dict[str, Any]
Curve = tuple[tuple[datetime, Decimal], ...]


@dataclass(frozen=True, slots=True)
class BudgetCurve:
    """What a chart is of. Times are by the clock of the budget's zone, without an offset."""

    title: str
    subtitle: str
    starts: datetime
    ends: datetime
    spent: Curve
    """What was spent from the start until a moment, in order; begins with 0 at the start."""
    limit: Decimal | None
    thresholds: tuple[int, ...] = ()
    """Per cent of the limit; 100 is the limit itself."""
    expected: Decimal | None = None
    """At the end; None: nothing is."""
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    at: float
    """In the currency."""
    colour: str
    bold: bool = False


def budget_chart(curve: BudgetCurve) -> Spec:
    """The specification (Vega-Lite 6), data included."""
    top = _top(curve)
    labels = _spaced(_labels(curve), top)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {
            "text": curve.title,
            "subtitle": curve.subtitle,
            "anchor": "start",
            "frame": "group",
            "offset": 14,
            "limit": WIDTH + 80,
            "fontSize": 16,
            "subtitleFontSize": 13,
            "subtitlePadding": 5,
            "color": _INK,
            "subtitleColor": _SOFT,
        },
        "width": WIDTH,
        "height": HEIGHT,
        "background": _PAPER,
        "padding": 16,
        "layer": [
            *_expectation(curve),
            *_bounds(curve, top),
            *_spent(curve),
            *(_shown(each, curve.ends) for each in labels),
        ],
        "encoding": {"x": _x(curve), "y": _y(top)},
        "config": {
            "font": _FONT,
            "view": {"stroke": None},
            "axis": {"labelColor": _SOFT, "labelFontSize": 12, "tickColor": _LINE},
        },
    }


def _top(curve: BudgetCurve) -> float:
    amounts = [amount for _, amount in curve.spent]
    amounts += [each for each in (curve.limit, curve.high, curve.expected) if each is not None]
    return float(max(amounts, default=Decimal(0))) * _HEADROOM or 1.0


def _x(curve: BudgetCurve) -> Spec:
    return {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [_instant(curve.starts), _instant(curve.ends)]},
        "axis": {
            "title": None,
            "grid": False,
            "domainColor": _LINE,
            "format": _format(curve),
            "tickCount": 7,
            "labelFlush": False,
            "labelOverlap": True,
        },
    }


def _y(top: float) -> Spec:
    return {
        "field": "amount",
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {
            "title": None,
            "domain": False,
            "ticks": False,
            "tickCount": 5,
            "gridColor": "#eef1f4",
            "labelExpr": "datum.value >= 10000 ? format(datum.value, '~s')"
            " : format(datum.value, datum.value < 10 ? ',.3~f' : ',.1~f')",
            "labelPadding": 8,
        },
    }


def _format(curve: BudgetCurve) -> str:
    days = (curve.ends - curve.starts).days
    if days <= 2:  # noqa: PLR2004  # of a day
        return "%H:%M"
    return "%-d %b" if days <= 140 else "%b"  # noqa: PLR2004  # more than a quarter


def _spent(curve: BudgetCurve) -> list[Spec]:
    step = -(-len(curve.spent) // _MOST_POINTS)
    points = [*curve.spent[:-1:step], *curve.spent[-1:]]
    data = _values(points)
    return [
        _layer(data, {"type": "area", "color": _SPENT, "opacity": 0.12}),
        _layer(data, {"type": "line", "color": _SPENT, "strokeWidth": 2.5, "strokeJoin": "round"}),
        _layer(
            data[-1:], {"type": "point", "color": _SPENT, "filled": True, "opacity": 1, "size": 60}
        ),
    ]


def _expectation(curve: BudgetCurve) -> list[Spec]:
    if curve.expected is None or not curve.spent:
        return []
    now, spent = curve.spent[-1]
    parts = []
    if curve.low is not None and curve.high is not None:
        band = [
            {"at": _instant(now), "amount": float(spent), "high": float(spent)},
            {
                "at": _instant(curve.ends),
                "amount": float(max(curve.low, Decimal(0))),
                "high": float(curve.high),
            },
        ]
        parts.append(
            _layer(band, {"type": "area", "color": _SPENT, "opacity": 0.16})
            | {"encoding": {"y2": {"field": "high"}}}
        )
    line = _values([(now, spent), (curve.ends, curve.expected)])
    mark = {"type": "line", "color": _SPENT, "strokeWidth": 2, "strokeDash": [2, 4]}
    return [*parts, _layer(line, mark | {"strokeCap": "round"})]


def _bounds(curve: BudgetCurve, top: float) -> list[Spec]:
    if curve.limit is None:
        return []
    limit = curve.limit
    parts = []
    if limit > 0:
        even = _values([(curve.starts, Decimal(0)), (curve.ends, limit)])
        mark = {"type": "line", "color": _SOFT, "strokeWidth": 1.2, "strokeDash": [7, 4]}
        parts += [_layer(even, mark), _even_rate(curve, limit)]
    for percent in curve.thresholds:
        at = limit * percent / 100
        if percent != 100 and float(at) <= top:  # noqa: PLR2004  # the limit is drawn below
            parts.append(_level(curve, at, {"strokeWidth": 1, "strokeDash": [1, 3]}))
    return [*parts, _level(curve, limit, {"strokeWidth": 2})]


def _even_rate(curve: BudgetCurve, limit: Decimal) -> Spec:
    """The even line's name, on the side of it where nothing else is."""
    at = curve.starts + (curve.ends - curve.starts) * 3 / 4
    reached = curve.expected if curve.expected is not None else curve.spent[-1][1]
    above = reached < limit
    mark = {
        "type": "text",
        "text": "even rate",
        "align": "right" if above else "left",
        "dx": -6 if above else 6,
        "dy": -8 if above else 12,
        "fontSize": 12,
        "color": _SOFT,
    }
    return _layer(_values([(at, limit * 3 / 4)]), mark)


def _level(curve: BudgetCurve, at: Decimal, stroke: Spec) -> Spec:
    ends = _values([(curve.starts, at), (curve.ends, at)])
    return _layer(ends, {"type": "line", "color": _LIMIT, **stroke})


def _labels(curve: BudgetCurve) -> list[_Label]:
    labels = []
    limit = curve.limit
    if limit is not None:
        labels.append(_Label("limit", float(limit), _LIMIT, bold=True))
        labels += [
            _Label(f"{percent} %", float(limit * percent / 100), _LIMIT)
            for percent in curve.thresholds
            if percent != 100  # noqa: PLR2004  # is the limit
        ]
    if curve.expected is not None:
        labels.append(_Label("expected", float(curve.expected), _SPENT, bold=True))
    return labels


def _spaced(labels: Sequence[_Label], top: float) -> list[tuple[_Label, float]]:
    """Labels and where they stand: each at its line, or close by where they would overlap."""
    gap = _LABEL_GAP * top / HEIGHT
    heaps: list[list[_Label]] = []
    for label in sorted((each for each in labels if each.at <= top), key=lambda each: each.at):
        heaps.append([label])
        while len(heaps) > 1 and _foot(heaps[-1], gap) < _foot(heaps[-2], gap) + gap * len(
            heaps[-2]
        ):
            above = heaps.pop()
            heaps[-1] = heaps[-1] + above
    return [
        (label, _foot(heap, gap) + gap * place)
        for heap in heaps
        for place, label in enumerate(heap)
    ]


def _foot(heap: Sequence[_Label], gap: float) -> float:
    """Where the lowest label of a heap stands, whose middle is in the middle of their lines."""
    return sum(each.at for each in heap) / len(heap) - gap * (len(heap) - 1) / 2


def _shown(placed: tuple[_Label, float], at: datetime) -> Spec:
    label, height = placed
    mark = {
        "type": "text",
        "text": label.text,
        "align": "left",
        "baseline": "middle",
        "dx": 8,
        "fontSize": 12,
        "fontWeight": "bold" if label.bold else "normal",
        "color": label.colour,
    }
    return _layer([{"at": _instant(at), "amount": height}], mark)


def _layer(values: list[Spec], mark: Spec) -> Spec:
    return {"data": {"values": values}, "mark": mark}


def _values(points: Sequence[tuple[datetime, Decimal]]) -> list[Spec]:
    return [{"at": _instant(at), "amount": float(amount)} for at, amount in points]


def _instant(moment: datetime) -> str:
    # As if it were UTC: the chart shows the zone's own clock, on any machine.
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
