"""Charts of a pool, as Vega-Lite: how full its hours were, what its tokens cost by day.

Pure functions of data. Figures become floats here, for drawing; what is written is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from reports.charts.chart_frame import HALF, Spec, framed
from reports.charts.palette import ACCENT, COMPONENTS, GRID, OWN, PAPER, REST, shades

HOURS: Final = tuple(range(24))
_EVERY_THIRD: Final = "datum.value % 3 == 0 ? (datum.value < 10 ? '0' : '') + datum.value : ''"
_LIGHTEST: Final = 0.18
"""Of an hour in which little was done: not nothing."""
_TENS: Final = tuple(10.0**power for power in range(-6, 9))
_READABLE: Final = "datum.value >= 10000 ? format(datum.value, '~s') : format(datum.value, ',.6~f')"
_LOG_FROM: Final = 30
"""So far apart, small prices would lie on the axis."""


_HOURS_ACROSS: Final = {
    "field": "hour",
    "type": "ordinal",
    "scale": {"domain": list(HOURS)},
    "axis": {
        "title": "Hour of the day",
        "labelAngle": 0,
        "labelExpr": _EVERY_THIRD,
        "ticks": False,
        "domain": False,
    },
}


@dataclass(frozen=True, slots=True)
class HourUse:
    """A square: a row's hour of the day. Shares are 0 to 1."""

    row: str
    hour: int
    used: Decimal
    told: str
    """Which hours it is of, for whoever points at it."""
    cost: Decimal
    idle: Decimal


def hours_map(rows: Sequence[str], hours: Sequence[HourUse], *, currency: str) -> Spec:
    """Squares, ``rows`` from the top, hours of the day across: the fuller, the darker; idle grey.

    Where nothing is drawn, nothing was paid.
    """
    values = [
        {
            "row": each.row,
            "hour": each.hour,
            "used": float(each.used),
            "shade": round(_LIGHTEST + (1 - _LIGHTEST) * min(1.0, float(each.used)), 3)
            if each.used
            else 1,
            "told": each.told,
            "cost": float(each.cost),
            "idle": float(each.idle),
        }
        for each in hours
    ]
    spec: Spec = {
        "data": {"values": values},
        "mark": {
            "type": "rect",
            "stroke": PAPER,
            "strokeWidth": 1.5,
            # Hundreds of labels say less to a reader of screens than the table of hours.
            "aria": False,
        },
        "encoding": {
            "x": _HOURS_ACROSS,
            "y": {
                "field": "row",
                "type": "ordinal",
                "sort": None,
                "scale": {"domain": list(rows)},
                "axis": {"title": None, "labelOverlap": "parity"},
            },
            "color": {"condition": {"test": "datum.used == 0", "value": GRID}, "value": ACCENT},
            "fillOpacity": {"field": "shade", "type": "quantitative", "scale": None},
            "tooltip": [
                {"field": "told", "type": "nominal", "title": "When"},
                {"field": "used", "type": "quantitative", "title": "Used", "format": ".1%"},
                _amount("cost", currency, "Cost"),
                _amount("idle", currency, "Idle"),
            ],
        },
    }
    return framed(spec, height=18 * len(rows) + 50)


@dataclass(frozen=True, slots=True)
class DayPrice:
    """For 1,000,000 tokens of a day, by its own mix; None: not known, or no tokens."""

    day: date
    own: Decimal | None
    api: Decimal | None


def price_by_day(days: Sequence[DayPrice], *, currency: str, api: tuple[str, str] | None) -> Spec:
    """The pool's price of tokens by day, and what an API asks for the same ones: name, colour."""
    known = [price for each in days for price in (each.own, each.api) if price]
    apart = bool(known) and max(known) / min(known) > _LOG_FROM
    title = f"{currency} for 1 M tokens" + (", log scale" if apart else "")
    domain = [f"{each.day:%-d %b}" for each in days]
    x = {
        "field": "day",
        "type": "ordinal",
        "sort": None,
        "scale": {"domain": domain},
        "axis": {"title": None, "labelAngle": 0, "labelOverlap": "parity", "ticks": False},
    }
    y: dict[str, Any] = {
        "field": "price",
        "type": "quantitative",
        "axis": {"title": title, "labelExpr": _READABLE},
    }
    if apart:
        low, high = float(min(known)) / 2, float(max(known)) * 1.5
        y["scale"] = {"type": "log", "domain": [low, high], "nice": False}
        y["axis"]["values"] = [each for each in _TENS if low <= each <= high]
    layers = [
        _line(_prices(days, "own"), OWN, "This pool", currency, dash=None),
        *([_line(_prices(days, "api"), api[1], api[0], currency, dash=[6, 3])] if api else []),
    ]
    return framed({"layer": layers, "encoding": {"x": x, "y": y}}, width=HALF, height=300)


def _prices(days: Sequence[DayPrice], which: str) -> list[dict[str, Any]]:
    return [
        {"day": f"{each.day:%-d %b}", "price": float(price) if price else None}
        for each in days
        for price in (getattr(each, which),)
    ]


def _line(
    values: Sequence[Mapping[str, Any]],
    colour: str,
    name: str,
    currency: str,
    *,
    dash: list[int] | None,
) -> Spec:
    mark: dict[str, Any] = {
        "type": "line",
        "color": colour,
        "strokeWidth": 2,
        "invalid": "break-paths-show-domains",
        "point": {"size": 26, "color": colour} if dash is None else False,
    }
    if dash is not None:
        mark["strokeDash"] = dash
    told = [
        {"field": "day", "type": "nominal", "title": "Day"},
        {
            "field": "price",
            "type": "quantitative",
            "title": f"{name}, {currency}",
            "format": ",.4~f",
        },
    ]
    return {"data": {"values": list(values)}, "mark": mark, "encoding": {"tooltip": told}}


def _amount(field: str, currency: str, title: str) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": f"{title}, {currency}",
        "format": ",.4~f",
    }


def component_colours(components: Sequence[tuple[str, str]]) -> dict[str, str]:
    """A colour for each component (name, kind): the kind's, lighter for a second of it."""
    of_kind: dict[str, list[str]] = {}
    for name, kind in components:
        names = of_kind.setdefault(kind, [])
        if name not in names:
            names.append(name)
    found: dict[str, str] = {}
    for kind, names in of_kind.items():
        for name, colour in zip(names, shades(COMPONENTS.get(kind, REST), len(names)), strict=True):
            found.setdefault(name, colour)
    return found
