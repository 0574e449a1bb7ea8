"""Counts what this process was asked and answered: by route, never by who asked or for what."""

import time
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spend.durations import Durations

NO_ROUTE: Final = "(none)"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PLACE: Final = "spanledger.place"


@dataclass(slots=True)
class Counts:
    """Since the process began."""

    requests: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Method, route and class of status -> requests."""
    took: dict[tuple[str, ...], Durations] = field(default_factory=dict)
    """Route -> how long they took."""
    in_progress: int = 0


class Traffic:
    """What was answered. Any thread may ask."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._lock = Lock()

    def counts(self) -> Counts:
        """Up to now."""
        with self._lock:
            return deepcopy(self._counts)

    def begun(self) -> None:
        """A request has come."""
        with self._lock:
            self._counts.in_progress += 1

    def ended(self, method: str, route: str, status: str, seconds: float) -> None:
        """It is answered, or never will be."""
        with self._lock:
            self._counts.in_progress -= 1
            self._counts.requests[method, route, status] += 1
            took = self._counts.took.get((route,))
            if took is None:
                took = self._counts.took[route,] = Durations()
            took.note(seconds)


@dataclass(slots=True)
class _Place:
    """Which route a request found; others than the first may look at copies of its scope."""

    route: str = NO_ROUTE


def route_of(scope: Mapping[str, Any]) -> str:
    """The template of the route that a counted request found, once it is answered."""
    place = scope.get(_PLACE)
    return place.route if isinstance(place, _Place) else NO_ROUTE


class Counted:
    """ASGI middleware, outside of all others: counts, with ``Placed`` inside of all others."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        place = scope[_PLACE] = _Place()
        # Where nobody waits for the answer any more there may be none.
        status = "none"

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        began = time.perf_counter()
        self._traffic.begun()
        try:
            await self._app(scope, receive, tell)
        except Exception:
            status = "5xx"
            raise
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._traffic.ended(method, place.route, status, time.perf_counter() - began)


class Placed:
    """ASGI middleware, next to the routes: notes which one a request found."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        try:
            await self._app(scope, receive, send)
        finally:
            place, route = scope.get(_PLACE), scope.get("route")
            if place is not None and route is not None:
                place.route = getattr(route, "path_format", NO_ROUTE)
