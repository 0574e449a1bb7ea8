"""Our own traces tell what our processes do, nothing of whom they do it for, and trouble nobody."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urljoin

import pytest
from budgeted import NOW, budget, charge, evaluate, settings
from doors import open_doors
from fastapi.testclient import TestClient
from filled_ledger import asking, put_charge
from otlp_listener import Heard, Listener, otlp_listener
from serving import PATIENCE, eventually
from slack_stand_in import StandIn, answer, slack_stand_in
from spans import Told, call, request
from spooled import open_spool, put
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from api.metrics.metric_list import PATHS
from app.settings import Settings
from app.telemetry import provider, sender
from app.telemetry.tracing import Tracing, tracing
from collector.signals import Signal
from collector.spool.codec import encode
from collector.spool.state import Bounds, Place, look
from collector.understanding.by_signal import understand_signal
from jobs import timetable
from jobs.context import Done, JobContext
from jobs.timetable import run_job
from spend.calls import Owner
from store.postgres.sessions import Database
from store.steps import untold
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

SERVER, CLIENT = 2, 3
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NAMED = "zq-a-team-of-theirs"


@pytest.fixture(autouse=True)
def a_busy_machine_may_take_long_for_the_last_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "FLUSHED", 30.0)
    monkeypatch.setattr(provider, "_BOUND", 60.0)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with otlp_listener() as heard:
        yield heard


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with slack_stand_in() as answering:
        yield answering


def traced_to(
    endpoint: str, sample: float = 1, headers: tuple[tuple[str, str], ...] = ()
) -> AbstractContextManager[Tracing]:
    return provider.traced(endpoint, headers, sample, "tests")


def asked(database: Database, traced: Tracing, path: str, **headers: str) -> int:
    client = asking(database)
    with TestClient(traced.around(client.app)) as wrapped:
        return wrapped.get(path, headers=headers).status_code


def test_a_request_goes_on_with_its_senders_trace_and_has_its_statements_beneath(
    database: Database, listener: Listener
) -> None:
    with traced_to(listener.endpoint) as traced:
        traced.statements_of(database)
        comes = f"00-{TRACE}-{PARENT}-01"
        path = "/v1/statements/2026-10?currency=USD"
        assert asked(database, traced, path, traceparent=comes) == 200
    span = listener.only("GET /v1/statements/{month}")
    assert (span.trace, span.parent, span.kind, span.failed) == (TRACE, PARENT, SERVER, False)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/statements/{month}",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "network.protocol.version": "1.1",
    }
    statements = [each for each in listener.spans if each.parent == span.id]
    assert statements
    for each in statements:
        assert (each.trace, each.kind) == (TRACE, CLIENT)
        assert each.attributes["db.system.name"] == "postgresql"
        assert each.name == each.attributes["db.operation.name"]
    assert {each.resource["service.name"] for each in listener.spans} == {"spanledger"}
    assert {each.path for each in listener.spans} == {"/v1/traces"}


def test_a_span_names_its_route_behind_a_proxy_and_of_head_too(
    database: Database, listener: Listener
) -> None:
    client = asking(database, trusted_proxies=(ip_network("192.0.2.0/24"),))
    with traced_to(listener.endpoint) as traced:
        with TestClient(traced.around(client.app), client=("192.0.2.7", 1)) as proxied:
            assert proxied.get("/v1/budgets").status_code == 200
        with TestClient(traced.around(client.app)) as near:
            assert near.head("/v1/statements/2026-10").status_code == 200
    told = {each.name: each.attributes.get("http.route") for each in listener.spans}
    assert told["GET /v1/budgets"] == "/v1/budgets"
    assert told["HEAD /v1/statements/{month}"] == "/v1/statements/{month}"


def test_what_machines_ask_all_day_makes_no_span(database: Database, listener: Listener) -> None:
    with traced_to(listener.endpoint) as traced:
        for path in ("/livez", "/readyz", *PATHS):
            assert asked(database, traced, path) == 200
        assert asked(database, traced, "/v1/budgets") == 200
    assert [each.name for each in listener.spans] == ["GET /v1/budgets"]


def test_nothing_that_somebody_wrote_is_in_a_span(database: Database, listener: Listener) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-02", "1", Owner(team=NAMED))
    period = "from=2026-10-01&to=2026-11-01"
    bodies: list[bytes] = []
    listener.pass_on = lambda _path, body: bodies.append(body)
    with traced_to(listener.endpoint) as traced:
        traced.statements_of(database)
        assert asked(database, traced, f"/v1/spend?{period}&team={NAMED}") == 200
        sent = {"cookie": f"a={NAMED}", "baggage": f"a={NAMED}", "tracestate": f"a={NAMED}"}
        sent["traceparent"] = f"00-{TRACE}-{PARENT}-01"
        assert asked(database, traced, f"/teams/{NAMED}", **sent) == 200
        assert asked(database, traced, f"/{NAMED}") == 404
        with pytest.raises(ValueError, match=NAMED), traced.steps("roll", None):
            raise ValueError(NAMED)
    assert {each.name for each in listener.spans} >= {
        "GET",
        "GET /v1/spend",
        "GET /teams/{team}",
    }
    assert NAMED not in repr(listener.spans)
    assert not any(NAMED.encode() in body for body in bodies)
    assert "2026-10-01" not in repr(listener.spans)


def test_what_fails_is_told_by_its_kind(database: Database, listener: Listener) -> None:
    with traced_to(listener.endpoint) as traced:
        traced.statements_of(database)
        with (
            pytest.raises(DBAPIError),
            traced.steps("roll", None),
            database.read() as session,
        ):
            session.execute(text("SELECT 1 / :nothing"), {"nothing": 0})
        with traced.steps("charge", None), database.read() as session:
            session.execute(text("SELECT 1"))
    wrong, well = listener.named("SELECT")
    assert wrong.failed
    assert wrong.attributes["db.response.status_code"] == "22012"
    assert "1 / %(nothing)s" in wrong.attributes["db.query.text"]
    assert listener.only("roll").attributes == {"error.type": "DataError"}
    assert (well.failed, well.parent) == (False, listener.only("charge").id)


def test_who_asks_without_a_span_makes_none(database: Database, listener: Listener) -> None:
    with traced_to(listener.endpoint) as traced:
        traced.statements_of(database)
        assert asked(database, traced, "/readyz") == 200
        with database.read() as session:
            session.execute(text("SELECT 1"))
    with traced_to(listener.endpoint, sample=0) as traced:
        traced.statements_of(database)
        assert asked(database, traced, "/v1/budgets") == 200
        assert asked(database, traced, "/v1/budgets", traceparent=f"00-{TRACE}-{PARENT}-00") == 200
    assert listener.spans == []


def test_a_run_of_a_job_tells_in_numbers_what_it_did(
    database: Database, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_context: JobContext) -> Done:
        raise LookupError(NAMED)

    with traced_to(listener.endpoint) as traced:
        context = JobContext(database, now=NOW, steps=traced.steps)
        run_job("roll", context)
        broken = timetable.replace(timetable.JOBS["charge"], run=fails)
        monkeypatch.setitem(timetable.JOBS, "charge", broken)
        with pytest.raises(LookupError):
            run_job("charge", context)
    rolled = listener.only("job roll")
    assert rolled.attributes == {
        "spanledger.batches": 0,
        "spanledger.sightings": 0,
        "spanledger.outcome": "done",
    }
    failed = listener.only("job charge")
    assert (failed.failed, failed.attributes) == (True, {"error.type": "LookupError"})


def test_what_is_delivered_is_a_part_of_the_run(
    database: Database, listener: Listener, stand_in: StandIn
) -> None:
    budget(database, thresholds=[100])
    charge(database, "100")
    evaluate(database)
    stand_in.script.append(answer(404, b"no_service"))
    with traced_to(listener.endpoint) as traced:
        told = settings(stand_in.url)
        run_job("alerts", JobContext(database, now=NOW, settings=told, steps=traced.steps))
    run, delivered = listener.only("job alerts"), listener.only("deliver")
    assert (delivered.parent, delivered.failed) == (run.id, True)
    assert delivered.attributes == {
        "spanledger.kind": "slack-webhook",
        "spanledger.messages": 1,
        "spanledger.outcome": "never",
    }
    assert run.attributes["spanledger.never"] == 1
    assert "hooks" not in repr(listener.spans)


def test_a_batch_is_a_span_from_when_it_was_heard_and_one_without_calls_is_none(
    database: Database, listener: Listener
) -> None:
    other_work = Told(attributes={"db.system.name": "postgresql"}, span_id=b"3" * 8)
    with (
        traced_to(listener.endpoint) as traced,
        open_doors(database, steps=traced.steps) as doors,
    ):
        began = time.time_ns()
        assert doors.post(request(call(), other_work)).status == 200
        assert doors.post(request(other_work)).status == 200
        assert doors.accounted()["not_a_call"] == 2
    batch = listener.only("batch")
    assert began <= batch.began < batch.ended
    assert batch.attributes == {
        "spanledger.requests": 1,
        "spanledger.from_spool": 0,
        "spanledger.heard": 2,
        "spanledger.stored": 1,
        "spanledger.duplicate": 0,
        "spanledger.not_a_call": 1,
    }


def test_what_the_spool_held_is_told_as_drained_and_as_heard_now(
    database: Database, listener: Listener, tmp_path: Path
) -> None:
    kept = datetime.now(UTC) - timedelta(hours=3)
    heard = understand_signal(Signal.TRACES, [request(call())], tenant=TENANT, received_at=kept)
    with open_spool(tmp_path) as spool:
        put(spool, encode(heard, kept))
    began = time.time_ns()
    with (
        traced_to(listener.endpoint) as traced,
        open_doors(database, spool=Place(tmp_path, Bounds()), steps=traced.steps) as doors,
    ):
        eventually(lambda: look(tmp_path).waiting == 0 and doors.stored(), "it is put down")
    drained, batch = listener.only("drain"), listener.only("batch")
    assert drained.attributes == {"spanledger.records": 1, "spanledger.spans": 1}
    assert (batch.attributes["spanledger.from_spool"], batch.began > began) == (1, True)


def test_a_receiver_in_trouble_slows_nobody_and_is_told_of_once(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "_EVERY", 20)
    monkeypatch.setattr(provider, "FLUSHED", 1.0)
    monkeypatch.setattr(provider, "_BOUND", 1.5)
    monkeypatch.setattr(sender, "PATIENCE", 0.2)
    garbage = answer(500, b"\xff" * 100)
    stand_in.script += [garbage, stand_in.drip, answer(307, headers={"Location": "/"})]
    stand_in.script += [stand_in.hang] * 50
    endpoint = urljoin(stand_in.url, "/secret-path")
    with capture_logs() as logged:
        with traced_to(endpoint, headers=(("api-key", NAMED),)) as traced:
            done, until = 0, time.monotonic() + PATIENCE
            while len(stand_in.bodies) < 6:
                assert time.monotonic() < until, "it is not tried again"
                with traced.steps("roll", None):
                    done += 1
            while traced.lost()["queue"] < provider._WAITING:
                assert time.monotonic() < until, "nothing is lost"
                with traced.steps("roll", None):
                    done += 1
            ends = time.perf_counter()
        took = time.perf_counter() - ends
        lost = traced.lost()
    # Each of those requests took a fifth of a second, and nobody waited for one.
    assert done > 1000
    # And a busy machine's time; whoever waited for what hangs would wait for ten.
    assert took < provider._BOUND + 5
    line, full = sorted(logged, key=lambda line: str(line["event"]))
    assert line["event"] == "our traces are not taken"
    assert full["event"] == "our traces come faster than they are taken"
    # What still waits at the end is in neither.
    assert lost["receiver"] > 0
    assert sum(lost.values()) <= done * 1.01
    assert NAMED not in repr(line)
    assert "secret-path" not in repr(line)


def test_a_collector_counts_spans_that_were_lost_on_where_the_one_before_it_ended(
    database: Database, tmp_path: Path
) -> None:
    place = Place(tmp_path, Bounds())
    for total in (2, 4):
        with open_doors(database, spool=place, lost=lambda: {"queue": 2, "receiver": 0}) as doors:
            shown = doors.post(b"", None, path="/metrics", method="GET").body.decode()
        assert f'spanledger_own_spans_lost_total{{why="queue"}} {total}.0' in shown


def test_what_is_taken_again_is_told_of(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "_EVERY", 20)
    stand_in.script.append(answer(400))
    with (
        capture_logs() as logged,
        traced_to(urljoin(stand_in.url, "/")) as traced,
    ):

        def told() -> bool:
            with traced.steps("roll", None):
                return len(stand_in.bodies) >= 3

        eventually(told, "traces were taken again")
    assert [line["event"] for line in logged] == [
        "our traces are not taken",
        "our traces are taken again",
    ]


def test_headers_are_sent_and_those_of_applications_are_not(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-theirs={NAMED}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_RESOURCE_ATTRIBUTES": f"team={NAMED}",
        "OTEL_SERVICE_NAME": NAMED,
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0",
        "OTEL_BSP_MAX_QUEUE_SIZE": "1",
    }
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    with traced_to(listener.endpoint, headers=(("api-key", "ours"),)) as traced:
        for _ in range(3):
            with traced.steps("roll", None) as told:
                told["batches"] = 2
    assert len(listener.spans) == 3
    first: Heard = listener.spans[0]
    assert first.headers["api-key"] == "ours"
    assert first.attributes == {"spanledger.batches": 2}
    assert NAMED not in repr(listener.spans)


def test_the_api_tells_an_applications_receiver_nothing_by_itself(
    database: Database, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listener.endpoint)
    heard: list[str] = []
    listener.pass_on = lambda path, _body: heard.append(path)
    assert asked(database, Tracing(), "/v1/budgets") == 200
    assert heard == []


def test_where_it_is_off_nothing_is_loaded_or_begun() -> None:
    script = "import sys, app.commands.api, app.commands.jobs, app.serve\nprint(*sys.modules)"
    done = subprocess.run(  # noqa: S603  # the test's own script, with this Python
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    loaded = set(done.stdout.split())
    assert "app.telemetry.tracing" in loaded
    heavy = {"opentelemetry.sdk", "opentelemetry.exporter", "app.telemetry.provider"}
    assert not loaded & heavy
    with tracing(Settings(), "api") as traced:
        assert traced.steps is untold
