"""spanledger.instrument: from nothing, or beside an application's own set-up, to spans sent."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import spanledger
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from otlp_listener import Listener, otlp_listener
from sdk_process import run_application
from serving import eventually
from spanledger import harmless

ONE_SPAN = """
import logging, spanledger
from opentelemetry import trace
logging.basicConfig(level=logging.INFO)
spanledger.instrument({arguments})
with spanledger.attribute(feature="rerank", customer="acme"):
    trace.get_tracer("application").start_span("call").end()
"""


def one_span(arguments: str = "") -> str:
    return ONE_SPAN.format(arguments=arguments)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with otlp_listener() as listening:
        yield listening


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    made = TracerProvider(
        resource=Resource({"service.name": "theirs", "team": "theirs"}), shutdown_on_exit=False
    )
    yield made
    made.shutdown()


@pytest.fixture(autouse=True)
def nothing_said_and_nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harmless, "_said", set())
    for name in ("ENDPOINT", "HEADERS", "PROTOCOL", "TRACES_ENDPOINT", "TRACES_HEADERS"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    monkeypatch.delenv("SPANLEDGER_ENDPOINT", raising=False)
    monkeypatch.delenv("SPANLEDGER_API_KEY", raising=False)


def test_one_line_sends_a_call_with_its_owner(listener: Listener) -> None:
    ended = run_application(
        one_span("service='search-api', team='search', project='p', environment='prod'"),
        SPANLEDGER_ENDPOINT=listener.endpoint,
        SPANLEDGER_API_KEY="sl_key\n",
    )
    assert ended.code == 0, ended.err
    span = listener.only("call")
    assert span.attributes == {"spanledger.feature": "rerank", "spanledger.customer": "acme"}
    assert span.path == "/v1/traces"
    assert span.headers["authorization"] == "Bearer sl_key"
    assert (
        span.resource.items()
        >= {
            "service.name": "search-api",
            "spanledger.team": "search",
            "spanledger.project": "p",
            "deployment.environment.name": "prod",
        }.items()
    )
    assert "WARNING" not in ended.err


def test_the_standard_variables_are_enough(listener: Listener) -> None:
    ended = run_application(
        one_span(),
        OTEL_EXPORTER_OTLP_ENDPOINT=listener.endpoint,
        OTEL_SERVICE_NAME="search-api",
        OTEL_RESOURCE_ATTRIBUTES="team=search,service.version=3",
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=one,authorization=Bearer theirs",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
    )
    span = listener.only("call")
    assert ended.code == 0
    assert span.resource["service.name"] == "search-api"
    assert span.resource["team"] == "search"
    assert span.resource["service.version"] == "3"
    assert span.headers["x-tenant"] == "one"
    assert span.headers["authorization"] == "Bearer theirs"
    assert span.headers["content-encoding"] == "gzip"


def test_an_argument_wins_over_the_environment_for_what_it_names(listener: Listener) -> None:
    run_application(
        one_span(f"service='ours', team='ours', endpoint='{listener.endpoint}', api_key='ours'"),
        SPANLEDGER_ENDPOINT="http://127.0.0.1:1",
        SPANLEDGER_API_KEY="theirs",
        OTEL_SERVICE_NAME="theirs",
        OTEL_RESOURCE_ATTRIBUTES="team=theirs,region=eu",
        OTEL_EXPORTER_OTLP_HEADERS="Authorization=theirs,x-tenant=one",
    )
    span = listener.only("call")
    assert span.resource["service.name"] == "ours"
    assert span.resource["spanledger.team"] == "ours"  # the collector asks it before `team`
    assert span.resource["region"] == "eu"
    assert span.headers["authorization"] == "Bearer ours"
    assert span.headers["x-tenant"] == "one"


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_the_standard_switches_turn_it_off(listener: Listener, off: dict[str, str]) -> None:
    ended = run_application(one_span(f"endpoint='{listener.endpoint}'"), **off)
    assert ended.code == 0, ended.err
    assert listener.spans == []


def test_a_disabled_sdk_leaves_the_applications_provider_alone(
    listener: Listener, provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "TRUE")
    spanledger.instrument(endpoint=listener.endpoint, tracer_provider=provider)
    provider.get_tracer("application").start_span("call").end()
    provider.force_flush()
    assert listener.spans == []


def test_the_batching_variables_hold(listener: Listener, tmp_path: Path) -> None:
    script = """
import os, time, spanledger
from opentelemetry import trace
spanledger.instrument()
trace.get_tracer("application").start_span("call").end()
until = time.monotonic() + float(os.environ["PATIENCE"])
while time.monotonic() < until and not os.path.exists(os.environ["HEARD"]):
    time.sleep(0.02)
os._exit(0)  # no flush at exit: only the schedule can have sent it
"""
    heard = tmp_path / "heard"
    listener.pass_on = lambda _path, _body: heard.touch()

    def run(delay: str, patience: str) -> None:
        run_application(
            script,
            SPANLEDGER_ENDPOINT=listener.endpoint,
            OTEL_BSP_SCHEDULE_DELAY=delay,
            PATIENCE=patience,
            HEARD=str(heard),
        )

    # Milliseconds, and seconds.
    run(delay="600000", patience="1")
    assert listener.spans == []
    run(delay="50", patience="50")
    eventually(lambda: len(listener.spans) == 1, "the schedule has sent it")


def test_twice_is_as_good_as_once(listener: Listener) -> None:
    script = one_span("team='search'") + "spanledger.instrument(team='search')\n"
    ended = run_application(
        "import spanledger\nspanledger.instrument(team='search')\n" + script,
        SPANLEDGER_ENDPOINT=listener.endpoint,
    )
    assert ended.code == 0
    assert len(listener.named("call")) == 1


def test_an_existing_provider_is_joined_and_keeps_what_it_has(
    listener: Listener, provider: TracerProvider
) -> None:
    theirs = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    for _ in range(2):
        spanledger.instrument(
            service="ours", team="ours", environment="prod", instrumentations=[],
            endpoint=listener.endpoint, tracer_provider=provider,
        )  # fmt: skip
    with spanledger.attribute(feature="rerank"):
        provider.get_tracer("application").start_span("call").end()
    provider.force_flush()
    span = listener.only("call")
    assert span.resource == {"service.name": "theirs", "team": "theirs"}
    assert span.attributes == {
        "service.name": "ours",
        "spanledger.team": "ours",
        "deployment.environment.name": "prod",
        "spanledger.feature": "rerank",
    }
    assert [one.name for one in theirs.get_finished_spans()] == ["call"]


def test_an_existing_global_provider_is_never_replaced(listener: Listener) -> None:
    before = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
theirs = TracerProvider()
trace.set_tracer_provider(theirs)
"""
    after = "print(trace.get_tracer_provider() is theirs)\n"
    ended = run_application(before + one_span() + after, SPANLEDGER_ENDPOINT=listener.endpoint)
    assert ended.out == "True"
    assert len(listener.named("call")) == 1
    assert "Overriding" not in ended.err


def test_an_application_that_sends_here_already_does_not_send_twice(
    listener: Listener, provider: TracerProvider
) -> None:
    exporter = OTLPSpanExporter(endpoint=listener.endpoint + "/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    spanledger.instrument(endpoint=listener.endpoint, instrumentations=[], tracer_provider=provider)
    with spanledger.attribute(feature="rerank"):
        provider.get_tracer("application").start_span("call").end()
    provider.force_flush()
    assert listener.only("call").attributes == {"spanledger.feature": "rerank"}


class Weird:
    """A provider that is none of the SDK's."""

    def get_tracer(self, *_: object, **__: object) -> None:
        raise RuntimeError("weird")


class Broken(Weird):
    def add_span_processor(self, _: object) -> None:
        raise RuntimeError("broken")


@pytest.mark.parametrize("odd", [Weird(), Broken(), 7, "text"])
def test_a_provider_that_cannot_be_joined_is_left_alone_with_a_warning(
    caplog: pytest.LogCaptureFixture, odd: object
) -> None:
    for _ in range(2):
        spanledger.instrument(tracer_provider=odd)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.name for record in warnings] == ["spanledger"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonsense": 1},
        {"endpoint": object()},
        {"team": object()},
        {"instrumentations": 7},
        {"instrumentations": ["nonsense"]},
        {"api_key": "lines\nof\nkeys"},
        {"service": "a\ud800"},
    ],
)
def test_wrong_arguments_do_not_raise(
    listener: Listener, provider: TracerProvider, wrong: dict[str, object]
) -> None:
    arguments = {"endpoint": listener.endpoint, "instrumentations": [], **wrong}
    spanledger.instrument(tracer_provider=provider, **arguments)
    provider.get_tracer("application").start_span("call").end()
    assert provider.force_flush()


def test_bad_numbers_in_the_standard_variables_do_not_raise(listener: Listener) -> None:
    ended = run_application(
        one_span(),
        SPANLEDGER_ENDPOINT=listener.endpoint,
        OTEL_EXPORTER_OTLP_TIMEOUT="soon",
        OTEL_BSP_MAX_QUEUE_SIZE="-1",
        OTEL_BSP_SCHEDULE_DELAY="later",
        OTEL_TRACES_SAMPLER="nonsense",
    )
    assert ended.code == 0
    assert ended.seconds_to_exit < 5


def test_a_value_that_cannot_be_encoded_costs_no_neighbour(
    listener: Listener, provider: TracerProvider
) -> None:
    spanledger.instrument(endpoint=listener.endpoint, instrumentations=[], tracer_provider=provider)
    tracer = provider.get_tracer("application")
    tracer.start_span("odd", attributes={"text": "a\ud800"}).end()
    tracer.start_span("call").end()
    provider.force_flush()
    assert len(listener.named("call")) == 1


def test_a_collector_that_refuses_is_said_once(
    caplog: pytest.LogCaptureFixture, provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    spanledger.instrument(
        endpoint="http://key:secret@127.0.0.1:1", instrumentations=[], tracer_provider=provider
    )
    for _ in range(2):
        provider.get_tracer("application").start_span("call").end()
        provider.force_flush()
    (said,) = [record.getMessage() for record in caplog.records if record.name == "spanledger"]
    assert "127.0.0.1:1" in said
    assert "secret" not in said
