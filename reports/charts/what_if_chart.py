"""What calls cost, and what they would have cost elsewhere, as bars beside each other (Vega-Lite).

A pure function of data. Amounts become floats here, for drawing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.charts.chart_frame import FIGURE, Spec, framed

_BAR: Final = 18
_GAP: Final = 16


@dataclass(frozen=True, slots=True)
class Side:
    """A colour: what it is called, and its amount of each group; None is not known."""

    name: str
    colour: str
    amounts: Mapping[str, Decimal | None]


def beside_each_other(groups: Sequence[str], sides: Sequence[Side], *, currency: str) -> Spec:
    """Bars from the left, ``groups`` from the top, in each of them ``sides`` from the top."""
    values = [
        {"group": group, "side": side.name, "cost": float(amount)}
        for group in groups
        for side in sides
        if (amount := side.amounts.get(group)) is not None
    ]
    names = [side.name for side in sides]
    spec: Spec = {
        "data": {"values": values},
        "mark": {"type": "bar"},
        "encoding": {
            "y": {
                "field": "group",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": list(groups), "paddingInner": 0.35},
                "axis": {"title": None, "ticks": False, "labelLimit": 150},
            },
            "yOffset": {"field": "side", "sort": None, "scale": {"domain": names}},
            "x": {
                "field": "cost",
                "type": "quantitative",
                "axis": {"title": currency, "labelExpr": FIGURE, "grid": True, "tickCount": 5},
            },
            "color": {
                "field": "side",
                "type": "nominal",
                "scale": {"domain": names, "range": [side.colour for side in sides]},
            },
            "tooltip": [
                {"field": "group", "type": "nominal", "title": "Group"},
                {"field": "side", "type": "nominal", "title": "Where"},
                {"field": "cost", "type": "quantitative", "title": currency, "format": ",.2f"},
            ],
        },
    }
    high = len(groups) * (len(sides) * _BAR + _GAP) + 50
    return framed(spec, height=high)
