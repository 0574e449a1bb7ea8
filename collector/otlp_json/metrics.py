"""A metric in OTLP/JSON. Buckets and quantiles are left out: nothing that is kept lies there."""

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from collector.otlp_json.values import (
    attributes,
    enum,
    inner,
    integer,
    objects,
    real,
    text,
    unsigned,
)

_INT64 = range(-(2**63), 2**63)


def put_metric(metric: Metric, content: dict[str, Any]) -> None:
    """Put what an object says into a metric. Raises ``Malformed``, naming the member."""
    metric.name = text(content, "name", "")
    metric.unit = text(content, "unit", "")
    for member, (field, put) in _KINDS.items():
        if member not in content:
            continue
        told, data = inner(content, member, ""), getattr(metric, field)
        data.SetInParent()
        if hasattr(data, "aggregation_temporality"):
            number = enum(told, "aggregationTemporality", f"{member}.")
            data.aggregation_temporality = number
        if hasattr(data, "is_monotonic"):
            data.is_monotonic = told.get("isMonotonic") is True
        for one, its_place in objects(told, "dataPoints", f"{member}."):
            put(data.data_points.add(), one, its_place)
        return


def _put_number(point: NumberDataPoint, content: dict[str, Any], place: str) -> None:
    _put_times(point, content, place)
    whole = integer(content.get("asInt"))
    if whole is not None and whole in _INT64:
        point.as_int = whole
        return
    number = real(content.get("asDouble"))
    if number is not None:
        point.as_double = number


def _put_histogram(
    point: HistogramDataPoint | ExponentialHistogramDataPoint, content: dict[str, Any], place: str
) -> None:
    _put_times(point, content, place)
    point.count = unsigned(content.get("count"))
    together = real(content.get("sum"))
    if together is not None:
        point.sum = together


def _put_summary(point: SummaryDataPoint, content: dict[str, Any], place: str) -> None:
    _put_times(point, content, place)
    point.count = unsigned(content.get("count"))
    point.sum = real(content.get("sum")) or 0.0


def _put_times(point: Any, content: dict[str, Any], place: str) -> None:
    """What all points have: times, attributes and flags."""
    point.attributes.extend(attributes(content, place))
    point.start_time_unix_nano = unsigned(content.get("startTimeUnixNano"))
    point.time_unix_nano = unsigned(content.get("timeUnixNano"))
    point.flags = max(enum(content, "flags", place), 0)


_KINDS: Final[dict[str, tuple[str, Callable[[Any, dict[str, Any], str], None]]]] = {
    "gauge": ("gauge", _put_number),
    "sum": ("sum", _put_number),
    "histogram": ("histogram", _put_histogram),
    "exponentialHistogram": ("exponential_histogram", _put_histogram),
    "summary": ("summary", _put_summary),
}
"""Member -> field of ``Metric``, and how its points are read."""
