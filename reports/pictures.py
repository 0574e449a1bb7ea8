"""Draws a Vega-Lite specification, as PNG or SVG. Nothing is fetched from anywhere."""

from typing import Any, Final

import vl_convert

VEGA_LITE: Final = "6.4"
SCALE: Final = 2
"""Pixels a point, for screens that have them."""


def png(spec: dict[str, Any]) -> bytes:
    """A picture. Raises ValueError for what is no specification."""
    drawn: bytes = vl_convert.vegalite_to_png(
        spec, vl_version=VEGA_LITE, scale=SCALE, allowed_base_urls=[], show_warnings=False
    )
    return drawn


def svg(spec: dict[str, Any]) -> str:
    """The same as SVG text, one ``<svg>`` element without styles or scripts. Raises ValueError."""
    drawn: str = vl_convert.vegalite_to_svg(
        spec, vl_version=VEGA_LITE, allowed_base_urls=[], show_warnings=False
    )
    return drawn
