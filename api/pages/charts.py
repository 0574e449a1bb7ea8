"""A chart of a page: drawn as SVG on the server, and again by Vega in the width that there is.

The drawing takes some 50 ms, so drawings are kept by what they are of: the same numbers are drawn
once a process.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import orjson
from markupsafe import Markup

from reports.charts.chart_frame import Spec
from reports.pictures import svg

MOST_KEPT: Final = 256
"""Drawings, of some 50 kB each."""


@dataclass(frozen=True, slots=True)
class Legend:
    """A line of a chart's legend, in the order of the stack from the top."""

    name: str
    colour: str
    href: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A specification (``reports/``) and what is said of it."""

    spec: Spec
    title: str
    """What a reader of screens is told that it shows, with its main figure."""
    legend: tuple[Legend, ...] = field(default=())

    @property
    def drawn(self) -> Markup:
        """The SVG. Our own code drew it, and escaped what is in it."""
        return Markup(_drawn(orjson.dumps(self.spec)))  # noqa: S704 - Vega escapes names of marks

    @property
    def written(self) -> Markup:
        """The specification as JSON that can stand in HTML."""
        return in_html(self.spec)


def in_html(value: Any) -> Markup:
    """JSON that no name in it can end: ``<`` is written as an escape of JSON."""
    text = orjson.dumps(value).decode()
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # noqa: S704 - above


def forget_drawings() -> None:
    """As if every number had changed: to measure with."""
    _drawn.cache_clear()


@lru_cache(maxsize=MOST_KEPT)
def _drawn(spec: bytes) -> str:
    return in_hundredths(svg(orjson.loads(spec)))


def in_hundredths(drawing: str) -> str:
    """A drawing with its paths' coordinates to a hundredth of a pixel: half the bytes of many.

    >>> in_hundredths('<path d="M1.50,18.129032258L677.75,-0.5Z"/><text>0.123456</text>')
    '<path d="M1.50,18.12L677.75,-0.5Z"/><text>0.123456</text>'
    """
    return _PATH.sub(lambda found: _LONG.sub(r"\1", found[0]), drawing)


_PATH: Final = re.compile(r' d="[^"]*"')
_LONG: Final = re.compile(r"(\.\d\d)\d+(?![\de])")
