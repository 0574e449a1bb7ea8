"""What a question of spend came to, as bars: by week or month, or one bar for each group.

A pure function of data. Amounts become floats here, for drawing.
"""

from collections.abc import Sequence
from typing import Any, Final

from reports.charts.chart_frame import FIGURE, Spec, framed
from reports.charts.palette import PAPER
from reports.charts.spend_chart import Part

_ROW: Final = 30
"""Pixels that a bar lying on its side takes."""


def stack(labels: Sequence[str], parts: Sequence[Part], *, unit: str, of: str, digits: str) -> Spec:
    """Bars that stand for stretches of time; the first of ``parts`` is on top, as in the legend.

    ``unit`` is what is measured, ``digits`` how d3-format writes it, ``of`` what the parts are.
    """
    across: Spec = {
        "field": "label",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": list(labels), "paddingInner": 0.15},
        "axis": {"title": None, "labelAngle": 0, "labelOverlap": "parity", "ticks": False},
    }
    up: Spec = {
        "field": "value",
        "type": "quantitative",
        "stack": "zero",
        "axis": {"title": unit, "labelExpr": FIGURE},
    }
    coded = _coded(parts, unit=unit, of=of, digits=digits, label="Time")
    return framed(
        {
            "data": {"values": _values(labels, parts, first_on_top=True)},
            "mark": {"type": "bar", "stroke": PAPER, "strokeWidth": 0.5},
            "encoding": {"x": across, "y": up, **coded},
        }
    )


def ranked(
    labels: Sequence[str], parts: Sequence[Part], *, unit: str, of: str, digits: str
) -> Spec:
    """Bars that lie, one for each label, in their order; the first of ``parts`` is at the left."""
    along: Spec = {
        "field": "value",
        "type": "quantitative",
        "stack": "zero",
        "axis": {
            "title": unit,
            "labelExpr": FIGURE,
            "grid": True,
            "domain": False,
            "ticks": False,
            "tickCount": 5,
        },
    }
    down: Spec = {
        "field": "label",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": list(labels), "paddingInner": 0.3},
        "axis": {
            "title": None,
            "labelLimit": 150,
            "grid": False,
            "labelOverlap": False,
        },
    }
    coded = _coded(parts, unit=unit, of=of, digits=digits, label="Group")
    return framed(
        {
            "data": {"values": _values(labels, parts, first_on_top=False)},
            "mark": {"type": "bar", "stroke": PAPER, "strokeWidth": 0.5},
            "encoding": {"x": along, "y": down, **coded},
        },
        height=max(len(labels), 2) * _ROW + 40,
    )


def _values(
    labels: Sequence[str], parts: Sequence[Part], *, first_on_top: bool
) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "part": part.name,
            "value": float(amount),
            "place": -place if first_on_top else place,
        }
        for place, part in enumerate(parts)
        for label, amount in zip(labels, part.amounts, strict=True)
        if amount
    ]


def _coded(parts: Sequence[Part], *, unit: str, of: str, digits: str, label: str) -> Spec:
    value = {"field": "value", "type": "quantitative", "title": unit, "format": digits}
    return {
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
            {"field": "label", "type": "nominal", "title": label},
            {"field": "part", "type": "nominal", "title": of},
            value,
        ],
    }
