"""The simulated company comes out the same each time, and is what the README says it is."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from genai_prices import data_snapshot
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.demo.company import WORKLOADS
from app.demo.emit import NotTakenError, Sender
from app.demo.models import BRAND_VOICE, MODELS
from app.demo.replay import NotATraceError, replay
from app.demo.send import beginning, send_history, send_live
from app.demo.traffic import Exchange, plan_between, plan_of_hour

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def week(*, seed: int = 7, scale: float = 0.2) -> list[Exchange]:
    hours = plan_between(MONDAY, MONDAY + timedelta(days=7), seed=seed, scale=scale)
    return [exchange for _, plan in hours for exchange in plan]


def spans_of(exchanges: list[Exchange]) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    sender = Sender(exporter)
    for exchange in exchanges:
        sender.send(exchange)
    sender.post()
    return exporter


def test_the_same_seed_gives_the_same_history() -> None:
    assert week() == week()
    assert week(seed=8) != week()


def test_a_larger_scale_adds_exchanges_and_changes_none() -> None:
    hour = MONDAY.replace(hour=14)
    small = plan_of_hour(hour, seed=7, scale=0.5)
    large = plan_of_hour(hour, seed=7, scale=3)
    assert len(large) > 4 * len(small)
    assert {exchange.key for exchange in small} < {exchange.key for exchange in large}
    by_key = {exchange.key: exchange for exchange in large}
    assert all(by_key[exchange.key] == exchange for exchange in small)


def test_an_hour_holds_what_begins_in_it_in_order() -> None:
    hour = MONDAY.replace(hour=14)
    starts = [exchange.start_ns for exchange in plan_of_hour(hour, seed=7, scale=3)]
    assert starts == sorted(starts)
    first, last = hour.timestamp() * 1e9, (hour + timedelta(hours=1)).timestamp() * 1e9
    assert all(first <= start < last for start in starts)


def test_days_and_weeks_have_a_rhythm() -> None:
    office = [e for e in week(scale=1) if e.workload.service == "copywriter"]
    hours = Counter(datetime.fromtimestamp(e.start_ns / 1e9, UTC).hour for e in office)
    assert hours[10] > 5 * hours[3]
    days = Counter(datetime.fromtimestamp(e.start_ns / 1e9, UTC).weekday() for e in office)
    assert days[1] > 3 * days[6]


def test_the_same_exchange_has_the_same_ids_whoever_sends_it_and_when() -> None:
    plan = week(scale=0.05)
    once = {(s.context.trace_id, s.context.span_id) for s in spans_of(plan).get_finished_spans()}
    again = spans_of([*plan, *reversed(plan)]).get_finished_spans()
    assert {(s.context.trace_id, s.context.span_id) for s in again} == once
    assert len(again) == 2 * len(once)


def test_spans_carry_their_own_times_service_and_owner() -> None:
    chat = next(e for e in week() if e.workload.service == "support-chat" and e.customer)
    above, beneath = sorted(spans_of([chat]).get_finished_spans(), key=lambda s: s.start_time or 0)
    assert above.start_time == chat.start_ns
    assert above.end_time == chat.end_ns
    assert above.resource.attributes["service.name"] == "support-chat"
    assert above.resource.attributes["team"] == "support"
    assert above.attributes is not None
    assert above.attributes["spanledger.customer"] == chat.customer
    assert beneath.parent is not None
    assert beneath.parent.span_id == above.context.span_id
    assert beneath.instrumentation_scope is not None
    assert beneath.instrumentation_scope.name == "com.anthropic.sdk.python"


def test_it_has_what_a_hybrid_company_has() -> None:
    calls = [(exchange, call) for exchange in week(scale=1) for call in exchange.calls]
    assert {e.workload.team for e, _ in calls} == {
        "search", "support", "checkout", "growth", "research", "platform", None,
    }  # fmt: skip
    assert {c.model.provider for _, c in calls} == {
        "openai", "anthropic", "google", "mistral", "cerebras", "groq", "vllm",
    }  # fmt: skip
    assert {c.fault for _, c in calls} >= {None}
    assert len({c.fault for _, c in calls}) == 5
    assert any(c.cache_read for _, c in calls)
    assert any(c.cache_write_5m for _, c in calls)
    assert any(c.cache_write_1h for _, c in calls)
    assert any(c.reasoning for _, c in calls)
    assert any(c.first_token_ns for _, c in calls)
    assert {e.workload for e, _ in calls} == set(WORKLOADS)


def test_the_public_list_prices_every_model_but_one() -> None:
    listed = data_snapshot.get_snapshot()
    unlisted = []
    for model in MODELS:
        if model.provider == "vllm":
            continue
        try:
            listed.find_provider_model(model.answers_as, None, model.provider, None)
        except LookupError:
            unlisted.append(model)
    assert unlisted == [BRAND_VOICE]


class Deaf(InMemorySpanExporter):
    def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002 - the SDK's signature
        return SpanExportResult.FAILURE


def test_a_batch_that_nobody_takes_is_not_lost_in_silence() -> None:
    sender = Sender(Deaf())
    for exchange in week()[:9]:
        sender.send(exchange)
    with pytest.raises(NotTakenError):
        sender.post()
    assert sender.sent == 0


TRACE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:17:03.9799600,4808,10
2023-11-16 18:17:04.0319600,3180,8
"""


def test_a_trace_file_is_replayed_on_the_day_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(TRACE)
    first, second = replay(file, ends_on=date(2026, 11, 21), seed=7)
    at = datetime(2026, 11, 21, 18, 17, 3, 979960, tzinfo=UTC)
    assert first.start_ns == int(at.timestamp() * 1e6) * 1000
    assert (second.calls[0].prompt, second.calls[0].output) == (3180, 8)
    assert [first, second] == replay(file, ends_on=date(2026, 11, 21), seed=7)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n", "line 1: expected the columns"),
        (TRACE + "yesterday,1,2\n", "line 4: Invalid isoformat"),
        (TRACE + "2023-11-16 18:17:04,1\n", "line 4"),
        (TRACE.splitlines()[0] + "\n", "no requests"),
    ],
)
def test_a_file_that_is_no_trace_is_refused_with_its_line(
    tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    with pytest.raises(NotATraceError, match=says):
        replay(file, ends_on=date(2026, 11, 21), seed=7)


def test_what_has_ended_is_history_and_what_ends_later_is_sent_live_once() -> None:
    now = MONDAY.replace(hour=14, minute=30)
    until = MONDAY.replace(hour=15, minute=30)
    past = spans_of_history(now)
    live = InMemorySpanExporter()
    moments = iter([now + timedelta(minutes=m) for m in (10, 20, 40, 60)])
    stop = Event()

    def clock() -> datetime:
        moment = next(moments)
        if moment == until:
            stop.set()
        return moment

    send_live(
        Sender(live), since=now, seed=7, scale=1, stop=stop, clock=clock, told=lambda _: None,
        pause=0,
    )  # fmt: skip
    later = spans_of_history(until)
    assert past.isdisjoint(ids(live))
    assert past | ids(live) == later
    assert len(live.get_finished_spans()) == len(ids(live))


def spans_of_history(now: datetime) -> set[tuple[int, int]]:
    exporter = InMemorySpanExporter()
    told = list(send_history(Sender(exporter), first=MONDAY, now=now, seed=7, scale=1))
    assert [hours for hours, _ in told] == list(range(1, len(told) + 1))
    return ids(exporter)


def ids(exporter: InMemorySpanExporter) -> set[tuple[int, int]]:
    return {(s.context.trace_id, s.context.span_id) for s in exporter.get_finished_spans()}


def test_history_begins_at_a_midnight() -> None:
    now = datetime(2026, 11, 22, 14, 30, 7, tzinfo=UTC)
    assert beginning(now, 4) == datetime(2026, 10, 25, tzinfo=UTC)
