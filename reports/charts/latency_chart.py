"""Latency over time as Vega-Lite: half of the calls, and nineteen in twenty. A pure function."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.chart_frame import FIGURE, Spec, framed
from reports.charts.palette import ACCENT, WARN
from reports.charts.time_axis import time_axis

P50_HUE, P95_HUE = ACCENT, WARN


@dataclass(frozen=True, slots=True)
class Moment:
    """A piece of time; what was not measured is None."""

    name: str
    """As the axis has it; no two have the same."""
    calls: int
    p50_ms: float | None
    p95_ms: float | None


def latency_lines(moments: Sequence[Moment], *, height: int = 240) -> Spec:
    """p50 and p95 in seconds, a gap where nothing was measured."""
    values = [
        {
            "at": each.name,
            "share": share,
            "seconds": None if ms is None else round(ms / 1000, 4),
            "calls": each.calls,
        }
        for each in moments
        for share, ms in (("p95", each.p95_ms), ("p50", each.p50_ms))
    ]
    names = [each.name for each in moments]
    spec: Spec = {
        "data": {"values": values},
        "mark": {
            "type": "line",
            "strokeWidth": 2,
            "point": {"size": 24},
            "invalid": "break-paths-show-domains",
        },
        "encoding": {
            "x": {
                "field": "at",
                "type": "ordinal",
                "sort": None,
                "scale": {"domain": names, "type": "point", "padding": 0.3},
                "axis": time_axis(names),
            },
            "y": {
                "field": "seconds",
                "type": "quantitative",
                "scale": {"zero": True},
                "axis": {"title": "Latency, seconds", "labelExpr": FIGURE},
            },
            "color": {
                "field": "share",
                "type": "nominal",
                "scale": {"domain": ["p95", "p50"], "range": [P95_HUE, P50_HUE]},
            },
            "tooltip": [
                {"field": "at", "type": "nominal", "title": "From"},
                {"field": "share", "type": "nominal", "title": "Percentile"},
                {"field": "seconds", "type": "quantitative", "title": "Seconds", "format": ",.3~f"},
                {"field": "calls", "type": "quantitative", "title": "Calls", "format": ","},
            ],
        },
    }
    return framed(spec, height=height)
