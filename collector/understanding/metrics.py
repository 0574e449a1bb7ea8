"""What metrics say of calls: nothing yet, but how many points they have."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from collector.errors import Malformed
from store.intake import Heard
from store.sightings import no_sightings


def understand_metrics(
    requests: Sequence[bytes], *, tenant: int, received_at: datetime, key_team: str | None = None
) -> Heard:
    """What some serialised ``ExportMetricsServiceRequest`` s hold.

    Raises ``collector.errors.Malformed`` where some bytes are no such request.
    """
    del tenant, received_at, key_team
    points = sum(map(_points, requests))
    return Heard(no_sightings(), {}, {}, {}, points, points, Counter(), Counter())


def _points(request: bytes) -> int:
    try:
        told = ExportMetricsServiceRequest.FromString(request)
    except DecodeError as error:
        raise Malformed(f"not an ExportMetricsServiceRequest: {error}") from None
    return sum(
        len(getattr(metric, kind).data_points)
        for group in told.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
        if (kind := metric.WhichOneof("data"))
    )
