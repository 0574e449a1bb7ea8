"""Spans of a database's statements, beneath the span of whatever asked.

What nobody traces asks without spans: whoever looks after connections, requests not sampled.
Attributes by OpenTelemetry's semantic conventions 1.44 for databases: the text is what is prepared,
with places for the values and never these.
"""

import re
from typing import Any, Final

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from store.dictionaries import sqlstate_of

_FIRST_WORD: Final = re.compile(r"\s*([A-Za-z]+)")
_LONGEST: Final = 4_096
_SPANS: Final = "spanledger spans"
"""Where a connection keeps those that are open: one, but where a statement asks another."""


def trace_statements(engine: Engine, tracer: Tracer) -> None:
    """Makes spans of what an engine executes from now on."""

    def before(
        connection: Connection,
        _cursor: DBAPICursor,
        statement: str,
        _parameters: object,
        context: ExecutionContext | None,
        executemany: bool,
    ) -> None:
        if not get_current_span().is_recording():
            return
        found = _FIRST_WORD.match(statement)
        operation = found[1].upper() if found else "?"
        attributes: dict[str, str | int] = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.text": statement[:_LONGEST],
        }
        if executemany and context is not None:
            attributes["db.operation.batch.size"] = len(context.compiled_parameters or ())  # type: ignore[attr-defined]  # the default one's
        span = tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes)
        connection.info.setdefault(_SPANS, []).append(span)

    def after(connection: Connection, *_other: Any) -> None:
        if spans := connection.info.get(_SPANS):
            spans.pop().end()

    def failed(context: ExceptionContext) -> None:
        spans: list[Span] = context.connection.info.get(_SPANS, []) if context.connection else []
        if not spans or context.statement is None:
            return
        span = spans.pop()
        span.set_attribute("error.type", type(context.original_exception).__qualname__)
        if state := sqlstate_of(context.original_exception):
            span.set_attribute("db.response.status_code", state)
        span.set_status(Status(StatusCode.ERROR))
        span.end()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)
