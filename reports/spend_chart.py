"""Spend by day, stacked by provider, as Vega-Lite. A pure function of data.

Amounts become floats here, for drawing; what is written in numbers is written exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reports.chart_frame import Spec, framed
from reports.palette import PAPER


@dataclass(frozen=True, slots=True)
class Part:
    """One colour of the stack: what it is called, and its amount of each day."""

    name: str
    colour: str
    amounts: Sequence[Decimal]


def daily_stack(
    days: Sequence[date], parts: Sequence[Part], *, currency: str, height: int = 260
) -> Spec:
    """Bars of ``days``; the first of ``parts`` is on top, as in the legend."""
    values = [
        {"day": f"{day:%-d %b}", "part": part.name, "cost": float(amount), "place": -place}
        for place, part in enumerate(parts)
        for day, amount in zip(days, part.amounts, strict=True)
        if amount
    ]
    spec: Spec = {
        "data": {"values": values},
        "mark": {"type": "bar", "stroke": PAPER, "strokeWidth": 0.5},
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "sort": None,
                "scale": {"domain": [f"{day:%-d %b}" for day in days], "paddingInner": 0.15},
                "axis": {"title": None, "labelAngle": 0, "labelOverlap": "parity", "ticks": False},
            },
            "y": {
                "field": "cost",
                "type": "quantitative",
                "stack": "zero",
                "axis": {"title": f"{currency} a day", "format": "~s"},
            },
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
                {"field": "day", "type": "nominal", "title": "Day"},
                {"field": "part", "type": "nominal", "title": "Provider"},
                {"field": "cost", "type": "quantitative", "title": currency, "format": ",.2f"},
            ],
        },
    }
    return framed(spec, height=height)
