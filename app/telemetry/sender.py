"""Sends spans away, in a thread of the SDK's. Nobody waits for it, and its troubles stay its own.

Not the exporter of OpenTelemetry: that one reads ``OTEL_…``, proxies and .netrc, logs every failure
and goes on trying when the process is to end.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from app.telemetry.losses import TOLD_EVERY, Losses
from jobs.exporting.otlp_sending import Headers, send

log = structlog.get_logger(__name__)

PATIENCE: Final = 10.0
"""Seconds for a request with all its attempts."""


class Sender(SpanExporter):
    """Sends what is exported to one address."""

    def __init__(self, url: str, headers: Headers, losses: Losses) -> None:
        self._url = url
        self._losses = losses
        self._headers = tuple(headers)
        self._ends: float | None = None
        self._lost = 0
        self._told_at: float | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends them once, or again within PATIENCE; what is not taken is lost, and counted."""
        until = self._ends or time.monotonic() + PATIENCE
        body = encode_spans(spans).SerializeToString()
        sent = send(
            self._url,
            body,
            self._headers,
            now=datetime.now(UTC),
            until=until,
            going_on=lambda: self._ends is None,
        )
        if sent.outcome == "taken":
            if self._told_at is not None:
                log.info("our traces are taken again", spans_lost=self._lost)
            self._lost, self._told_at = 0, None
            return SpanExportResult.SUCCESS
        self._lost += len(spans)
        self._losses.not_taken(len(spans))
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            log.warning("our traces are not taken", why=sent.why, spans_lost=self._lost)
        return SpanExportResult.FAILURE

    def close(self, within: float) -> None:
        """From now on nothing is tried again, and all is over after so many seconds."""
        self._ends = time.monotonic() + within
