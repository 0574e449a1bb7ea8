"""Makes OTLP metrics for tests: one metric of one resource a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ScopeMetrics,
)
from spans import pairs

DELTA = 1
CUMULATIVE = 2
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RESOURCE: Mapping[str, str] = {"service.name": "checkout", "team": "payments"}
SCOPE = "an.instrumentation"


@dataclass(frozen=True)
class Point:
    """What one data point says; times are seconds after NOON, None for none."""

    value: float
    at: float | None = 60
    since: float | None = 0
    calls: int | None = None
    """Makes it a histogram's."""
    attributes: Mapping[str, str | int | bool] | None = None
    flags: int = 0


def _nanos(seconds: float | None) -> int:
    return 0 if seconds is None else int((NOON.timestamp() + seconds) * 10**9)


def metrics(
    name: str,
    points: Sequence[Point],
    *,
    temporality: int = CUMULATIVE,
    scope: str = SCOPE,
    resource: Mapping[str, str] = RESOURCE,
) -> bytes:
    """A serialised ``ExportMetricsServiceRequest``."""
    metric = Metric(name=name)
    for point in points:
        common = {
            "attributes": pairs(point.attributes or {}),
            "time_unix_nano": _nanos(point.at),
            "start_time_unix_nano": _nanos(point.since),
            "flags": point.flags,
        }
        if point.calls is not None:
            metric.histogram.aggregation_temporality = temporality  # type: ignore[assignment]  # its stub wants the enum
            metric.histogram.data_points.append(
                HistogramDataPoint(count=point.calls, sum=point.value, **common)  # type: ignore[arg-type]  # fields by name
            )
        else:
            metric.sum.aggregation_temporality = temporality  # type: ignore[assignment]  # likewise
            metric.sum.data_points.append(
                NumberDataPoint(as_double=point.value, **common)  # type: ignore[arg-type]  # likewise
            )
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.extend(pairs(resource))
    within = ScopeMetrics(metrics=[metric])
    within.scope.name = scope
    group.scope_metrics.append(within)
    return request.SerializeToString()
