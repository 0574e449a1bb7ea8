"""What models cost, as bars in the hue of who bills. A pure function of data.

Amounts become floats here, for drawing; what is written in numbers is written exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.charts.chart_frame import FIGURE, Spec, framed

MOST: Final = 12
"""Bars of a chart; the rest is one of its own."""
_STEP: Final = 26
_LONGEST_LABEL: Final = 190
"""Pixels of a name: longer ones are cut, and whole under the pointer."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A model, or the rest."""

    name: str
    provider: str
    """As people call it."""
    colour: str
    cost: Decimal


def cost_by_model(bars: Sequence[Bar], *, currency: str) -> Spec:
    """A bar for each, the first on top. Names that are the same share one."""
    values = [
        {"name": bar.name, "provider": bar.provider, "cost": float(bar.cost), "colour": bar.colour}
        for bar in bars
    ]
    spec: Spec = {
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            "y": {
                "field": "name",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": [bar.name for bar in bars], "paddingInner": 0.3},
                "axis": {
                    "title": None,
                    "labelLimit": _LONGEST_LABEL,
                    "domain": False,
                    "ticks": False,
                    "labelOverlap": False,
                },
            },
            "x": {
                "field": "cost",
                "type": "quantitative",
                "axis": {
                    "title": currency,
                    "labelExpr": FIGURE,
                    "grid": True,
                    "tickCount": 5,
                    "domain": False,
                    "ticks": False,
                },
            },
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "tooltip": [
                {"field": "name", "type": "nominal", "title": "Model"},
                {"field": "provider", "type": "nominal", "title": "Provider"},
                {"field": "cost", "type": "quantitative", "title": currency, "format": ",.2f"},
            ],
        },
    }
    return framed(spec, height=len(bars) * _STEP + 44)
