"""What pages load: one style sheet, one script, and Vega for those with charts.

Each is served under a name that says what is in it, so a browser keeps it for good and an upgrade
is seen at once. Vega's bundle is made on this machine from the ``vl-convert-python`` distribution:
none of it is in the repository, none comes over the network.
"""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Final

import vl_convert
from fastapi import APIRouter, Request, Response

from api.problems import Problem
from reports.pictures import VEGA_LITE

router = APIRouter(include_in_schema=False)

_HERE: Final = Path(__file__).parent
_FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file that browsers keep."""

    name: str
    """Stem and end: ``style.css``."""
    media_type: str
    mark: str
    """Changes with the content."""
    make: Callable[[], str]

    @property
    def address(self) -> str:
        """Where it is served."""
        stem, _, end = self.name.partition(".")
        return f"/assets/{stem}-{self.mark}.{end}"

    @cached_property
    def plain(self) -> bytes:
        """Its content, UTF-8."""
        return self.make().encode()

    @cached_property
    def packed(self) -> bytes:
        """The same, gzip."""
        return gzip.compress(self.plain, 9, mtime=0)


def _joined(folder: str, end: str) -> str:
    return "\n".join(path.read_text() for path in sorted((_HERE / folder).glob(f"*.{end}")))


def _asset(name: str, media_type: str, text: str) -> Asset:
    mark = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Asset(name, media_type, mark, lambda: text)


def _bundle() -> str:
    made: str = vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed; window.dispatchEvent(new Event('vega-ready'));",
        vl_version=VEGA_LITE,
    )
    return made


STYLE: Final = _asset("style.css", "text/css; charset=utf-8", _joined("styles", "css"))
SCRIPT: Final = _asset("script.js", "text/javascript; charset=utf-8", _joined("scripts", "js"))
VEGA: Final = Asset(
    "vega.js",
    "text/javascript; charset=utf-8",
    version("vl-convert-python").replace(".", "-"),
    _bundle,
)
"""Takes a second to make, once a process: pages show their charts before it is there."""
_ASSETS: Final = {each.address: each for each in (STYLE, SCRIPT, VEGA)}
_making: Final = Lock()


@router.get("/assets/{name}")
def asset(request: Request, name: str) -> Response:
    """One of them. Problem 404 for another name, also for one of another version."""
    found = _ASSETS.get(f"/assets/{name}")
    if found is None:
        raise Problem(404, "No such file", "The page that asks for it is of another version.")
    headers = {
        "Cache-Control": _FOREVER,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    with _making:
        packed = found.packed
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(packed, media_type=found.media_type, headers=headers)
    return Response(found.plain, media_type=found.media_type, headers=headers)
