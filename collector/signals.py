"""The three things that OTLP carries, and what each is called at the doors."""

from enum import Enum
from typing import Final

SERVICES: Final = "opentelemetry.proto.collector"


class Signal(Enum):
    """What a request holds: its path, its gRPC service, its message, and many of what."""

    TRACES = ("/v1/traces", "trace.v1.TraceService", "ExportTraceServiceRequest", "spans")
    LOGS = ("/v1/logs", "logs.v1.LogsService", "ExportLogsServiceRequest", "log records")
    METRICS = (
        "/v1/metrics",
        "metrics.v1.MetricsService",
        "ExportMetricsServiceRequest",
        "data points",
    )

    def __init__(self, path: str, service: str, request: str, items: str) -> None:
        self.path = path
        self.service = f"{SERVICES}.{service}"
        self.request = request
        self.items = items
