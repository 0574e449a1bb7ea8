"""Whether a browser sends a request for a page of ours, or for somebody else's.

Without keys whoever is on this machine may write, and so may a page elsewhere that its browser
shows: it can send a form anywhere. Browsers say whose page it is.
Source: W3C "Fetch Metadata Request Headers"; the Origin header of the Fetch standard.
"""

from typing import Final

from fastapi import Request

_OURS: Final = frozenset({"same-origin", "none"})


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that a page of another origin sends it."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OURS
    origin = request.headers.get("origin")
    return origin is not None and origin != _own(request)


def from_our_page(request: Request) -> bool:
    """Whether a browser says that a page of ours sends it."""
    headers = request.headers
    return ("sec-fetch-site" in headers or "origin" in headers) and not from_elsewhere(request)


def over_https(request: Request) -> bool:
    """Whether the browser speaks https, also where a trusted proxy ends it and says so."""
    return request.url.scheme == "https"


def _own(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}"
