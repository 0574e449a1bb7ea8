"""What makes spans in a process, and sends them. Loaded only where TELEMETRY_ENDPOINT is set.

All that OpenTelemetry's SDK would read from ``OTEL_…`` variables is said here: those are of the
applications in the same shell, whose names and endpoints are not ours. (One is read all the same,
by the SDK itself: OTEL_SDK_DISABLED=true makes no spans.)
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from threading import Thread
from typing import Final
from uuid import uuid4

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status, StatusCode, Tracer

from app.telemetry.losses import Losses
from app.telemetry.sender import Sender
from app.telemetry.served import TracedRequests
from app.telemetry.statements import trace_statements
from app.telemetry.tracing import Tracing
from jobs.exporting.otlp_sending import Headers
from store.steps import Steps, Told

SCOPE: Final = "spanledger"
FLUSHED: Final = 1.0
"""Seconds in which what is left is sent at the end."""
_BOUND: Final = 1.5
"""Seconds after which the end is waited for no longer, whatever a resolver does."""
_EVERY: Final = 2_000
"""Milliseconds between two requests."""
_WAITING: Final = 2_048
"""Spans that wait to be sent; of more the oldest are dropped."""
_TOGETHER: Final = 512
_LONGEST: Final = 4_096
"""Characters of a statement."""
_WRONG: Final = frozenset({"failed", "never"})
"""Outcomes of steps that have not done what they were for."""


class _Counted(BatchSpanProcessor):
    """Counts what finds no room: of that the SDK tells nobody."""

    def __init__(self, sender: Sender, losses: Losses) -> None:
        super().__init__(
            sender,
            max_queue_size=_WAITING,
            schedule_delay_millis=_EVERY,
            max_export_batch_size=_TOGETHER,
            export_timeout_millis=FLUSHED * 1000,
        )
        self._losses = losses

    def on_end(self, span: ReadableSpan) -> None:
        """As the SDK does it, which lets the oldest go where as many wait as may.

        What is sent at this very moment makes room after we looked: so one in thousands counts
        that was not lost.
        """
        waiting = self._batch_processor._queue  # noqa: SLF001  # nothing else says it
        if len(waiting) == waiting.maxlen and span.context and span.context.trace_flags.sampled:
            self._losses.no_room()
        super().on_end(span)


@contextmanager
def traced(endpoint: str, headers: Headers, sample: float, process: str) -> Iterator[Tracing]:
    """Traces this process until the block ends, then sends what is left within FLUSHED."""
    # It tells of spans that find no room, and neither how many nor only once in a while.
    logging.getLogger("opentelemetry.sdk._shared_internal").setLevel(logging.ERROR)
    losses = Losses()
    sender = Sender(f"{endpoint}/v1/traces", headers, losses)
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sample)),
        resource=Resource(
            {
                "service.name": "spanledger",
                "service.version": version("spanledger"),
                "service.instance.id": str(uuid4()),
                "process.pid": os.getpid(),
                "spanledger.process": process,
            }
        ),
        shutdown_on_exit=False,
        span_limits=_limits(),
    )
    provider.add_span_processor(_Counted(sender, losses))
    tracer = provider.get_tracer(SCOPE, version("spanledger"))
    try:
        yield Tracing(
            steps=steps_of(tracer),
            statements_of=lambda database: trace_statements(database.engine, tracer),
            around=lambda app: TracedRequests(app, tracer),
            lost=losses,
        )
    finally:
        sender.close(FLUSHED)
        ending = Thread(target=provider.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(_BOUND)


def steps_of(tracer: Tracer) -> Steps:
    """Makes a span of each step: what it told are its attributes, ``spanledger.…``."""

    @contextmanager
    def step(name: str, began: datetime | None = None) -> Iterator[Told]:
        with tracer.start_as_current_span(
            name,
            start_time=None if began is None else int(began.timestamp() * 1e9),
            # What failed may hold what somebody wrote: its kind is told, and its words are not.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            told: Told = {}
            try:
                yield told
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                for key, value in told.items():
                    span.set_attribute(f"spanledger.{key}", value)
                if told.get("outcome") in _WRONG:
                    span.set_status(Status(StatusCode.ERROR))

    return step


def _limits() -> SpanLimits:
    return SpanLimits(
        max_attributes=64,
        max_events=16,
        max_links=16,
        max_span_attributes=64,
        max_event_attributes=16,
        max_link_attributes=16,
        max_attribute_length=_LONGEST,
        max_span_attribute_length=_LONGEST,
    )
