"""What was heard over time, by what became of it, as Vega-Lite. A pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.charts.chart_frame import Spec, framed
from reports.charts.palette import ACCENT, BAD, IDLE, PAPER, WARN
from reports.charts.time_axis import time_axis

HUES: Final = {
    "refused": BAD,
    "duplicates": WARN,
    "no calls": IDLE,
    "calls": ACCENT,
}
"""From the top of the stack."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of time; ``name`` is what the axis calls it, and no two have the same."""

    name: str
    counts: dict[str, int]
    """By the names of HUES."""


def heard_stack(stretches: Sequence[Heard], *, piece: str, height: int = 220) -> Spec:
    """A bar a stretch; ``piece`` is how long one is, for the axis: ``minute``, ``2 hours``."""
    names = [each.name for each in stretches]
    spec: Spec = {
        "data": {
            "values": [
                {"at": each.name, "became": became, "count": count, "place": -place}
                for each in stretches
                for place, became in enumerate(HUES)
                if (count := each.counts[became])
            ]
        },
        "mark": {"type": "bar", "stroke": PAPER, "strokeWidth": 0.5},
        "encoding": {
            "x": {
                "field": "at",
                "type": "ordinal",
                "sort": None,
                "scale": {"domain": names, "paddingInner": 0.1},
                "axis": time_axis(names),
            },
            "y": {
                "field": "count",
                "type": "quantitative",
                "stack": "zero",
                "axis": {"title": f"Heard, per {piece}", "format": "~s"},
            },
            "color": {
                "field": "became",
                "type": "nominal",
                "scale": {"domain": list(HUES), "range": list(HUES.values())},
            },
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [
                {"field": "at", "type": "nominal", "title": "From"},
                {"field": "became", "type": "nominal", "title": "What they were"},
                {"field": "count", "type": "quantitative", "title": "How many", "format": ","},
            ],
        },
    }
    return framed(spec, height=height)
