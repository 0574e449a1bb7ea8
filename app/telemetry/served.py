"""Spans of the requests that the API and the pages answer.

Attributes by OpenTelemetry's semantic conventions 1.44 for HTTP, with one left out that they ask
for: ``url.path`` holds names of teams, budgets and people. ``http.route`` is the path's template.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from api.metrics.metric_list import PATHS
from api.metrics.traffic import NO_ROUTE, route_of

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[..., Awaitable[None]]

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNTRACED: Final = frozenset({"/livez", "/readyz", *PATHS})
"""Asked all day by machines: their answers say how they went."""
_FAILED: Final = 500
_CONTINUED: Final = TraceContextTextMapPropagator()


class TracedRequests:
    """The same ASGI application, traced."""

    def __init__(self, app: AsgiApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """Answers one request, in a span: of its sender's trace, where that one says so."""
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracer.start_as_current_span(
            method,
            context=_sender_of(scope["headers"]),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "url.scheme": scope.get("scheme", "http"),
                "network.protocol.version": scope.get("http_version", "1.1"),
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await self._app(scope, receive, noting)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                # Only now is it known which route it was.
                if (template := route_of(scope)) != NO_ROUTE:
                    span.update_name(f"{method} {template}")
                    span.set_attribute("http.route", template)
                if status:
                    span.set_attribute("http.response.status_code", status)
                if status >= _FAILED:
                    span.set_attribute("error.type", str(status))
                    span.set_status(Status(StatusCode.ERROR))


def _sender_of(headers: Iterable[tuple[bytes, bytes]]) -> Context:
    """Whose trace a request goes on with, by its traceparent; none: it begins one.

    Its tracestate is left: that is any text of whoever asks, and every span would hold it.
    """
    found = {
        name.decode(): value.decode("latin-1") for name, value in headers if name == b"traceparent"
    }
    return _CONTINUED.extract(found, Context())
