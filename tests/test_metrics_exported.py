"""The OpenTelemetry SDK's own exporter, through the door and into the rollups."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from doors import Doors, open_doors
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from points import Point, metrics
from sqlalchemy import func, select

from jobs import roll
from jobs.context import JobContext
from store.postgres.sessions import Database
from store.tables.rollups import cells

CALL = {"gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai"}


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened


def tokens(database: Database) -> tuple[int, int, int]:
    """Calls, input and output."""
    roll.run(JobContext(database, now=datetime.now(UTC) + timedelta(hours=1), by_hand=True))
    names = ("calls", "input", "output")
    with database.read() as session:
        row = session.execute(select(*(func.sum(cells.c[name]) for name in names))).one()
    return int(row[0]), int(row[1]), int(row[2])


@pytest.mark.parametrize(
    "temporality", [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA]
)
def test_what_an_application_measured_is_what_it_used(
    doors: Doors, temporality: AggregationTemporality
) -> None:
    exporter = OTLPMetricExporter(
        f"http://{doors.http}/v1/metrics",
        preferred_temporality={Counter: temporality, Histogram: temporality},
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=10**8)
    provider = MeterProvider([reader], resource=Resource({"service.name": "checkout"}))
    usage = provider.get_meter("an.instrumentation").create_histogram("gen_ai.client.token.usage")
    for calls in (2, 0, 3):
        for _ in range(calls):
            usage.record(1000, {**CALL, "gen_ai.token.type": "input"})
            usage.record(50, {**CALL, "gen_ai.token.type": "output"})
        provider.force_flush()
    provider.shutdown()
    assert tokens(doors.database) == (5, 5000, 250)


def test_a_sender_is_told_which_points_cannot_be(doors: Doors) -> None:
    good = Point(7, attributes={**CALL, "gen_ai.token.type": "output"})
    bad = Point(7, since=None, attributes={**CALL, "gen_ai.token.type": "input"})
    answer = doors.post(metrics("gen_ai.client.token.usage", [good, bad]), path="/v1/metrics")
    told = ExportMetricsServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, told.rejected_data_points) == (200, 1)
    assert "start_time_unix_nano: a cumulative point has none" in told.error_message
