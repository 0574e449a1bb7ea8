"""Cost against latency as Vega-Lite: a point a model, and the line of those that nothing beats.

A pure function of data. A model is on the frontier where no other is both cheaper and faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log10, pi, sqrt
from typing import Any, Final

from reports.charts.chart_frame import Spec, framed
from reports.charts.palette import INK, PAPER, SOFT

_LOG_FROM: Final = 20.0
"""Times the smallest, from which on an axis is logarithmic."""
_NARROW: Final = 620
"""Pixels of the plot for which labels are placed: what does not collide there does not where there
is more room. Below it points are numbered, as in the table."""
_LETTER, _LINE_HIGH = 6.3, 14.0
_SMALLEST, _LARGEST = 60.0, 900.0
"""Square pixels of a point."""


@dataclass(frozen=True, slots=True)
class Point:
    """A model."""

    name: str
    provider: str
    """As people call it."""
    colour: str
    cost: float
    """Of a call, or of a million tokens; above 0."""
    latency_ms: float
    """Above 0."""
    calls: int


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    is_log: bool

    def at(self, value: float) -> float:
        """Where a value lies, 0 to 1."""
        if self.is_log:
            return (log(value) - log(self.low)) / (log(self.high) - log(self.low))
        return (value - self.low) / (self.high - self.low)

    @property
    def scale(self) -> dict[str, Any]:
        """As Vega-Lite has it."""
        return {
            "type": "log" if self.is_log else "linear",
            "domain": [self.low, self.high],
            "nice": False,
        }

    @property
    def ticks(self) -> dict[str, Any]:
        """Of a logarithmic one 1, 2 and 5 of each power of ten: no thicket of lines."""
        if not self.is_log:
            return {"tickCount": 6}
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        found = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
        return {"values": [each for each in found if self.low <= each <= self.high]}


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "_Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: "_Box") -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def frontier(points: Sequence[Point]) -> list[Point]:
    """Those that no other beats in both, cheapest first."""
    found: list[Point] = []
    for each in sorted(points, key=lambda one: (one.cost, one.latency_ms)):
        if not found or each.latency_ms < found[-1].latency_ms:
            found.append(each)
    return found


def frontier_chart(
    points: Sequence[Point], *, cost_title: str, latency_title: str, height: int = 420
) -> Spec:
    """``points`` in the order in which the table numbers them; some."""
    x = _axis([each.cost for each in points])
    y = _axis([each.latency_ms / 1000 for each in points])
    most = max(each.calls for each in points)
    best = frontier(points)
    sides = _placed(points, x, y, most, height)
    rows = [
        {**_row(each, most, is_best=each in best), "number": str(place + 1), "side": sides[place]}
        for place, each in enumerate(points)
    ]
    line = [{"cost": each.cost, "latency": each.latency_ms / 1000} for each in best]
    position = {
        "x": {
            "field": "cost",
            "type": "quantitative",
            "scale": x.scale,
            "axis": {"title": cost_title, "format": "~r", "grid": True, **x.ticks},
        },
        "y": {
            "field": "latency",
            "type": "quantitative",
            "scale": y.scale,
            "axis": {"title": latency_title, "format": "~r", **y.ticks},
        },
    }
    spec: Spec = {
        "layer": [
            {
                "data": {"values": line},
                "mark": {"type": "line", "stroke": SOFT, "strokeDash": [5, 4], "strokeWidth": 1.5},
                "encoding": {**position, "order": {"field": "cost", "type": "quantitative"}},
            },
            _circles(rows, position, cost_title, latency_title),
            *_labels(rows, position),
        ],
    }
    return framed(spec, height=height)


def _row(point: Point, most: int, *, is_best: bool) -> dict[str, Any]:
    return {
        "name": point.name,
        "provider": point.provider,
        "colour": point.colour,
        "cost": point.cost,
        "latency": point.latency_ms / 1000,
        "calls": point.calls,
        "size": _size(point.calls, most),
        "best": is_best,
    }


def _circles(
    rows: Sequence[dict[str, Any]], position: dict[str, Any], cost_title: str, latency_title: str
) -> dict[str, Any]:
    return {
        "data": {"values": list(rows)},
        "mark": {"type": "circle", "stroke": PAPER, "strokeWidth": 1, "opacity": 0.9},
        "encoding": {
            **position,
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "size": {"field": "size", "type": "quantitative", "scale": None},
            "tooltip": [
                {"field": "name", "type": "nominal", "title": "Model"},
                {"field": "provider", "type": "nominal", "title": "Provider"},
                _told("cost", cost_title, ",.4~r"),
                _told("latency", latency_title, ",.3~r"),
                _told("calls", "Calls", ","),
            ],
        },
    }


def _told(name: str, title: str, written: str) -> dict[str, str]:
    return {"field": name, "type": "quantitative", "title": title, "format": written}


_SIDES: Final = {
    "right": ("left", "middle", 1, 0),
    "left": ("right", "middle", -1, 0),
    "above": ("center", "bottom", 0, -1),
    "below": ("center", "top", 0, 1),
}
"""Where a label stands -> its align, its baseline, and which way from the point."""


def _labels(rows: Sequence[dict[str, Any]], position: dict[str, Any]) -> list[dict[str, Any]]:
    """Names, each on its side; numbers on narrow plots, and where no side has room for a name."""
    named = []
    for row in rows:
        if row["side"] is not None:
            align, baseline, right, down = _SIDES[row["side"]]
            away = sqrt(row["size"] / pi) + 4
            at = {"align": align, "baseline": baseline, "dx": right * away, "dy": down * away}
            named.append({**row, **at, "weight": "bold" if row["best"] else "normal"})
    own = ("align", "baseline", "dx", "dy")
    names = {
        "type": "text",
        "fill": INK,
        "fontWeight": {"expr": "datum.weight"},
        "opacity": {"expr": f"width < {_NARROW} ? 0 : 1"},
        **{name: {"expr": f"datum.{name}"} for name in own},
    }
    numbers = {
        "type": "text",
        "fill": INK,
        "dy": -16,
        "opacity": {"expr": f"width < {_NARROW} || !datum.side ? 1 : 0"},
    }
    return [
        {
            "data": {"values": values},
            "mark": mark,
            "encoding": {**position, "text": {"field": field, "type": "nominal"}},
        }
        for values, mark, field in ((named, names, "name"), (list(rows), numbers, "number"))
    ]


def _placed(
    points: Sequence[Point], x: _Axis, y: _Axis, most: int, height: int
) -> list[str | None]:
    """On which side of its point each label stands; None: on none, as all are taken."""
    centres = [
        (x.at(each.cost) * _NARROW, (1 - y.at(each.latency_ms / 1000)) * (height - 60))
        for each in points
    ]
    radii = [sqrt(_size(each.calls, most) / pi) for each in points]
    taken = [
        _Box(left - radius, top - radius, left + radius, top + radius)
        for (left, top), radius in zip(centres, radii, strict=True)
    ]
    sides: list[str | None] = []
    for place, each in enumerate(points):
        chosen = None
        for side in _SIDES:
            box = _box(side, centres[place], radii[place] + 4, len(each.name) * _LETTER)
            if _Box(0, 0, _NARROW, height - 60).holds(box) and not any(
                box.meets(other) for at, other in enumerate(taken) if at != place
            ):
                chosen = side
                taken.append(box)
                break
        sides.append(chosen)
    return sides


def _box(side: str, centre: tuple[float, float], away: float, wide: float) -> _Box:
    left, top = centre
    if side == "right":
        return _Box(left + away, top - _LINE_HIGH / 2, left + away + wide, top + _LINE_HIGH / 2)
    if side == "left":
        return _Box(left - away - wide, top - _LINE_HIGH / 2, left - away, top + _LINE_HIGH / 2)
    if side == "above":
        return _Box(left - wide / 2, top - away - _LINE_HIGH, left + wide / 2, top - away)
    return _Box(left - wide / 2, top + away, left + wide / 2, top + away + _LINE_HIGH)


def _axis(values: Sequence[float]) -> _Axis:
    low, high = min(values), max(values)
    if high > _LOG_FROM * low:
        return _Axis(low / 1.8, high * 1.8, is_log=True)
    return _Axis(0.0, high * 1.12, is_log=False)


def _size(calls: int, most: int) -> float:
    return round(_SMALLEST + (_LARGEST - _SMALLEST) * calls / most, 1)
