"""Log records that tell of a call are sightings of it; all others are no calls."""

from datetime import timedelta
from typing import Any

import pytest
from records import CODEX, GEMINI, Record, api_request, logs
from spans import START, Understood, call, only, request, sightings
from spans import heard as hear

from collector.signals import Signal
from spend.calls import Outcome, Role
from spend.twins.kin import service_kin, session_kin
from spend.twins.twins import settle


def heard(*told: Record, **resource: str) -> Understood:
    named = {key.replace("_", "."): value for key, value in resource.items()}
    return hear(logs(*told, resource=named), signal=Signal.LOGS)


def test_a_call_that_claude_code_logged_is_a_sighting_of_it() -> None:
    one = only(heard(api_request(), service_name="claude-code", team_id="payments"))
    assert dict(one.usage) == {"input": 300, "cache_read": 580, "cache_write": 120, "output": 50}
    assert (one.role, one.outcome, one.emitter.signal) == (Role.CALL, Outcome.OK, "log")
    assert (one.route.model, one.route.provider) == ("claude-sonnet-4-5", "anthropic")
    assert one.owner.team == "payments"
    assert one.details["cost_given"] == "0.0023"
    assert one.kin_id == session_kin("claude-code", "s-1")


def test_a_call_began_as_long_before_its_record_as_it_took() -> None:
    one = only(heard(api_request()))
    assert one.duration_us == 171_000
    ended = one.start_at + timedelta(microseconds=171_000)
    assert int(ended.timestamp() * 1e9) == START
    instant = only(heard(api_request(attributes={"duration_ms": "soon"})))
    assert (instant.duration_us, int(instant.start_at.timestamp() * 1e9)) == (None, START)


@pytest.mark.parametrize(
    "named",
    [
        {"attributes": {"event.name": "codex.api_request"}},
        {"attributes": {"event_name": "codex.api_request"}},
        {"event_name": "codex.api_request", "attributes": {}},
        {"body": "codex.api_request", "attributes": {}},
        {"event_name": "event src/x.rs:377", "attributes": {"event.name": "codex.api_request"}},
    ],
)
def test_an_event_is_known_by_its_name_wherever_that_stands(named: dict[str, Any]) -> None:
    attributes = {**named.pop("attributes"), "error.message": "unexpected status 429", "model": "m"}
    one = only(heard(Record(attributes=attributes, scope=CODEX, **named)))
    assert (one.outcome, one.route.model) == (Outcome.RATE_LIMITED, "m")


def test_records_of_other_things_are_no_calls() -> None:
    understood = heard(
        api_request(attributes={"event.name": "user_prompt"}),
        api_request(attributes={"event.name": "api_retries_exhausted"}),
        api_request(scope="somebody.else"),
        Record(attributes={"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5}),
        Record(attributes={"gen_ai.system": "openai"}, event_name="gen_ai.choice"),
        Record(attributes={}, body="gen_ai.client.inference.operation.details came"),
        Record(attributes={}, body={"event.name": "api_request"}),
        Record(attributes={}),
    )
    assert (understood.heard, understood.not_a_call) == (8, 8)


def test_a_record_that_is_sent_again_is_the_same_and_another_is_not() -> None:
    def key(**changes: Any) -> tuple[object, ...]:
        one = only(heard(api_request(**changes), service_name="claude-code"))
        return one.trace_id, one.span_id, one.start_at

    told = api_request()
    backwards = dict(reversed(list(told.attributes.items())))
    again = only(heard(Record(attributes=backwards), service_name="claude-code"))
    assert key() == key() == (again.trace_id, again.span_id, again.start_at)
    for changes in (
        {"attributes": {"event.sequence": 2}},
        {"attributes": {"event.sequence": "1"}},
        {"attributes": {"prompt.id": "p-2"}},
        {"attributes": {"speed": "normal"}},
        {"time": START + 1},
        {"version": "2.1.198"},
        {"trace_id": b"\x01" * 16, "span_id": b"\x02" * 8},
    ):
        assert key(**changes) != key(), changes
    # Of another process, though it says the same.
    assert only(heard(api_request(), service_name="other")).span_id != again.span_id


def test_what_was_done_for_one_prompt_is_one_trace() -> None:
    one, two, later, other = sightings(
        heard(
            api_request(),
            api_request(attributes={"event.sequence": 2}),
            api_request(attributes={"prompt.id": "p-2"}),
            api_request(attributes={"session.id": "s-2"}),
        )
    )
    assert one.trace_id == two.trace_id
    assert len({one.trace_id, later.trace_id, other.trace_id}) == 3
    assert one.span_id != two.span_id


def test_a_record_hangs_under_the_span_that_it_was_written_in() -> None:
    trace, span = b"\x01" * 16, b"\x02" * 8
    one = only(heard(api_request(trace_id=trace, span_id=span)))
    assert (one.trace_id.bytes, one.parent_span_id) == (trace, int.from_bytes(span, "big"))
    assert one.span_id != one.parent_span_id
    alone = only(heard(api_request(trace_id=b"\x01" * 7, span_id=span)))
    assert alone.parent_span_id is None


def codex(**attributes: object) -> Record:
    told = {"event.name": "codex.sse_event", "conversation.id": "c-1", "model": "gpt-5-mini"}
    return Record(attributes={**told, **attributes}, scope=CODEX, time=0, version="")


ANSWERED: dict[str, object] = {
    "event.kind": "response.completed",
    "input_token_count": "1000",
    "output_token_count": "50",
    "cached_token_count": 400,
    "reasoning_token_count": 20,
    "tool_token_count": "1050",
    "ttft_ms": 30,
}


def test_codex_tells_an_answer_twice_and_it_is_one_call() -> None:
    understood = heard(
        codex(**{"event.kind": "response.created"}),
        codex(**{"event.kind": "response.completed", "duration_ms": "20"}),
        codex(**ANSWERED),
        service_name="codex_exec",
    )
    one = only(understood)
    assert dict(one.usage) == {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20}
    assert (one.ttft_us, one.route.provider) == (30_000, "openai")
    assert one.kin_id == service_kin("codex_exec")
    assert understood.not_a_call == 2


def test_a_request_of_codex_is_a_call_only_if_it_failed() -> None:
    fine = codex(**{"event.name": "codex.api_request", "http.response.status_code": 200})
    failed = codex(
        **{
            "event.name": "codex.api_request",
            "http.response.status_code": 503,
            "error.message": "http 503",
        }
    )
    one = only(heard(fine, failed))
    assert (one.outcome, dict(one.usage)) == (Outcome.OVERLOADED, {})


def test_gemini_cli_leaves_thoughts_out_of_the_output() -> None:
    told = {
        "event.name": "gemini_cli.api_response",
        "session.id": "s",
        "model": "gemini-2.5-flash-001",
        "duration_ms": 277,
        "input_token_count": 1000,
        "output_token_count": 30,
        "cached_content_token_count": 400,
        "thoughts_token_count": 20,
        "tool_token_count": 0,
    }
    details = {
        "event.name": "gen_ai.client.inference.operation.details",
        "gen_ai.operation.name": "generate_content",
        "gen_ai.response.id": "a",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 30,
    }
    understood = heard(
        Record(attributes=told, scope=GEMINI), Record(attributes=details, scope=GEMINI)
    )
    one = only(understood)
    assert dict(one.usage) == {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20}
    assert one.route.provider == "google"


DETAILS = "gen_ai.client.inference.operation.details"


def details(**attributes: object) -> Record:
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        **{key.replace("__", "."): value for key, value in attributes.items()},
    }
    return Record(attributes=told, event_name=DETAILS, scope="copilot-chat", time=0)


def test_the_conventions_event_is_a_call_once_something_was_answered() -> None:
    assert heard(details()).not_a_call == 1
    one = only(heard(details(gen_ai__usage__input_tokens=10, gen_ai__usage__output_tokens=0)))
    assert (one.usage, one.emitter.dialect) == ({"input": 10, "output": 0}, "copilot")
    assert only(heard(details(error__type="RateLimitError"))).outcome is Outcome.RATE_LIMITED
    tool = details(gen_ai__operation__name="execute_tool", gen_ai__usage__input_tokens=1)
    assert heard(tool).not_a_call == 1
    agent = details(gen_ai__operation__name="invoke_agent", gen_ai__usage__input_tokens=1)
    assert only(heard(agent)).role is Role.AGGREGATE


def test_what_is_logged_as_an_error_failed() -> None:
    one = only(heard(details(gen_ai__response__model="gpt-4o", error__message="x")))
    assert one.outcome is Outcome.OK
    told = details(gen_ai__response__model="gpt-4o").attributes
    severe = Record(attributes=told, event_name=DETAILS, severity=17)
    assert only(heard(severe)).outcome is Outcome.ERROR


def test_a_log_event_beside_its_span_is_the_same_call() -> None:
    used = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
    span = call(attributes=used, scope="copilot-chat")
    record = Record(
        attributes=span.attributes,
        event_name=DETAILS,
        scope=span.scope,
        trace_id=span.trace_id,
        span_id=span.span_id,
    )
    both = [only(hear(request(span))), only(heard(record))]
    (joined,) = settle(both).joined
    assert len(joined.members) == 2
    assert joined.usage == {"input": 10, "output": 5}


def test_no_message_and_no_secret_is_kept() -> None:
    told = {"error": "rate limited for key sk-abcdefghijklmnopqrstuvwxyz0123456789", "prompt": "hi"}
    understood = heard(api_request(attributes={"event.name": "api_error", **told}))
    kept = str(understood.sightings.to_pylist()) + str(understood.routes) + str(understood.owners)
    assert "sk-abc" not in kept
    assert "rate limited" not in kept


def test_a_record_without_a_time_is_refused() -> None:
    understood = heard(api_request(time=0, observed=0))
    assert understood.sightings.num_rows == 0
    assert sum(understood.refused.values()) == 1
