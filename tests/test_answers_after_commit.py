"""200 means committed. While Postgres is away senders are told to come again, and lose nothing."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from doors import PEPPER, Answer, Doors, call, number, open_doors, other_span, request
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from serving import eventually
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session
from test_intake import Request, Seen
from test_otlp_grpc import refused

from app.local_postgres import LocalPostgres, local_postgres
from collector import batches as writing
from collector import receive
from collector.batches import Writer
from collector.errors import Busy
from collector.limits import Limits
from migrations.run import upgrade
from store.access.keys import create_key
from store.dictionaries import Known
from store.intake.intake import Batch, PutDown
from store.postgres.sessions import Database, open_database
from store.tables.heard import batches, sightings
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


def test_while_postgres_is_away_senders_are_told_to_come_again(tmp_path: Path) -> None:
    with local_postgres(tmp_path, durable=False) as server:
        upgrade(server.url)
        database = open_database(server.url, application="tests")
        try:
            with open_doors(database) as doors:
                goes_away_and_comes_back(doors, server)
        finally:
            database.engine.dispose()


def goes_away_and_comes_back(doors: Doors, server: LocalPostgres) -> None:
    body = request(call(1), call(2))
    assert doors.post(body).status == 200
    server.stop()
    began = time.monotonic()
    answer = doors.post(body)
    assert (answer.status, answer.headers["retry-after"]) == (503, "3")
    assert answer.error().code == 14
    error = refused(doors, body)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    trailers = dict(error.trailing_metadata())
    assert Status.FromString(trailers["grpc-status-details-bin"]).code == 14
    assert "google.rpc.retryinfo-bin" in trailers
    assert doors.post(b"\xff").status == 400, "what is malformed is so whatever Postgres does"
    assert time.monotonic() - began < 8
    exporter = OTLPSpanExporter(f"http://{doors.http}/v1/traces")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.request.model", "gpt-5")
    restart = threading.Timer(1.0, server.start)
    restart.start()
    assert provider.force_flush(20_000)
    restart.join()
    provider.shutdown()
    eventually(lambda: doors.post(body).status == 200, "it recovers by itself")
    assert doors.stored() == 3, "the exporter's retry got through, and nothing is there twice"


def test_what_was_acknowledged_survives_a_killed_server(tmp_path: Path) -> None:
    answers: list[tuple[int, int]] = []
    over = threading.Event()
    with local_postgres(tmp_path, durable=False) as server:
        upgrade(server.url)
        database = open_database(server.url, application="tests")
        with open_doors(database) as doors:

            def send(first: int) -> None:
                number = first
                while not over.is_set():
                    answers.append((number, doors.post(request(call(1, trace=number))).status))
                    number += 1

            senders = [threading.Thread(target=send, args=[10**6 * n]) for n in (1, 2)]
            for sender in senders:
                sender.start()
            for _ in range(2):
                eventually(lambda: answers[-1:] != [] and answers[-1][1] == 200, "spans are stored")
                assert server.pid
                os.kill(server.pid, signal.SIGKILL)
                # Not one that was on its way since the kill before.
                sent = len(answers) + len(senders)
                eventually(lambda at=sent: told_busy(answers[at:]), "the server is gone")
                server.recover()
            eventually(lambda: answers[-1][1] == 200, "spans are stored again")
            over.set()
            for sender in senders:
                sender.join()
            assert {status for _, status in answers} == {200, 503}
            with database.read() as session:
                found = {trace.int for trace in session.scalars(select(sightings.c.trace_id))}
            assert {number for number, status in answers if status == 200} <= found
        database.engine.dispose()


def told_busy(answers: list[tuple[int, int]]) -> bool:
    return 503 in (status for _, status in answers)


def test_killed_connections_cost_an_answer_but_no_span(database: Database) -> None:
    with open_doors(database) as doors:
        for number in range(1, 6):
            answer = doors.post(request(call(number)))
            assert answer.status == 200
            with database.write() as session:
                session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
        assert doors.stored() == 5


def test_what_cannot_be_committed_is_not_acknowledged(database: Database) -> None:
    with open_doors(database) as doors:
        assert doors.post(request(call(1))).status == 200

        def fail(_connection: object) -> None:
            raise RuntimeError("nobody foresaw this")

        event.listen(database.engine, "commit", fail)
        answer = doors.post(request(call(2)))
        event.remove(database.engine, "commit", fail)
        assert (answer.status, answer.headers["retry-after"]) == (503, "3")
        assert doors.stored() == 1
        assert doors.post(request(call(2))).status == 200
        assert doors.stored() == 2


def test_a_store_that_is_slow_is_told_as_busy_in_time(database: Database) -> None:
    limits = replace(Limits(), answer_seconds=0.5)
    with open_doors(database, limits) as doors:
        # On a busy machine half a second may be too little for the first one, too.
        eventually(lambda: doors.post(request(call(1))).status == 200, "a span is stored")
        with database.write() as session:
            session.execute(text("LOCK TABLE batches IN EXCLUSIVE MODE"))
            began = time.monotonic()
            answer = doors.post(request(call(2)))
            assert time.monotonic() - began < 5
        assert (answer.status, answer.headers["retry-after"]) == (503, "3")
        eventually(lambda: doors.post(request(call(2))).status == 200, "it recovers by itself")
        assert doors.stored() == 2


def test_a_key_that_is_not_looked_up_in_time_is_told_to_come_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind="ingest",
            name="k",
            team=None,
            pepper=PEPPER,
            now=datetime.now(UTC),
        )
    with open_doors(database) as doors, database.write() as session:
        session.execute(text("LOCK TABLE keys IN ACCESS EXCLUSIVE MODE"))
        with monkeypatch.context() as hurried:
            hurried.setattr(receive, "_LOOKUP_SECONDS", 0.3)
            began = time.monotonic()
            answer = doors.post(request(call(1)), x_api_key=key)
            assert time.monotonic() - began < 10
        assert (answer.status, answer.headers["retry-after"]) == (503, "3")
        assert answer.error().message == "the key cannot be looked up at the moment"


def test_requests_at_the_same_time_share_transactions_and_keep_their_own_account(
    database: Database,
) -> None:
    bodies = [
        request(call(n, trace=n), call(n, trace=n), other_span(n), call(1, trace=1))
        for n in range(2, 42)
    ]
    random.Random(7).shuffle(bodies)
    with open_doors(database) as doors, ThreadPoolExecutor(10) as senders:
        with database.write() as session:
            # Let them gather: the first transaction waits for this one.
            session.execute(text("LOCK TABLE batches IN EXCLUSIVE MODE"))
            first = [senders.submit(doors.post, body) for body in bodies]
            waits = select(func.count()).select_from(text("pg_locks")).where(text("NOT granted"))
            eventually(lambda: session.execute(waits).scalar_one() > 0, "a batch waits")
        answers: list[Answer] = [answer.result() for answer in first]
        assert {answer.status for answer in answers} == {200}
        assert doors.stored() == 41
        assert doors.accounted() == {
            "heard": 160, "stored": 41, "duplicate": 79, "not_a_call": 40, "refused": 0,
        }  # fmt: skip
        with database.read() as session:
            transactions = session.execute(select(func.count()).select_from(batches)).scalar_one()
        assert transactions < 40


def test_one_request_that_nobody_foresaw_does_not_hold_up_the_others(database: Database) -> None:
    writer = Writer(database, Limits())
    good = [Request([Seen(n)]).heard() for n in range(3)]
    bad = replace(good[0], parts=[replace(good[0].parts[0], heard=99)])
    waiting = [writer.put(heard, Seen(0).at) for heard in (good[0], bad, good[1], good[2])]
    writer.start()
    assert waiting[0].accounts.result(10)[0].stored == 1
    with pytest.raises(Busy):
        waiting[1].accounts.result(10)
    assert [w.accounts.result(10)[0].stored for w in waiting[2:]] == [1, 1]
    assert writer.stop(10)


def test_what_waited_in_the_spool_does_not_date_back_what_is_heard_now(database: Database) -> None:
    writer = Writer(database, Limits())
    spooled, live = (Request([Seen(n)]).heard() for n in range(2))
    waiting = [writer.put(spooled, Seen(0).at - timedelta(hours=6)), writer.put(live, Seen(0).at)]
    writer.start()
    assert [each.accounts.result(10)[0].stored for each in waiting] == [1, 1]
    assert writer.stop(10)
    with database.read() as session:
        assert session.scalars(select(batches.c.received_at)).all() == [Seen(0).at]


class _PanicException(BaseException):
    """What Rust's panics are in Python."""


def test_a_panic_of_a_library_costs_its_request_and_not_the_writer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_down, bad, good = writing.put_down, *(Request([Seen(n)]).heard() for n in range(2))

    def panic(session: Session, batch: Batch, known: Known, *, straight: bool) -> PutDown:
        if bad in batch.heard:
            raise _PanicException("called `Option::unwrap()` on a `None` value")
        return put_down(session, batch, known, straight=straight)

    monkeypatch.setattr(writing, "put_down", panic)
    writer = Writer(database, Limits())
    waiting = [writer.put(heard, Seen(0).at) for heard in (bad, good)]
    writer.start()
    with pytest.raises(Busy):
        waiting[0].accounts.result(10)
    assert waiting[1].accounts.result(10)[0].stored == 1
    assert writer.stop(10)


def test_when_it_stops_whoever_was_told_200_is_stored(database: Database) -> None:
    done: list[tuple[int, int]] = []
    with open_doors(database) as doors, ThreadPoolExecutor(4) as senders:

        def send(first: int) -> None:
            for number in range(first, first + 1000):
                try:
                    status = doors.post(request(call(number, trace=number))).status
                except OSError:
                    return
                done.append((number, status))

        sending = [senders.submit(send, 1 + 1000 * n) for n in range(4)]
        eventually(lambda: len(done) > 50, "they are sending")
        doors.stop.set()
        for sender in sending:
            sender.result(30)
    assert {status for _, status in done} <= {200, 503}
    assert doors.stored() >= sum(status == 200 for _, status in done)
    assert doors.accounted()["heard"] == doors.stored()


def damaged(span: Span, how: str) -> Span:
    match how:
        case "no trace":
            span.trace_id = b""
        case "short span":
            span.span_id = b"abc"
        case "no start":
            span.start_time_unix_nano = 0
        case "absurd usage":
            span.attributes.append(number("gen_ai.usage.output_tokens", -(2**62)))
    return span


SPANS = st.one_of(
    st.builds(call, st.integers(1, 9), trace=st.integers(1, 2), tokens=st.integers(-5, 2**62)),
    st.builds(other_span, st.integers(1, 9)),
    st.builds(
        damaged,
        st.builds(call, st.integers(1, 9)),
        st.sampled_from(["no trace", "short span", "no start", "absurd usage"]),
    ),
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(requests=st.lists(st.lists(SPANS, max_size=6), min_size=1, max_size=5))
def test_every_span_heard_is_stored_duplicate_not_a_call_or_refused(
    steady_doors: Doors, requests: list[list[Span]]
) -> None:
    before = steady_doors.accounted()
    rejected = 0
    for spans in requests:
        answer = steady_doors.post(request(*spans))
        assert answer.status == 200
        rejected += answer.export().partial_success.rejected_spans
    after = steady_doors.accounted()
    change = {name: after[name] - before[name] for name in after}
    assert change["heard"] == sum(map(len, requests))
    assert change["refused"] == rejected
    assert change["heard"] == sum(change.values()) - change["heard"]
    assert after["stored"] == steady_doors.stored()


@pytest.fixture
def steady_doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened
