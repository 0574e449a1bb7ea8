"""A running ``serve`` tells of itself: each process by itself, in no circle, and no secret."""

import gzip
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_listener import Listener, otlp_listener
from serving import Serving, eventually, serving
from slack_stand_in import StandIn, slack_stand_in
from sqlalchemy import func, select

from app.cli import cli
from store.postgres.sessions import Database
from store.tables.heard import batches

pytestmark = pytest.mark.one_server

SECRET = "zq-of-the-receiver"  # made up
THEIRS = "zq-an-application"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with otlp_listener() as heard:
        yield heard


@pytest.fixture
def receiver() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


def passed_on(running: Serving) -> Callable[[str, bytes], None]:
    """As a Collector in front that gives all it gets to spanledger."""

    def pass_on(path: str, body: bytes) -> None:
        asked = urllib.request.Request(  # http, to this machine
            f"http://{running.address('OTLP/HTTP')}{path}",
            data=body,
            headers={"Content-Type": "application/x-protobuf"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310  # as above
            assert answer.status == 200

    return pass_on


def summed(database: Database) -> dict[str, int]:
    names = ("stored", "duplicate", "not_a_call", "refused")
    with database.read() as session:
        sums = (func.coalesce(func.sum(batches.c[name]), 0) for name in names)
        return dict(zip(names, map(int, session.execute(select(*sums)).one()), strict=True))


def test_every_process_tells_of_itself_and_what_comes_back_to_us_is_no_call_and_no_circle(
    tmp_path: Path,
    database_url: str,
    database: Database,
    listener: Listener,
    receiver: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", THEIRS)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={THEIRS}")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    settings = {
        "DATABASE_URL": database_url,
        "TELEMETRY_ENDPOINT": listener.endpoint,
        "TELEMETRY_HEADERS": f"api-key={SECRET}",
        "EXPORT_ENDPOINT": urljoin(receiver.url, "/"),
        "EXPORT_HEADERS": f"api-key={SECRET}",
        "COLLECTOR_WORKERS": "1",
    }
    with serving(tmp_path / "data", **settings) as running:
        pass_on, passed = passed_on(running), [0]

        def pass_spans_on(path: str, body: bytes) -> None:
            pass_on(path, body)
            request = ExportTraceServiceRequest.FromString(body)
            passed[0] += sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)

        listener.pass_on = pass_spans_on
        assert running.post(running.first_span()) == 200
        running.get("/v1/budgets")

        def told() -> set[str]:
            return {span.resource["spanledger.process"] for span in listener.spans}

        eventually(lambda: told() == {"collector", "jobs", "api"}, "all of them tell")
        eventually(lambda: listener.named("GET /v1/budgets"), "a request is told of")
        eventually(lambda: receiver.bodies, "spend is told")
        # Metrics of ours, too, as if they came from anybody.
        pass_on("/v1/metrics", gzip.decompress(receiver.bodies[0]))
        heard = passed[0]
        eventually(lambda: passed[0] > heard, "it goes on")
        listener.pass_on = lambda _path, _body: None
        assert running.stop() == 0
        said = running.told()
    found = summed(database)
    assert (found["stored"], found["duplicate"], found["refused"]) == (1, 0, 0)
    # And each metric's points.
    assert found["not_a_call"] > passed[0] > 0
    assert len(listener.named("batch")) == 1
    instances = {(s.resource["spanledger.process"], s.resource["service.instance.id"])
                 for s in listener.spans}  # fmt: skip
    assert len(instances) == 3
    assert {span.headers["api-key"] for span in listener.spans} == {SECRET}
    assert THEIRS not in repr(listener.spans)
    assert receiver.headers[0]["api-key"] == SECRET
    for command in (("jobs", "list"), ("jobs", "run", "export"), ("doctor",)):
        environment = {f"SPANLEDGER_{name}": value for name, value in settings.items()}
        environment["SPANLEDGER_DATA_DIR"] = str(tmp_path / "data")
        said += CliRunner(env=environment).invoke(cli, command).output
    assert SECRET not in said
