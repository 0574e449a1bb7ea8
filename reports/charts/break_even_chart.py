"""Where a pool begins to pay, as Vega-Lite: its cost in steps of machines, the API's line, us now.

A pure function of data. Amounts become floats here, for drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from reports.charts.chart_frame import HALF, Spec, framed
from reports.charts.palette import GOOD, INK, OWN, SOFT

_MILLION: Final = 10**6
_TOKENS: Final = {
    "field": "tokens",
    "type": "quantitative",
    "title": "M tokens a month",
    "format": ",.1f",
}
_COST: Final = {"field": "cost", "type": "quantitative", "format": ",.2f"}
_READABLE: Final = "datum.value >= 10000 ? format(datum.value, '~s') : format(datum.value, ',.2~f')"
_TOKENS_READABLE: Final = (
    "datum.value >= 1000 ? format(datum.value / 1000, ',.2~f') + ' B'"
    " : datum.value ? format(datum.value, ',.2~f') + ' M' : '0'"
)
"""Of millions of tokens."""
_BEYOND: Final = 1.15
_LEFT_OF: Final = 0.6
"""Of the width: a label beyond it is written to the left."""


@dataclass(frozen=True, slots=True)
class Stair:
    """So many machines: what a month of them costs, and how many tokens they can do in it."""

    machines: int
    cost: Fraction
    up_to: int | None
    """None: it is not known what they can do."""


@dataclass(frozen=True, slots=True)
class BreakEvenLines:
    """What the chart is of. Tokens are of a month of 730 hours, of the pool's own mix."""

    stairs: Sequence[Stair]
    """At least one."""
    price: Fraction
    """What the API asks for a token."""
    now: int
    even: int | None
    """From so many on the pool costs no more; None: never."""
    currency: str
    api: str
    colour: str
    """Of the API's line."""


def break_even_chart(of: BreakEvenLines) -> Spec:
    """The specification, data included."""
    most = _most(of)
    stairs = _staircase(of, most)
    top = max(float(of.price) * most, *(each["cost"] for each in stairs), 0.01) * 1.08
    asked: list[dict[str, Any]] = [
        {"tokens": 0, "cost": 0},
        {"tokens": _m(most), "cost": float(of.price) * most},
    ]
    layers: list[Spec] = []
    first = of.stairs[0].up_to
    if first is not None and first < most:
        layers.append(_upright(_m(first), SOFT, [2, 3]))
        layers.append(_label(_m(first), top, "one machine is full", most, SOFT))
    layers += [
        _line(asked, of.colour, of.api, of.currency, [6, 3], "linear"),
        _line(stairs, OWN, "This pool", of.currency, None, "step-after"),
        _upright(_m(of.now), INK, None),
        _label(_m(of.now), top * 0.92, "we are here", most, INK, bold=True),
    ]
    if of.even is not None and of.even <= most:
        at = {"tokens": _m(of.even), "cost": float(of.price) * of.even}
        layers.append(_point(at, of.currency))
        layers.append(_label_of_even(at, most, top))
    x = {
        "field": "tokens",
        "type": "quantitative",
        "scale": {"domain": [0, _m(most)], "nice": False},
        "axis": {"title": "Tokens a month", "labelExpr": _TOKENS_READABLE, "tickCount": 6},
    }
    y = {
        "field": "cost",
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {"title": f"{of.currency} a month", "labelExpr": _READABLE},
    }
    return framed({"layer": layers, "encoding": {"x": x, "y": y}}, width=HALF, height=300)


def _most(of: BreakEvenLines) -> float:
    """Where the axis ends: beyond where we are, and where it is even or a machine is full."""
    first = of.stairs[0].up_to
    marks = [of.now * _BEYOND, (of.even or 0) * _BEYOND, (first or 0) * _BEYOND]
    known = [each.up_to for each in of.stairs if each.up_to is not None]
    most = max(*marks, 1.0)
    return min(most, float(known[-1])) if known and known[-1] > of.now else most


def _staircase(of: BreakEvenLines, most: float) -> list[dict[str, Any]]:
    points = []
    begins = 0.0
    for each in of.stairs:
        if begins > most:
            break
        points.append({"tokens": _m(begins), "cost": float(each.cost), "machines": each.machines})
        if each.up_to is None:
            begins = most
            break
        begins = float(each.up_to)
    last = points[-1]
    points.append({**last, "tokens": _m(min(max(begins, last["tokens"] * _MILLION), most))})
    return points


def _line(
    values: list[dict[str, Any]],
    colour: str,
    name: str,
    currency: str,
    dash: list[int] | None,
    shape: str,
) -> Spec:
    mark: dict[str, Any] = {
        "type": "line",
        "color": colour,
        "strokeWidth": 2.5,
        "interpolate": shape,
        "clip": True,
    }
    if dash is not None:
        mark["strokeDash"] = dash
    told = [
        _TOKENS,
        {**_COST, "title": f"{name}, {currency}"},
    ]
    return {"data": {"values": values}, "mark": mark, "encoding": {"tooltip": told}}


def _upright(at: float, colour: str, dash: list[int] | None) -> Spec:
    mark: dict[str, Any] = {"type": "rule", "color": colour, "strokeWidth": 1.5}
    if dash is not None:
        mark["strokeDash"] = dash
    return {
        "data": {"values": [{"tokens": at}]},
        "mark": mark,
        "encoding": {"x": {"field": "tokens", "type": "quantitative"}, "y": None},
    }


def _point(at: dict[str, float], currency: str) -> Spec:
    told = [
        _TOKENS,
        {
            "field": "cost",
            "type": "quantitative",
            "title": f"Break-even, {currency}",
            "format": ",.2f",
        },
    ]
    return {
        "data": {"values": [at]},
        "mark": {"type": "point", "color": GOOD, "filled": True, "opacity": 1, "size": 110},
        "encoding": {"tooltip": told},
    }


def _label(
    at: float,
    height: float,
    text: str,
    most: float,
    colour: str,
    *,
    bold: bool = False,
    dy: int = 0,
) -> Spec:
    left = at > _LEFT_OF * _m(most)
    mark = {
        "type": "text",
        "text": text,
        "align": "right" if left else "left",
        "dx": -6 if left else 6,
        "dy": dy,
        "color": colour,
        "fontWeight": "bold" if bold else "normal",
        "baseline": "top" if not dy else "middle",
    }
    return {"data": {"values": [{"tokens": at, "cost": height}]}, "mark": mark}


def _label_of_even(at: dict[str, float], most: float, top: float) -> Spec:
    """Where neither line runs: below and right of the point, or above and left of it."""
    below = at["tokens"] < _LEFT_OF * _m(most) and at["cost"] > top / 8
    label = _label(at["tokens"], at["cost"], "break-even", most, GOOD, bold=True, dy=-12)
    if below:
        label["mark"] |= {"align": "left", "dx": 8, "dy": 16}
    elif at["tokens"] > _m(most) / 4:
        label["mark"] |= {"align": "right", "dx": -8}
    return label


def _m(tokens: float) -> float:
    return float(tokens) / _MILLION
