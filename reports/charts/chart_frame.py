"""What all charts share: fonts, axes, no frame. A specification goes in and comes out dressed."""

from typing import Any, Final

from reports.charts.palette import GRID, INK, LINE, SOFT

Spec = dict[str, Any]
"""A Vega-Lite 6 specification, data included."""

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDE: Final = 1040
"""Pixels that a chart over a whole page is drawn with on the server; a browser draws it anew in
the width that there is."""
HALF: Final = 520
"""Likewise, of one of two that stand beside each other."""
FIGURE: Final = "format(datum.value, abs(datum.value) >= 1000 ? '~s' : '.3~r')"
"""The label of a figure on an axis. Thousands by a letter; parts of one as they are: d3's letter
of a thousandth is m, and 0.05 dollars would be read as 50 million."""


def framed(spec: Spec, *, width: int = WIDE, height: int = 260) -> Spec:
    """``spec`` (marks, encoding, data) with its size and the common look.

    No legend: pages write it beside the chart, in the order of the stack (``parts.html``).
    """
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "background": None,
        "padding": {"left": 4, "right": 8, "top": 8, "bottom": 4},
        "autosize": {"type": "fit", "contains": "padding"},
        **spec,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": SOFT,
                "labelFontSize": 12,
                "titleColor": SOFT,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "tickColor": LINE,
                "domainColor": LINE,
                "gridColor": GRID,
                "labelOverlap": True,
                # Cut at no width: to see whether it is needed, each label would be measured again,
                # which is a third of the drawing. Axes of names say where theirs are cut.
                "labelLimit": 0,
            },
            "axisY": {"domain": False, "ticks": False, "labelPadding": 8, "tickCount": 5},
            "axisX": {"grid": False, "labelPadding": 6, "labelSeparation": 10},
            "text": {"color": INK, "fontSize": 12},
            "legend": {"disable": True},
            **spec.get("config", {}),
        },
    }
