"""A waterfall: from one amount to another, step by step, as Vega-Lite. A pure function of data.

Each bar begins where the one before it ends, so that bars add up. They lie, as names of steps are
long; each says its amount in figures, so that no colour tells what nothing else does. Amounts
become floats here, for drawing; what is written in numbers is written exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from reports.charts.chart_frame import Spec, framed
from reports.charts.palette import ACCENT, BAD, GOOD, LINE, PAPER, SOFT
from spend.money import EXACT

ROW: Final = 32
"""Pixels from one bar to the next."""
_FIGURES: Final = 0.5
"""Of the width of all bars, to their right: where the figures stand."""
_CUT_BELOW: Final = 4
"""Where all bars are so many times as long as what moves, they begin later."""
_COLOURS: Final = {"whole": ACCENT, "more": BAD, "less": GOOD}


@dataclass(frozen=True, slots=True)
class Step:
    """A bar: an amount that stands by itself, or a change of the one before."""

    name: str
    """Short: it stands beside the bar."""
    amount: Decimal
    told: str
    """The amount, as it is read."""
    whole: bool = False
    """Whether it begins at 0: where it starts, and where it ends up."""


@dataclass(frozen=True, slots=True)
class _Bar:
    step: Step
    start: Decimal
    end: Decimal

    @property
    def kind(self) -> str:
        if self.step.whole:
            return "whole"
        return "more" if self.step.amount >= 0 else "less"


def waterfall(steps: Sequence[Step], *, currency: str) -> Spec:
    """The specification; ``steps`` from the top, the first of them whole."""
    bars = _bars(steps)
    low, high = _bounds(bars)
    drawn = [_drawn(bar, low) for bar in bars]
    joints = [
        {"at": float(bar.end), "name": bar.step.name, "next": following.step.name}
        for bar, following in pairwise(bars)
    ]
    names = [step.name for step in steps]
    top = high + (high - low) * _FIGURES
    spec: Spec = {
        "layer": [
            _joints(joints, names),
            _shapes(drawn, currency),
            *([_cuts([each for each in drawn if each["cut"]])] if low > 0 else []),
            _figures(drawn),
        ],
        "encoding": {
            "y": {
                "field": "name",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": names, "paddingInner": 0.3, "paddingOuter": 0.15},
                "axis": {
                    "title": None,
                    "grid": False,
                    "labelLimit": 150,
                    "labelOverlap": False,
                    "labelPadding": 6,
                },
            },
            "x": {
                "field": "start",
                "type": "quantitative",
                "scale": {"domain": [low, top], "nice": False, "zero": False},
                "axis": None,
            },
        },
    }
    return framed(spec, width=560, height=ROW * len(steps))


def _bars(steps: Sequence[Step]) -> list[_Bar]:
    bars: list[_Bar] = []
    for step in steps:
        before = bars[-1].end if bars and not step.whole else Decimal(0)
        bars.append(_Bar(step, before, EXACT.add(before, step.amount)))
    return bars


def _bounds(bars: Sequence[_Bar]) -> tuple[float, float]:
    """Where bars begin and end; later than at 0, where steps would be too small to be seen."""
    marks = [float(bar.end) for bar in bars]
    low, high = min(0.0, *marks), max(0.0, *marks)
    moved = max(marks) - min(marks)
    if min(marks) > 0 and moved * _CUT_BELOW < high:
        low = min(marks) - (moved or min(marks))
    return low, high if high > low else low + 1


def _drawn(bar: _Bar, low: float) -> dict[str, Any]:
    start, end = float(bar.start), float(bar.end)
    return {
        "name": bar.step.name,
        "start": max(start, low),
        "end": end,
        "right": max(start, end),
        "kind": bar.kind,
        "told": bar.step.told,
        "cut": bar.step.whole and low > 0,
    }


def _joints(joints: list[dict[str, Any]], names: Sequence[str]) -> Spec:
    """Thin lines from the end of a bar to the next one."""
    return {
        "data": {"values": joints},
        "mark": {"type": "rule", "color": LINE, "strokeWidth": 1},
        "encoding": {
            "x": {"field": "at", "type": "quantitative"},
            "y": {"field": "name", "scale": {"domain": list(names)}, "bandPosition": 0.5},
            "y2": {"field": "next", "bandPosition": 0.5},
        },
    }


def _shapes(drawn: list[dict[str, Any]], currency: str) -> Spec:
    return {
        "data": {"values": drawn},
        "mark": {"type": "bar", "cornerRadius": 1},
        "encoding": {
            "x2": {"field": "end"},
            "color": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": list(_COLOURS), "range": list(_COLOURS.values())},
            },
            "tooltip": [
                {"field": "name", "type": "nominal", "title": "Step"},
                {"field": "told", "type": "nominal", "title": currency},
            ],
        },
    }


def _cuts(whole: list[dict[str, Any]]) -> Spec:
    """Marks of bars that do not begin at 0."""
    return {
        "data": {"values": whole},
        "mark": {
            "type": "text",
            "text": "//",
            "color": PAPER,
            "fontWeight": "bold",
            "fontSize": 15,
            "align": "left",
            "dx": 8,
        },
    }


def _figures(drawn: list[dict[str, Any]]) -> Spec:
    return {
        "data": {"values": drawn},
        "mark": {"type": "text", "align": "left", "dx": 6, "color": SOFT, "fontSize": 12},
        "encoding": {"x": {"field": "right"}, "text": {"field": "told"}},
    }
