"""Which web pages may send from a browser: none, until their origins are listed.

A browser asks first (a preflight) before it lets a page send telemetry to another origin. Cookies
play no part here, so credentials are never allowed, and no answer ever says "any origin".
"""

from collections.abc import Mapping
from typing import Final

_HEADERS: Final = "content-type, content-encoding, authorization, x-api-key"
_MAX_AGE: Final = 7200
"""Seconds for which a browser need not ask again; Chromium takes no more."""


def allowed(headers: Mapping[str, str], origins: frozenset[str]) -> dict[str, str]:
    """What every answer says to the browser of a page from one of ``origins``."""
    if not origins:
        return {}
    # A cache between must not give one page's answer to another.
    said = {"vary": "Origin"}
    if headers.get("origin") in origins:
        said["access-control-allow-origin"] = headers["origin"]
        # Or the page's exporter could not see when to send again.
        said["access-control-expose-headers"] = "retry-after"
    return said


def preflight(method: str, headers: Mapping[str, str], origins: frozenset[str]) -> dict[str, str]:
    """What a preflight for one of ``origins`` is answered beside that; empty where it is none."""
    asks = method == "OPTIONS" and "access-control-request-method" in headers
    if not asks or headers.get("origin") not in origins:
        return {}
    return {
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": _HEADERS,
        "access-control-max-age": str(_MAX_AGE),
    }
