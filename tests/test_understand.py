"""What a span says is understood as told, and what cannot be is refused by name, alone."""

from datetime import UTC, datetime, timedelta

import pytest
from spans import RECEIVED, START, Told, call, captured, heard, only, request, sightings

from collector.errors import Malformed
from spend.calls import Outcome, Role
from store.sightings import SIGHTINGS

SECOND = 10**9


def test_a_batch_has_the_shape_that_the_store_takes() -> None:
    for scenario in ("otel-genai/openai", "codex/exec", "litellm/default"):
        understood = heard(*captured(scenario))
        assert understood.sightings.schema == SIGHTINGS
        understood.sightings.validate(full=True)
        assert set(understood.sightings["owner_id"].to_pylist()) == set(understood.owners)
        assert set(understood.sightings["route_id"].to_pylist()) == set(understood.routes)
        assert set(understood.sightings["emitter_id"].to_pylist()) == set(understood.emitters)


def test_nothing_heard_is_nothing_understood() -> None:
    for body in (b"", request()):
        understood = heard(body)
        assert (understood.heard, understood.sightings.num_rows) == (0, 0)


def test_bytes_that_are_no_request_are_malformed() -> None:
    for body in (
        b"\xff",
        b"not protobuf",
        b"\x0a\xff\xff\xff\xff\x0f",
        captured("otel-genai/openai")[0][:-3],
    ):
        with pytest.raises(Malformed):
            heard(body)


def test_text_that_is_no_utf8_costs_nobody_else_anything() -> None:
    body = request(call(attributes={"gen_ai.response.model": "gpt-4o-XXXX"})).replace(
        b"gpt-4o-XXXX", b"gpt-4o-\xff\xfe\xfd\xfc"
    )
    assert str(only(heard(body)).route.model).startswith("gpt-4o-\ufffd")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trace_id": b""}, "trace_id: not 16 bytes, or all zero"),
        ({"trace_id": b"\x00" * 16}, "trace_id: not 16 bytes, or all zero"),
        ({"trace_id": b"\x01" * 24}, "trace_id: not 16 bytes, or all zero"),
        ({"trace_id": b"canary"}, "trace_id: not 16 bytes, as a canary sends it to see it refused"),
        ({"span_id": b"\x00" * 8}, "span_id: not 8 bytes, or all zero"),
        ({"span_id": b"\x01" * 7}, "span_id: not 8 bytes, or all zero"),
        ({"start": 0}, "start: the span has none"),
        ({"start": SECOND}, "start: before 2000"),
        ({"start": 2**64 - 1}, "start: in the future"),
    ],
)
def test_a_span_that_cannot_be_kept_is_refused_alone(
    change: dict[str, object], reason: str
) -> None:
    good = call(span_id=b"\x07" * 8)
    understood = heard(request(good, call(**change), good))
    assert understood.refused == {reason: 1}
    assert [one.span_id for one in sightings(understood)] == [int.from_bytes(b"\x07" * 8)] * 2
    assert (understood.heard, understood.not_a_call) == (3, 0)


def test_times_are_the_spans_own() -> None:
    one = only(heard(request(call(start=START + 1999, end=START + SECOND))))
    assert one.start_at == datetime(2026, 11, 22, 12, 0, 0, 1, tzinfo=UTC)
    assert one.duration_us == 999_998
    assert only(heard(request(call(end=START - 1)))).duration_us is None
    assert only(heard(request(call(end=0)))).duration_us is None
    assert only(heard(request(call(end=2**64 - 1)))).duration_us is None


def test_a_clock_that_runs_ahead_is_said_and_keeps_its_day() -> None:
    ahead = RECEIVED + timedelta(hours=3)
    one = only(heard(request(call(start=int(ahead.timestamp()) * SECOND))))
    assert one.start_at == ahead
    assert one.details["clock_ahead"] is True


def test_span_ids_keep_their_64_bits() -> None:
    one = only(heard(request(call(span_id=b"\xff" * 8, parent_span_id=b"\x80" + b"\x00" * 7))))
    assert (one.span_id, one.parent_span_id) == (-1, -(2**63))
    assert only(heard(request(call()))).parent_span_id is None


def test_a_parent_is_the_nearest_sighting_above() -> None:
    def at(number: int, above: int, **changes: object) -> Told:
        ids = {"span_id": bytes([number] * 8), "parent_span_id": bytes([above] * 8)}
        return call(**ids, **changes)

    def other(number: int, above: int) -> Told:
        return Told(attributes={}, span_id=bytes([number] * 8), parent_span_id=bytes([above] * 8))

    # 1 (a call) < 2 < 3 < 4 (a call); 5 hangs from 9, which is not here; 6 and 7 go in a circle.
    circle = [other(6, 7), other(7, 6), at(8, 6)]
    understood = heard(request(at(4, 3), other(3, 2), other(2, 1), at(1, 0), at(5, 9), *circle))
    found = {one.span_id & 0xFF: one.parent_span_id for one in sightings(understood)}
    ids = {number: int.from_bytes(bytes([number] * 8)) for number in range(10)}
    assert {n: found[n] for n in (1, 4, 5, 8)} == {1: None, 4: ids[1], 5: ids[9], 8: ids[6]}


def test_the_same_span_id_in_another_trace_is_no_parent() -> None:
    outer = call(span_id=b"\x05" * 8, trace_id=b"\x09" * 16)
    middle = Told(attributes={}, span_id=b"\x06" * 8, parent_span_id=b"\x05" * 8)
    inner = call(parent_span_id=b"\x06" * 8)
    found = sightings(heard(request(outer, middle, inner)))
    assert found[1].parent_span_id == int.from_bytes(b"\x06" * 8)


@pytest.mark.parametrize(
    ("span", "role"),
    [
        (call(), Role.CALL),
        (call(kind=2), Role.SERVER),
        (Told(name="llm_request", kind=2, attributes={"gen_ai.latency.e2e": 1.5}), Role.SERVER),
        (Told(attributes={"gen_ai.usage.input_tokens": 5}), Role.CALL),
        (Told(kind=1, attributes={"gen_ai.usage.input_tokens": 5}), Role.AGGREGATE),
        (
            call(
                attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 5}
            ),
            Role.AGGREGATE,
        ),
        (call(attributes={"gen_ai.operation.name": "invoke_agent"}), None),
        (call(attributes={"gen_ai.operation.name": "execute_tool"}), None),
        (call(attributes={"gen_ai.operation.name": "fetch_response"}), None),
        (
            call(
                attributes={"gen_ai.operation.name": "count_tokens", "gen_ai.usage.input_tokens": 9}
            ),
            None,
        ),
        (Told(attributes={"http.request.method": "GET", "server.address": "x"}), None),
        (Told(attributes={"llm.request.type": "chat"}), Role.CALL),
        (Told(attributes={"openinference.span.kind": "RETRIEVER"}), None),
        (Told(attributes={"openinference.span.kind": "LLM"}, kind=1), Role.CALL),
        (
            call(name="anthropic.messages.count_tokens", scope="com.anthropic.sdk.python"),
            None,
        ),
    ],
)
def test_a_spans_role_is_read_from_its_marks(span: Told, role: Role | None) -> None:
    understood = heard(request(span))
    assert [one.role for one in sightings(understood)] == ([] if role is None else [role])
    assert understood.not_a_call == (role is None)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"status": 2}, Outcome.ERROR),
        ({"status": 2, "message": "Error code: 503 - overloaded"}, Outcome.OVERLOADED),
        ({"attributes": {"error.type": "TimeoutError"}}, Outcome.TIMEOUT),
        ({"attributes": {"error.type": "500"}}, Outcome.SERVER_ERROR),
        ({"attributes": {"http.response.status_code": 401}, "status": 2}, Outcome.DENIED),
        (
            {"events": [(START, "exception", {"exception.type": "x.CancelledError"})], "status": 2},
            Outcome.CANCELLED,
        ),
        # An exception that was handled on the way does not make a call fail.
        ({"events": [(START, "exception", {"exception.type": "x.CancelledError"})]}, Outcome.OK),
    ],
)
def test_how_a_call_ended_is_read_from_all_that_is_said(
    change: dict[str, object], outcome: Outcome
) -> None:
    assert only(heard(request(call(**change)))).outcome is outcome


@pytest.mark.parametrize(
    ("told", "provider", "kept"),
    [
        ("chatcmpl-9f86d081884c7d65", "openai", True),
        ("resp_68af4030592c8190", "openai", True),
        ("msg_01XFDUDYJgAACzvnptvVoYEL", "anthropic", True),
        ("msg_68af4030592c8190", "openai", False),  # an output item
        ("chatcmpl-123", "openai", False),  # what stand-in servers answer to all
        ("5fab00ec-7ee8-4913-a116-8431664a169e", "openai", False),
        ("5fab00ec-7ee8-4913-a116-8431664a169e", "gcp.gemini", False),
        ("k3JnaKzvEqz1nsEP6e6H4Ak", "gcp.gemini", True),
        ("run--5fab00ec-7ee8", "openai", False),
        ("lc_run--5fab00ec7ee8", "openai", False),
        ("chatcmpl-" + "a" * 300, "openai", False),
    ],
)
def test_only_a_providers_id_is_kept(told: str, provider: str, kept: bool) -> None:
    span = call(attributes={"gen_ai.response.id": told, "gen_ai.provider.name": provider})
    assert only(heard(request(span))).response_id == (told if kept else None)


def test_open_weights_on_our_own_machine_are_self_hosted() -> None:
    span = call(
        attributes={
            "gen_ai.request.model": "openai/gpt-oss-120b",
            "server.address": "10.0.0.7",
            "server.port": 8000,
            "gen_ai.request.stream": True,
        }
    )
    one = only(heard(request(span)))
    assert (one.route.provider, one.route.deployment) == ("self-hosted", "self-hosted")
    assert one.route.server == "10.0.0.7:8000"
    assert one.details["streaming"] is True


def test_a_model_servers_own_span_names_its_engine() -> None:
    span = Told(
        name="llm_request",
        kind=2,
        scope="vllm.llm_engine",
        version="",
        attributes={
            "gen_ai.usage.prompt_tokens": 100,
            "gen_ai.usage.completion_tokens": 20,
            "gen_ai.latency.e2e": 1.0,
            "gen_ai.latency.time_to_first_token": 0.25,
            "gen_ai.request.id": "chatcmpl-9f86d081884c7d65",
        },
    )
    one = only(heard(request(span)))
    assert (one.route.provider, one.route.deployment) == ("vllm", "self-hosted")
    assert (one.role, one.ttft_us) == (Role.SERVER, 250_000)
    assert one.response_id == "chatcmpl-9f86d081884c7d65"
    assert one.emitter.version is None


def test_a_call_that_did_not_stream_has_no_first_token() -> None:
    told = {"gen_ai.response.time_to_first_chunk": 0.5, "gen_ai.request.stream": False}
    assert only(heard(request(call(attributes=told)))).ttft_us is None


def test_old_traceloop_names_are_understood() -> None:
    span = Told(
        scope="opentelemetry.instrumentation.openai.v1",
        version="0.40.14",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 50,
            "gen_ai.usage.cache_read_input_tokens": 400,
            "llm.usage.total_tokens": 1050,
            "llm.usage.reasoning_tokens": 20,
            "llm.is_streaming": "True",
        },
    )
    one = only(heard(request(span)))
    assert one.usage == {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20}
    assert (one.route.provider, one.emitter.dialect) == ("openai", "traceloop")
    assert one.details["streaming"] is True


def test_several_requests_at_once_are_what_they_are_one_by_one() -> None:
    bodies = [
        body
        for name in ("otel-genai/openai", "openinference/langchain", "codex/exec")
        for body in captured(name)
    ]
    together = sightings(heard(*bodies))
    apart = [one for body in bodies for one in sightings(heard(body))]
    assert together == apart


def test_hints_of_a_call_on_a_span_of_other_work_do_not_make_it_one() -> None:
    understood = heard(request(Told(attributes={"input_tokens": 5, "model": "x", "team": "a"})))
    assert understood.not_a_call == 1
