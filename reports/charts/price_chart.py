"""What a million units cost over time, as steps: a line for each meter. A pure function of data.

Prices become floats here, for drawing; what is written in numbers is written exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from reports.charts.chart_frame import FIGURE, Spec, framed
from reports.charts.palette import ACCENT, BAD, GOOD, NOBODY, VIOLET, WARN

STROKES: Final = {
    "input": (ACCENT, [1, 0]),
    "output": (BAD, [1, 0]),
    "cache_read": (GOOD, [2, 3]),
    "cache_write": (WARN, [6, 3]),
    "cache_write_5m": (WARN, [6, 3]),
    "cache_write_1h": (VIOLET, [6, 3]),
}
"""Colour and dashes of a meter's line, so that no colour tells what nothing else does."""
_OTHER: Final = (NOBODY, [6, 2, 2, 2])


@dataclass(frozen=True, slots=True)
class Steps:
    """A meter's price from each moment (UTC) on until the next; None: it had none."""

    meter: str
    prices: Sequence[tuple[datetime, Decimal | None]]

    @property
    def colour(self) -> str:
        """Of its line."""
        return STROKES.get(self.meter, _OTHER)[0]


def price_steps(lines: Sequence[Steps], *, ends: datetime, currency: str) -> Spec:
    """Lines until ``ends`` (UTC); times are shown as they are in UTC."""
    shown = {"title": currency, "format": ",.6~f"}
    spec: Spec = {
        "layer": [_line(line, ends) for line in lines],
        "encoding": {
            "x": {
                "field": "at",
                "type": "temporal",
                "scale": {"type": "utc"},
                "axis": {"title": None, "format": "%-d %b %Y", "tickCount": 6},
            },
            "y": {
                "field": "price",
                "type": "quantitative",
                "scale": {"zero": True},
                "axis": {"title": f"{currency} for 1 M units", "labelExpr": FIGURE},
            },
            "tooltip": [
                {"field": "meter", "type": "nominal", "title": "Meter"},
                {"field": "since", "type": "nominal", "title": "From"},
                {"field": "price", "type": "quantitative", **shown},
            ],
        },
    }
    return framed(spec, height=220)


def _line(line: Steps, ends: datetime) -> Spec:
    colour, dashes = STROKES.get(line.meter, _OTHER)
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2}
    return {
        "data": {
            "values": [
                {
                    "at": _instant(at),
                    "since": f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC",
                    "meter": line.meter,
                    "price": None if price is None else float(price),
                }
                for at, price in (*line.prices, *_last(line, ends))
            ]
        },
        "mark": {**mark, "color": colour, "strokeDash": dashes},
    }


def _last(line: Steps, ends: datetime) -> list[tuple[datetime, Decimal | None]]:
    return [(ends, line.prices[-1][1])] if line.prices else []


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
