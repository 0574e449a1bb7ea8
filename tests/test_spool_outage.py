"""While Postgres is away or silent, senders are answered from the spool; nothing is lost."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doors import Doors, call, open_doors, other_span, request
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from serving import eventually
from spooled import conserved, counted
from sqlalchemy import select, text
from structlog.testing import capture_logs

from app.local_postgres import LocalPostgres, local_postgres
from collector.spool import drain
from collector.spool.state import Bounds, Place, look
from migrations.run import upgrade
from store.postgres.sessions import Database, open_database
from store.tables.heard import batches, sightings


@contextmanager
def stage(tmp_path: Path) -> Iterator[tuple[LocalPostgres, Database, Place]]:
    with local_postgres(tmp_path / "data", durable=False) as server:
        upgrade(server.url)
        database = open_database(server.url, application="tests")
        try:
            yield server, database, Place(tmp_path / "spool", Bounds())
        finally:
            database.engine.dispose()


def ready(doors: Doors) -> tuple[int, dict[str, object]]:
    answer = doors.post(b"", None, path="/readyz", method="GET")
    return answer.status, json.loads(answer.body)


def drained(place: Place) -> bool:
    return look(place.root).waiting == 0


def test_what_is_sent_while_postgres_is_away_is_stored_once_and_in_order(tmp_path: Path) -> None:
    with stage(tmp_path) as (server, database, place), open_doors(database, spool=place) as doors:
        assert doors.post(request(call(1))).status == 200
        server.stop()
        exporter = OTLPSpanExporter(f"http://{doors.http}/v1/traces")
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        with provider.get_tracer("test").start_as_current_span("chat") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.request.model", "gpt-5")
        assert provider.force_flush(5_000), "answered at once, while Postgres is away"
        provider.shutdown()
        for number in range(2, 12):
            body = request(call(number, trace=number), other_span(100 + number))
            answer = doors.post(body)
            assert (answer.status, answer.body) == (200, b"")
        refused = doors.post(request(call(1, trace=0), call(12, trace=12)))
        assert refused.export().partial_success.rejected_spans == 1
        status, told = ready(doors)
        assert (status, told["database"]) == (200, "away")
        before = counted(doors)
        assert before["spans_total:spooled"] == before["spool_spans"] == 12
        conserved(before)
        server.start()
        eventually(lambda: drained(place), "the spool is stored")
        after = counted(doors)
        conserved(after)
        assert after["drained_spans_total:stored"] == 12
        assert after["spool_records"] == 0
        eventually(lambda: ready(doors)[1]["database"] == "there", "it is known to be back")
        accounted = doors.accounted()
        assert accounted == {
            "heard": 24, "stored": 13, "duplicate": 0, "not_a_call": 10, "refused": 1,
        }  # fmt: skip
        with database.read() as session:
            order = session.scalars(
                select(sightings.c.trace_id)
                .join(batches, batches.c.id == sightings.c.batch_id)
                .where(sightings.c.batch_id > 1)
                .order_by(batches.c.received_at, batches.c.id)
            ).all()
        assert len(order) == 12


def test_who_comes_first_while_postgres_is_away_is_let_in_without_a_key(tmp_path: Path) -> None:
    with stage(tmp_path) as (server, database, place), open_doors(database, spool=place) as doors:
        asked = place.root / "senders"
        eventually(lambda: asked.is_dir() and any(asked.iterdir()), "it is known who may send")
        server.stop()
        assert doors.post(request(call(1))).status == 200
        server.start()
        eventually(lambda: drained(place), "the spool is stored")
        assert doors.stored() == 1


@pytest.mark.one_server
def test_a_store_that_is_slow_keeps_nobody_waiting(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "_PROGRESS", 0.05)
    monkeypatch.setattr(drain, "_TICK", 0.05)
    place = Place(tmp_path, Bounds())
    with capture_logs() as logged, open_doors(database, spool=place) as doors:
        assert doors.post(request(call(1))).status == 200
        with database.write() as session:
            session.execute(text("LOCK TABLE batches IN EXCLUSIVE MODE"))
            assert doors.post(request(call(2), call(3))).status == 200
            assert doors.stored() == 1
        eventually(lambda: drained(place), "the spool is stored")
        assert doors.stored() == 3
        eventually(
            lambda: "the spool is drained" in [line["event"] for line in logged], "it is told"
        )
    assert "draining the spool" in [line["event"] for line in logged]
