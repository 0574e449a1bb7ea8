"""How a commitment is used up, as Vega-Lite: used so far, what it covers, what is expected.

A pure function of data. Amounts become floats here, for drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from reports.charts.chart_frame import Spec, framed
from reports.charts.palette import ACCENT, BAD, SOFT

_MOST_POINTS: Final = 120
_READABLE: Final = "datum.value >= 10000 ? format(datum.value, '~s') : format(datum.value, ',.2~f')"
_LONG: Final = 140
"""Days, from which on an axis names months alone."""

Curve = Sequence[tuple[datetime, Decimal]]


@dataclass(frozen=True, slots=True)
class Burn:
    """One period of a commitment. Moments are UTC."""

    starts: datetime
    ends: datetime
    """Of the axis: of a period without an end, when it runs out or some days from now."""
    has_end: bool
    amount: Decimal
    used: Curve
    """In order, from 0 at the start."""
    expected: Curve
    """From the last of ``used`` on; empty: nothing is."""
    currency: str


def burn_chart(of: Burn) -> Spec:
    """The specification, data included."""
    amounts = [of.amount, *(each for _at, each in (*of.used, *of.expected))]
    top = float(max(amounts)) * 1.12 or 1.0
    layers: list[Spec] = [
        _layer(of.used, {"type": "area", "color": ACCENT, "opacity": 0.14, "line": False}, of),
        _layer(of.used, {"type": "line", "color": ACCENT, "strokeWidth": 2.5}, of),
    ]
    if of.has_end:
        even = [(of.starts, Decimal(0)), (of.ends, of.amount)]
        layers.append(_layer(even, _dashed(SOFT, [6, 4], 1.2), of))
    if of.expected:
        layers.append(_layer(of.expected, _dashed(ACCENT, [2, 4], 2), of))
    full = [(of.starts, of.amount), (of.ends, of.amount)]
    layers.append(_layer(full, {"type": "line", "color": BAD, "strokeWidth": 1.5}, of))
    x = {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [_instant(of.starts), _instant(of.ends)]},
        "axis": {
            "title": None,
            "format": "%-d %b" if (of.ends - of.starts).days <= _LONG else "%b %Y",
            "tickCount": 6,
            "labelFlush": True,
        },
    }
    y = {
        "field": "amount",
        "type": "quantitative",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {"title": of.currency, "labelExpr": _READABLE},
    }
    return framed({"layer": layers, "encoding": {"x": x, "y": y}}, height=260)


def _dashed(colour: str, dash: list[int], width: float) -> dict[str, Any]:
    return {"type": "line", "color": colour, "strokeDash": dash, "strokeWidth": width}


def _layer(curve: Curve, mark: dict[str, Any], of: Burn) -> Spec:
    step = -(-len(curve) // _MOST_POINTS) or 1
    points = [*curve[:-1:step], *curve[-1:]]
    return {
        "data": {
            "values": [{"at": _instant(at), "amount": float(amount)} for at, amount in points]
        },
        "mark": mark,
        "encoding": {
            "tooltip": [
                {"field": "at", "type": "temporal", "title": "Day (UTC)", "format": "%-d %b %Y"},
                {
                    "field": "amount",
                    "type": "quantitative",
                    "title": of.currency,
                    "format": ",.2f",
                },
            ]
        },
    }


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
