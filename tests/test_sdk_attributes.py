"""spanledger.attribute: every span started inside carries its owner, and nothing else changes."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal

import pytest
import spanledger
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from spanledger import harmless
from spanledger.attributes import OwnerProcessor


class Spans:
    def __init__(self, **defaults: str) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(OwnerProcessor(defaults))
        self.memory = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self.memory))
        self.tracer = self.provider.get_tracer("test")

    def start(self, name: str = "call", **options: object) -> None:
        self.tracer.start_span(name, **options).end()

    def seen(self) -> dict[str, dict[str, object]]:
        return {span.name: dict(span.attributes or {}) for span in self.memory.get_finished_spans()}

    def last(self) -> dict[str, object]:
        return dict(self.memory.get_finished_spans()[-1].attributes or {})


@pytest.fixture
def spans() -> Iterator[Spans]:
    made = Spans()
    yield made
    made.provider.shutdown()


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harmless, "_said", set())


def test_a_span_started_inside_carries_the_names_under_their_span_attributes(spans: Spans) -> None:
    names = {"team": "search", "project": "p", "feature": "rerank", "customer": "acme"}
    with spanledger.attribute(**names, environment="prod", order="7"):
        spans.start()
    assert spans.last() == {
        "spanledger.team": "search",
        "spanledger.project": "p",
        "spanledger.feature": "rerank",
        "spanledger.customer": "acme",
        "deployment.environment.name": "prod",
        "spanledger.order": "7",
    }


def test_the_inner_name_wins_and_the_outer_one_is_back_afterwards(spans: Spans) -> None:
    with spanledger.attribute(feature="outer", team="search"):
        with spanledger.attribute(feature="inner"):
            spans.start("inside")
        spans.start("between")
    spans.start("after")
    assert spans.seen() == {
        "inside": {"spanledger.feature": "inner", "spanledger.team": "search"},
        "between": {"spanledger.feature": "outer", "spanledger.team": "search"},
        "after": {},
    }


def test_an_error_in_the_block_passes_and_the_names_end(spans: Spans) -> None:
    with pytest.raises(KeyError), spanledger.attribute(feature="x"):
        raise KeyError
    spans.start()
    assert spans.last() == {}


def test_tasks_at_the_same_time_keep_their_own_names(spans: Spans) -> None:
    async def work(feature: str, mine: asyncio.Event, other: asyncio.Event) -> None:
        with spanledger.attribute(feature=feature):
            mine.set()
            await other.wait()
            spans.start(feature)

    async def both() -> None:
        one, two = asyncio.Event(), asyncio.Event()
        await asyncio.gather(work("a", one, two), work("b", two, one))

    asyncio.run(both())
    assert spans.seen() == {"a": {"spanledger.feature": "a"}, "b": {"spanledger.feature": "b"}}


def test_it_decorates_functions_and_coroutine_functions(spans: Spans) -> None:
    @spanledger.attribute(feature="sync")
    def plain(depth: int = 1) -> str:
        spans.start(f"plain {depth}")
        return plain(depth - 1) if depth else "answer"

    @spanledger.attribute(feature="async")
    async def slow() -> str:
        await asyncio.sleep(0)
        spans.start("slow")
        return "answer"

    assert plain() == "answer"
    assert asyncio.run(slow()) == "answer"
    spans.start("after")
    assert plain.__name__ == "plain"
    assert spans.seen() == {
        "plain 1": {"spanledger.feature": "sync"},
        "plain 0": {"spanledger.feature": "sync"},
        "slow": {"spanledger.feature": "async"},
        "after": {},
    }


def test_a_generator_is_left_alone_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    @spanledger.attribute(feature="x")
    def items() -> Iterator[int]:
        yield len(baggage.get_all())

    assert list(items()) == [0]
    assert "use `with` inside it" in caplog.text


def test_a_thread_that_gets_the_context_gets_the_names(spans: Spans) -> None:
    with ThreadPoolExecutor(1) as pool, spanledger.attribute(feature="x"):
        pool.submit(copy_context().run, spans.start).result()
    assert spans.last() == {"spanledger.feature": "x"}


def test_what_the_application_set_on_the_span_itself_stays(spans: Spans) -> None:
    with spanledger.attribute(feature="block"):
        spans.start(attributes={"spanledger.feature": "span"})
    assert spans.last() == {"spanledger.feature": "span"}


def test_a_parent_context_made_by_hand_does_not_lose_the_block(spans: Spans) -> None:
    bare = trace.set_span_in_context(trace.INVALID_SPAN, context.Context())
    told = baggage.set_baggage("spanledger.customer", "theirs", context.Context())
    with spanledger.attribute(feature="x", customer="ours"):
        spans.start("bare", context=bare)
        spans.start("told", context=told)
    assert spans.seen() == {
        "bare": {"spanledger.feature": "x", "spanledger.customer": "ours"},
        "told": {"spanledger.feature": "x", "spanledger.customer": "theirs"},
    }


def test_the_default_propagators_carry_the_names_to_the_next_service(spans: Spans) -> None:
    headers: dict[str, str] = {}
    with spanledger.attribute(customer="Zoë & søn, København; a=b", feature="x"):
        propagate.inject(headers)
    spans.start("next service", context=propagate.extract(headers))
    assert spans.last() == {
        "spanledger.customer": "Zoë & søn, København; a=b",
        "spanledger.feature": "x",
    }


def test_somebody_elses_baggage_stays_off_the_spans(spans: Spans) -> None:
    token = context.attach(baggage.set_baggage("session.secret", "1"))
    try:
        spans.start()
    finally:
        context.detach(token)
    assert spans.last() == {}


def test_defaults_lie_beneath_what_the_block_says() -> None:
    spans = Spans(**{"spanledger.team": "default", "spanledger.project": "p"})
    with spanledger.attribute(team="block"):
        spans.start()
    assert spans.last() == {"spanledger.team": "block", "spanledger.project": "p"}


class Textless:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_values_become_text_that_a_header_can_carry(spans: Spans) -> None:
    with spanledger.attribute(
        number=7,
        money=Decimal("1.50"),
        flag=True,
        half="a\ud800b",
        long="ø" * 500,
        broken=Textless(),
    ):
        headers: dict[str, str] = {}
        propagate.inject(headers)
        spans.start()
    assert spans.last() == {
        "spanledger.number": "7",
        "spanledger.money": "1.50",
        "spanledger.flag": "True",
        "spanledger.half": "a?b",
        "spanledger.long": "ø" * 64,
    }
    assert headers["baggage"].isascii()


def test_nothing_and_the_empty_text_leave_what_the_outer_block_said(spans: Spans) -> None:
    with spanledger.attribute(feature="outer"), spanledger.attribute(feature=None, customer=""):
        spans.start()
    assert spans.last() == {"spanledger.feature": "outer"}


@pytest.mark.parametrize("name", ["bad name", "line\nend", "größe", "", "Feature", "a" * 65])
def test_a_name_that_no_header_carries_is_refused_once_and_the_others_go_on(
    spans: Spans, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    for _ in range(3):
        with spanledger.attribute(**{name: "x", "feature": "fine"}):
            spans.start()
    assert spans.last() == {"spanledger.feature": "fine"}
    assert [record.name for record in caplog.records].count("spanledger") == 1


def test_however_many_names_the_header_stays_small_enough_for_any_server(spans: Spans) -> None:
    headers: dict[str, str] = {}
    with spanledger.attribute(**{f"name{number}": "ø" * 999 for number in range(99)}):
        W3CBaggagePropagator().inject(headers)
        spans.start()
    assert len(spans.last()) == 16
    assert len(headers["baggage"]) < 8000


def test_hostile_baggage_from_outside_is_bounded(spans: Spans) -> None:
    outside = context.Context()
    for number in range(50):
        outside = baggage.set_baggage(f"spanledger.n{number}", "x" * 5000, outside)
    outside = baggage.set_baggage("spanledger.bad name", "x", outside)
    spans.start(context=outside)
    assert len(spans.last()) <= 16
    assert {len(str(value)) for value in spans.last().values()} == {128}


def test_wrong_use_does_not_raise_and_the_block_runs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), spanledger.attribute("rerank"):
        ran = True
    assert ran
    assert "spanledger.attribute did nothing: TypeError" in caplog.text
