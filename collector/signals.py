"""The three things that OTLP carries, and what each is called at the doors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Signal(StrEnum):
    """What a request holds."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"

    @property
    def path(self) -> str:
        """Where it is sent over HTTP."""
        return f"/v1/{self}"

    @property
    def service(self) -> str:
        """The gRPC service that takes it, with one method: Export."""
        return f"opentelemetry.proto.collector.{_NAMES[self][0]}"

    @property
    def request(self) -> str:
        """The message that holds it."""
        return _NAMES[self][1]

    @property
    def items(self) -> str:
        """What a request holds many of, in words."""
        return _NAMES[self][2]


_NAMES: Final = {
    Signal.TRACES: ("trace.v1.TraceService", "ExportTraceServiceRequest", "spans"),
    Signal.LOGS: ("logs.v1.LogsService", "ExportLogsServiceRequest", "log records"),
    Signal.METRICS: ("metrics.v1.MetricsService", "ExportMetricsServiceRequest", "data points"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """What came in at a door, taken out of its compression and its format."""

    body: bytes
    """The signal's serialised request."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason -> items that could not be put into it."""
