"""What is not of tokens is heard, kept and counted: tools, images, audio, a server's time."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sighted import NOON, hear, sighting
from spans import Told, heard, only, request
from sqlalchemy import func, select

from jobs import roll
from jobs.context import JobContext
from spend.calls import NO_DETAILS, Emitter, Outcome, Owner, Role, Route, Sighting
from spend.meters import DISJOINT, METERS, TIMINGS, TOKENS, WORK
from spend.twins.witnesses import CHOICES, join, key_of
from store.postgres.sessions import Database
from store.tables.heard import joined_calls
from store.tables.rollups import cells

MODEL: dict[str, object] = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
SEARCHED = {
    "input_tokens": 300,
    "output_tokens": 50,
    "cache_read_input_tokens": 100,
    "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 9},
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "output": [
        {"type": "reasoning"},
        {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
        {"type": "web_search_call", "action": {"type": "open_page", "url": "u"}},
        {"type": "file_search_call", "queries": ["a", "b"]},
        {"type": "message", "content": [{"type": "output_text"}]},
    ],
}
INFERENCE: dict[str, object] = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}
PROMPTED: dict[str, object] = {"llm.token_count.prompt": 9, "llm.token_count.completion": 4}
ENGINE: dict[str, object] = {
    "gen_ai.usage.prompt_tokens": 9,
    "gen_ai.usage.completion_tokens": 4,
    "gen_ai.latency.time_in_model_prefill": 0.0214,
    "gen_ai.latency.time_in_model_decode": 1.2506,
    "gen_ai.latency.e2e": 1.3,
}
CHAT = MODEL | {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 9}
HEARD: dict[str, tuple[str, dict[str, object], dict[str, int]]] = {
    "Anthropic's own counter": (
        "logfire.anthropic",
        MODEL | {"gen_ai.operation.name": "chat", "gen_ai.usage.raw": json.dumps(SEARCHED)},
        {"tool_calls": 3},
    ),
    "OpenInference, of Anthropic's answer": (
        "openinference.instrumentation.anthropic",
        INFERENCE | PROMPTED | {"output.value": json.dumps({"usage": SEARCHED})},
        {"tool_calls": 3},
    ),
    "OpenInference, of OpenAI's response: searches, not pages that were opened": (
        "openinference.instrumentation.openai",
        INFERENCE | PROMPTED | {"output.value": json.dumps(RESPONSE)},
        {"tool_calls": 2},
    ),
    "Vercel's metadata": (
        "ai",
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "claude-sonnet-4-5",
            "ai.model.provider": "anthropic.messages",
            "ai.usage.promptTokens": 300,
            "ai.usage.completionTokens": 50,
            "ai.response.providerMetadata": json.dumps({"anthropic": {"usage": SEARCHED}}),
        },
        {"tool_calls": 3},
    ),
    "LiteLLM's usage, as Python prints it": (
        "litellm",
        MODEL
        | {
            "llm.request.type": "acompletion",
            "gen_ai.usage.input_tokens": 300,
            "gen_ai.usage.output_tokens": 50,
            "metadata.usage_object": "{'prompt_tokens': 300, 'server_tool_use':"
            " {'web_search_requests': 3}}",
        },
        {"tool_calls": 3},
    ),
    "a transcription that is billed by its length": (
        "logfire.openai",
        MODEL
        | {
            "gen_ai.operation.name": "transcription",
            "gen_ai.usage.raw": json.dumps({"type": "duration", "seconds": 8.47}),
        },
        {"seconds": 9},
    ),
    "an application's own words": (
        "shop",
        MODEL
        | {
            "gen_ai.operation.name": "image_generation",
            "spanledger.images": 4,
            "spanledger.audio_seconds": 30,
            "spanledger.tool_calls": 2,
        },
        {"images": 4, "seconds": 30, "tool_calls": 2},
    ),
    "vLLM": ("vllm.llm_engine", ENGINE, {"prefill_ms": 21, "decode_ms": 1251}),
    "SGLang": (
        "sglang",
        ENGINE | {"name": "Req 12345678"},
        {"prefill_ms": 21, "decode_ms": 1251},
    ),
    "somebody else's numbers, in nanoseconds": (
        "acme",
        CHAT | {"gen_ai.latency.time_in_model_prefill": 21_000_000},
        {},
    ),
    "a length that cannot be": ("shop", CHAT | {"spanledger.audio_seconds": -3.0}, {}),
    "a length beyond all reason": ("shop", CHAT | {"spanledger.audio_seconds": 1e300}, {}),
}


@pytest.mark.parametrize("case", HEARD)
def test_what_an_emitter_tells_beside_tokens_is_heard(case: str) -> None:
    scope, attributes, meters = HEARD[case]
    told = dict(attributes)
    name = str(told.pop("name", "llm_request" if scope.startswith("vllm") else "chat"))
    one = only(heard(request(Told(name=name, attributes=told, scope=scope))))
    beside = {name: count for name, count in one.usage.items() if name not in TOKENS}
    assert beside == meters
    assert "usage_refused" not in one.details


def test_a_count_that_is_none_costs_the_call_its_usage_and_says_why() -> None:
    told = Told(attributes=CHAT | {"spanledger.images": -1})
    one = only(heard(request(told)))
    assert not one.usage
    assert one.details["usage_refused"] == ["usage: spanledger.images is negative"]


def test_zero_tokens_are_still_no_report_where_a_tool_was_used() -> None:
    silent = MODEL | {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 0,
        "gen_ai.usage.output_tokens": 0,
    }
    assert dict(only(heard(request(Told(attributes=silent)))).usage) == {}
    used = only(heard(request(Told(attributes=silent | {"spanledger.tool_calls": 1}))))
    assert dict(used.usage) == {"tool_calls": 1}


def test_tokens_are_added_to_nothing_else() -> None:
    assert {meter.unit for meter in METERS if meter.name in DISJOINT} == {"token"}
    assert not {meter.of_which for meter in METERS if meter.unit != "token"} - {None}
    assert not set(TIMINGS) & set(WORK)


START = datetime(2026, 10, 5, 10, tzinfo=UTC)


def _sighting(span: int, role: Role, usage: dict[str, int]) -> Sighting:
    return Sighting(
        trace_id=UUID(int=7),
        span_id=span,
        parent_span_id=None,
        start_at=START + timedelta(seconds=span),
        duration_us=10**6,
        ttft_us=None,
        role=role,
        outcome=Outcome.OK,
        owner=Owner("search", rule="span attribute team"),
        route=Route(provider="vllm", model="llama"),
        emitter=Emitter("openinference.x", None, "openinference"),
        response_id=None,
        usage=usage,
        details=NO_DETAILS,
        kin_id=None,
    )


CLIENT = _sighting(1, Role.CALL, {"input": 900, "output": 40, "tool_calls": 2})
SERVER = _sighting(2, Role.SERVER, {"input": 900, "output": 40, "prefill_ms": 21, "decode_ms": 900})
OTHER = _sighting(3, Role.SERVER, {"input": 900, "output": 30, "prefill_ms": 5, "decode_ms": 700})


def test_a_servers_time_reaches_the_call_that_its_client_told() -> None:
    told = {"tool_calls": 2, "prefill_ms": 21, "decode_ms": 900}
    for members in ((CLIENT, SERVER), (SERVER, CLIENT)):
        joined = join(members, {})
        assert joined.usage == {"input": 900, "output": 40, **told}
        assert not joined.usage_conflict


def test_of_several_answers_to_one_request_the_server_spent_its_time_on_all() -> None:
    rules = {key_of(SERVER): CHOICES, key_of(OTHER): CHOICES}
    joined = join((CLIENT, SERVER, OTHER), rules)
    assert joined.usage["decode_ms"] == 900 + 700
    assert joined.usage["prefill_ms"] == 21 + 5
    assert joined.usage["output"] == 40
    assert joined.usage["tool_calls"] == 2


def _sums(database: Database) -> dict[str, int]:
    names = ("calls", "unmetered_calls", "tool_calls", "images", "seconds", *TIMINGS)
    roll.run(JobContext(database, now=NOON + timedelta(hours=1), by_hand=True))
    with database.read() as session:
        row = session.execute(select(*(func.sum(cells.c[name]) for name in names))).one()
    return {name: int(count) for name, count in zip(names, row, strict=True) if count}


@pytest.mark.one_server
def test_a_late_client_takes_over_the_servers_time_and_cells_hold_it_once(
    database: Database,
) -> None:
    tokens = {"input": 900, "output": 40}
    server = sighting(
        1,
        2,
        parent_span_id=1,
        role=Role.SERVER,
        emitter=Emitter("vllm.llm_engine", None, "vllm"),
        usage={**tokens, "prefill_ms": 21, "decode_ms": 2**30 - 1},
    )
    hear(database, [server])
    times = {"prefill_ms": 21, "decode_ms": 2**30 - 1}
    assert _sums(database) == {"calls": 1, **times}
    hear(database, [sighting(1, 1, usage={**tokens, "tool_calls": 2}, duration_us=2_000_000)])
    assert _sums(database) == {"calls": 1, "tool_calls": 2, **times}
    with database.read() as session:
        joined = session.execute(select(joined_calls)).mappings().one()
    assert {name: joined[name] for name in ("input", *times)} == {"input": 900, **times}


@pytest.mark.one_server
def test_who_told_images_or_seconds_has_told_what_it_used(database: Database) -> None:
    hear(
        database,
        [
            sighting(1, usage={"images": 4}),
            sighting(2, usage={"seconds": 9}),
            sighting(3, usage={"tool_calls": 1}),
            sighting(4, usage={}),
        ],
    )
    assert _sums(database) == {
        "calls": 4,
        "unmetered_calls": 2,
        "tool_calls": 1,
        "images": 4,
        "seconds": 9,
    }
