"""The chart of a budget's period, as Vega-Lite: spent so far, even line, limit, what is expected.

A pure function of data: pages show it, mail and Slack its picture (``reports/pictures.py``). Each
line is named where it ends and has a stroke of its own, so that no colour tells what nothing else
does. Amounts become floats here, for drawing; what is written in numbers is written exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from reports.charts.chart_frame import FONT, SCHEMA, framed
from reports.charts.end_labels import EndLabel, spaced
from reports.charts.palette import ACCENT, BAD, GRID, INK, LINE, PAPER, SOFT

WIDTH, HEIGHT = 560, 260

_HEADROOM: Final = 1.08
_MOST_POINTS: Final = 800
_WHOLE: Final = 100
_STEPS: Final = 12
_THOUSANDS: Final = 10_000
"""From here on an axis is told in thousands."""

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
class _Drawn:
    """A curve, and whether what is left is drawn instead of what is spent."""

    curve: BudgetCurve
    down: bool = False

    def place(self, amount: Decimal) -> float:
        """Where an amount that is spent stands."""
        if self.down and self.curve.limit is not None:
            return float(self.curve.limit - amount)
        return float(amount)

    def values(self, points: Sequence[tuple[datetime, Decimal]]) -> list[Spec]:
        """Points of a line."""
        return [{"at": _instant(at), "amount": self.place(amount)} for at, amount in points]

    @property
    def domain(self) -> tuple[float, float]:
        """From the lowest to the highest that is drawn, with some room."""
        curve = self.curve
        amounts = [Decimal(0), *(amount for _, amount in curve.spent)]
        amounts += [each for each in (curve.limit, curve.high, curve.expected) if each is not None]
        places = [self.place(each) for each in amounts]
        top = max(places) * _HEADROOM or 1.0
        return min(min(places) * _HEADROOM, 0.0), top


def budget_chart(curve: BudgetCurve) -> Spec:
    """A picture that stands alone, titles included: the specification (Vega-Lite 6)."""
    drawn = _Drawn(curve)
    return {
        "$schema": SCHEMA,
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
            "color": INK,
            "subtitleColor": SOFT,
        },
        "width": WIDTH,
        "height": HEIGHT,
        "background": PAPER,
        "padding": 16,
        "layer": _layers(drawn, HEIGHT),
        "encoding": {"x": _x(curve), "y": _y(drawn.domain)},
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelColor": SOFT, "labelFontSize": 12, "tickColor": LINE},
        },
    }


def budget_page_chart(
    curve: BudgetCurve, *, currency: str, down: bool = False, height: int = 300
) -> Spec:
    """The same for a page, which says itself what it is of; ``down``: what is left of the limit."""
    drawn = _Drawn(curve, down and curve.limit is not None)
    said = "left" if drawn.down else "spent"
    y = _y(drawn.domain)
    y["axis"] = y["axis"] | {"title": f"{said}, {currency}", "titlePadding": 10}
    points = drawn.values(_thinned(curve.spent))
    told = {
        "mark": {"type": "point", "size": 140, "opacity": 0, "filled": True, "color": ACCENT},
        "data": {"values": points},
        "encoding": {
            "tooltip": [
                {"field": "at", "type": "temporal", "title": "by", "format": "%-d %b, %H:%M"},
                {"field": "amount", "title": f"{said}, {currency}", "format": ",.2f"},
            ]
        },
    }
    return framed(
        {"layer": [*_layers(drawn, height), told], "encoding": {"x": _x(curve), "y": y}},
        height=height,
    )


def _layers(drawn: _Drawn, height: int) -> list[Spec]:
    labels = spaced(_labels(drawn), drawn.domain, height)
    return [
        *_expectation(drawn),
        *_bounds(drawn),
        *_spent(drawn),
        *(_shown(label, at, drawn.curve.ends) for label, at in labels),
    ]


def _x(curve: BudgetCurve) -> Spec:
    return {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [_instant(curve.starts), _instant(curve.ends)]},
        "axis": {
            "title": None,
            "grid": False,
            "domainColor": LINE,
            "format": _format(curve),
            "tickCount": 7,
            "labelFlush": False,
            "labelOverlap": True,
        },
    }


def _y(domain: tuple[float, float]) -> Spec:
    return {
        "field": "amount",
        "type": "quantitative",
        "scale": {"domain": list(domain), "nice": False},
        "axis": {
            "title": None,
            "domain": False,
            "ticks": False,
            "tickCount": 5,
            "gridColor": GRID,
            "labelExpr": "format(datum.value, '~s')"
            if domain[1] >= _THOUSANDS
            else "format(datum.value, abs(datum.value) < 10 ? ',.3~f' : ',.1~f')",
            "labelPadding": 8,
        },
    }


def _format(curve: BudgetCurve) -> str:
    days = (curve.ends - curve.starts).days
    if days <= 2:  # noqa: PLR2004  # of a day
        return "%H:%M"
    return "%-d %b" if days <= 140 else "%b"  # noqa: PLR2004  # more than a quarter


def _thinned(spent: Curve) -> list[tuple[datetime, Decimal]]:
    step = -(-len(spent) // _MOST_POINTS)
    return [*spent[:-1:step], *spent[-1:]]


def _spent(drawn: _Drawn) -> list[Spec]:
    data = drawn.values(_thinned(drawn.curve.spent))
    return [
        _layer(data, {"type": "area", "color": ACCENT, "opacity": 0.12}),
        _layer(data, {"type": "line", "color": ACCENT, "strokeWidth": 2.5, "strokeJoin": "round"}),
        _layer(
            data[-1:], {"type": "point", "color": ACCENT, "filled": True, "opacity": 1, "size": 60}
        ),
    ]


def _expectation(drawn: _Drawn) -> list[Spec]:
    curve = drawn.curve
    if curve.expected is None or not curve.spent:
        return []
    now, spent = curve.spent[-1]
    line = drawn.values([(now, spent), (curve.ends, curve.expected)])
    parts = []
    if curve.low is not None and curve.high is not None:
        band = [
            {"at": _instant(at), "amount": drawn.place(low), "high": drawn.place(high)}
            for at, low, high in _fan(now, spent, curve, (curve.low, curve.expected, curve.high))
        ]
        mark = {"type": "area", "color": ACCENT, "opacity": 0.16}
        parts.append(_layer(band, mark) | {"encoding": {"y2": {"field": "high"}}})
    mark = {"type": "line", "color": ACCENT, "strokeWidth": 2, "strokeDash": [2, 4]}
    return [*parts, _layer(line, mark | {"strokeCap": "round"})]


def _fan(
    now: datetime, spent: Decimal, curve: BudgetCurve, end: tuple[Decimal, Decimal, Decimal]
) -> Iterator[tuple[datetime, Decimal, Decimal]]:
    """The band until the end: moments, and low and high at each.

    It widens as the root of how much has come, as each day's does
    (``spend/forecasts/forecast_points.py``).
    """
    low, expected, high = end
    for step in range(_STEPS + 1):
        part, wide = Decimal(step) / _STEPS, (Decimal(step) / _STEPS).sqrt()
        middle = spent + (expected - spent) * part
        at = now + (curve.ends - now) * step / _STEPS
        yield at, max(spent, middle - (expected - low) * wide), middle + (high - expected) * wide


def _bounds(drawn: _Drawn) -> list[Spec]:
    curve = drawn.curve
    limit = curve.limit
    if limit is None:
        return []
    parts = []
    if limit > 0:
        even = drawn.values([(curve.starts, Decimal(0)), (curve.ends, limit)])
        mark = {"type": "line", "color": SOFT, "strokeWidth": 1.2, "strokeDash": [7, 4]}
        parts += [_layer(even, mark), _even_rate(drawn, limit)]
    bottom, top = drawn.domain
    for percent in curve.thresholds:
        at = limit * percent / _WHOLE
        if percent != _WHOLE and bottom <= drawn.place(at) <= top:
            parts.append(_level(drawn, at, {"strokeWidth": 1, "strokeDash": [1, 3]}))
    return [*parts, _level(drawn, limit, {"strokeWidth": 2})]


def _even_rate(drawn: _Drawn, limit: Decimal) -> Spec:
    """The even line's name, on the side of it where nothing else is."""
    curve = drawn.curve
    at = curve.starts + (curve.ends - curve.starts) * 3 / 4
    reached = curve.expected if curve.expected is not None else curve.spent[-1][1]
    above = (reached < limit) != drawn.down
    left = above != drawn.down
    mark = {
        "type": "text",
        "text": "even rate",
        "align": "right" if left else "left",
        "dx": -6 if left else 6,
        "dy": -8 if above else 12,
        "fontSize": 12,
        "color": SOFT,
    }
    return _layer(drawn.values([(at, limit * 3 / 4)]), mark)


def _level(drawn: _Drawn, at: Decimal, stroke: Spec) -> Spec:
    ends = drawn.values([(drawn.curve.starts, at), (drawn.curve.ends, at)])
    return _layer(ends, {"type": "line", "color": BAD, **stroke})


def _labels(drawn: _Drawn) -> list[EndLabel]:
    labels, curve = [], drawn.curve
    limit = curve.limit
    if limit is not None:
        last = "nothing left" if drawn.down else "limit"
        labels.append(EndLabel(last, drawn.place(limit), BAD, bold=True))
        labels += [
            EndLabel(f"{percent} %", drawn.place(limit * percent / _WHOLE), BAD)
            for percent in curve.thresholds
            if percent != _WHOLE
        ]
    if curve.expected is not None:
        labels.append(EndLabel("expected", drawn.place(curve.expected), ACCENT, bold=True))
    return labels


def _shown(label: EndLabel, height: float, at: datetime) -> Spec:
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


def _instant(moment: datetime) -> str:
    # As if it were UTC: the chart shows the zone's own clock, on any machine.
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
