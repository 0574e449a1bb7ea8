"""Addresses of pages: this one asked otherwise, or another one in the same zone."""

from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse

_PASSING: Final = frozenset({"csv", "done"})
"""Parameters that say nothing about what a page shows."""


def here(request: Request, **changes: Any) -> str:
    """The address of this page with parameters changed; None leaves one out, a list repeats it."""
    dropped = _PASSING | {name.rstrip("_") for name in changes}
    asked = [each for each in request.query_params.multi_items() if each[0] not in dropped]
    return _address(path_of(request), asked + _pairs(changes))


def path_of(request: Request) -> str:
    """The path of a page, as it can stand in an address: names in it may be of any text."""
    return quote(request.scope["path"])


def elsewhere(request: Request, path: str, **asked: Any) -> str:
    """The address of another page of ours, in the zone that this one was asked in.

    ``path`` is ours; what comes from data goes into ``asked``, or through ``segment``.
    """
    pairs = _pairs(asked)
    zone = request.query_params.get("timezone")
    if zone and "timezone" not in asked:
        pairs.append(("timezone", zone))
    return _address(path, pairs)


def go_to(request: Request, path: str, **asked: Any) -> RedirectResponse:
    """The way to another page of ours (303), as ``elsewhere`` writes it: after a form was taken."""
    return RedirectResponse(elsewhere(request, path, **asked), status_code=303)


def segment(text: str) -> str:
    """A part of a path, of whatever text."""
    return quote(text, safe="")


def _pairs(asked: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in asked.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name.rstrip("_"), str(each)) for each in values if each is not None]
    return pairs


def _address(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
