"""What the bench measures is what it says."""

from datetime import UTC, datetime

import numpy as np
import pytest
from deliveries import item_by_item
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.local_postgres import LocalPostgres
from bench import durable, peer, statements
from bench.bare import copy_again
from bench.bodies import MADE_UP, SPANS, Request, Template, calls, ordinary
from bench.dialects import BATCH, MEASURE, batch_of, dialects
from bench.loads import Lost, all_stored
from bench.plan import Plan
from bench.running import collector, empty_database, prepare
from bench.table import Row
from collector.signals import Signal
from collector.understanding.by_signal import understand_signal
from store.intake.intake import Heard
from store.postgres.sessions import Database


def heard(*bodies: bytes) -> Heard:
    return understand_signal(Signal.TRACES, bodies, tenant=1, received_at=datetime.now(UTC))


def attributes(template: Template) -> set[int]:
    request = ExportTraceServiceRequest.FromString(bytes(Request(template).renew(1)))
    return {len(span.attributes) for span in request.resource_spans[0].scope_spans[0].spans}


def test_every_captured_dialect_is_measured_on_batches_of_one_size() -> None:
    batches = {name: batch_of(name) for name in dialects()}
    assert MEASURE in batches
    for batch in batches.values():
        assert batch is None or len(item_by_item([batch])) == BATCH


def test_each_time_a_request_is_sent_it_holds_other_calls_of_this_moment() -> None:
    [template] = calls(MADE_UP, 1)
    request = Request(template)
    found = heard(*(bytes(request.renew(number)) for number in (1, 2))).sightings
    for column in ("trace_id", "span_id", "response_id"):
        assert len(found.column(column).unique()) == 2 * SPANS
    started = found.column("start_at").to_numpy(zero_copy_only=False)
    assert abs(started.max() - np.datetime64(datetime.now(UTC).replace(tzinfo=None))) < (
        np.timedelta64(1, "m")
    )
    assert attributes(template) == {14}


def test_ordinary_spans_have_ten_attributes_and_are_no_calls() -> None:
    [template] = ordinary(1)
    body = bytes(Request(template).renew(1))
    assert [part.not_a_call for part in heard(body).parts] == [SPANS]
    assert attributes(template) == {10}


@pytest.mark.parametrize(("figure", "reached"), [(0.69, False), (0.7, True), (0.71, True)])
def test_a_goal_is_reached_at_its_very_figure(figure: float, *, reached: bool) -> None:
    assert Row("n", "m", figure, "x", "", at_least=0.7).reached is reached
    assert Row("n", "m", 1.4 - figure, "x", "", at_most=0.7).reached is reached
    assert Row("n", "m", figure, "x", "").reached is None


@pytest.mark.one_server
def test_the_product_is_its_own_peer_and_stores_what_the_bench_sends(
    postgres: LocalPostgres,
) -> None:
    prepare(postgres)
    with empty_database(postgres) as url, collector(url, workers=1) as running:
        [row] = peer.measure(
            otlp=running.address,
            headers={},
            sql="SELECT count(*) FROM sightings",
            database=url,
            seconds=0.2,
            connections=2,
            patience=30,
            tokens=MADE_UP,
            say=lambda _line: None,
        )
        stored = int(row.details["stored"])
        assert stored % SPANS == row.details["missing"] == 0
        all_stored(url, stored)
        with pytest.raises(Lost):
            all_stored(url, stored + 1, patience=0)
        assert copy_again(postgres, url).rows_a_second > 0
        assert durable.bytes_of(url, stored)["sightings"] > 100


@pytest.mark.one_server
def test_a_statement_of_filled_months_is_measured(
    postgres: LocalPostgres, database: Database
) -> None:
    plan = Plan(postgres, 1, 0, 1, 1, MADE_UP, lambda _line: None)
    lines, _seconds = statements.filled(database, plan, months=2, teams=2, models=3)
    row = statements.statement_row(database, "Europe/Berlin")
    assert lines > 100
    assert (row.unit, row.at_most) == ("ms", statements.GOAL)
    assert row.note.startswith("6 lines beside the month before")
