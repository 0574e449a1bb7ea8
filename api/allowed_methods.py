"""Which methods an address has: what ``Allow`` of a 405 says (RFC 9110, 10.2.1).

The router knows of the route alone that it stopped at, and an address has one for each method.
"""

from fastapi import Request
from fastapi.routing import RouteContext, iter_route_contexts


def allowed_methods(request: Request) -> str:
    """The methods of the address of ``request``, with commas between; "" where it has none."""
    found = [
        route
        for route in iter_route_contexts(request.app.routes)
        if (route.path_regex and route.path_regex.match(request.url.path))
    ]
    if not found:
        return ""
    # A name that stands in the path goes before an id that could be any.
    nearest = min(map(_parts, found))
    methods = {name for each in found if _parts(each) == nearest for name in each.methods or ()}
    # api/head.py
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _parts(route: RouteContext) -> int:
    return (route.path or "").count("{")
