"""Spans that say little: what their names, their scope, their total and their exceptions tell."""

import json
from collections.abc import Mapping

import pytest
from spans import START, Told, call, heard, only, request, sightings

from spend.calls import Outcome, Role
from spend.outcomes import error_named, status_told
from spend.providers import place_of_call
from spend.twins.twins import settle
from spend.twins.witnesses import totals


def silent(name: str, scope: str, **changes: object) -> Told:
    """A span without any attribute."""
    return Told(attributes={}, name=name, scope=scope, status=2, **changes)  # type: ignore[arg-type] # each as in Told


@pytest.mark.parametrize(
    ("name", "scope", "provider", "model", "operation"),
    [
        ("chat gpt-9", "openlit.instrumentation.openai", "openai", "gpt-9", "chat"),
        ("chat sonnet", "openlit.instrumentation.anthropic", "anthropic", "sonnet", "chat"),
        ("chat x", "openlit.otel.tracing", None, "x", "chat"),
        ("openai.chat.completions", "openlit.otel.tracing", "openai", None, "chat"),
        ("anthropic.messages", "openlit.otel.tracing", "anthropic", None, None),
        ("bedrock.converse", "opentelemetry.instrumentation.bedrock", "aws", None, None),
        ("openai.chat", "opentelemetry.instrumentation.openai.v1", "openai", None, "chat"),
    ],
)
def test_a_failed_call_without_attributes_is_told_by_its_name(
    name: str, scope: str, provider: str | None, model: str | None, operation: str | None
) -> None:
    one = only(heard(request(silent(name, scope, message="Error code: 429 - slow down"))))
    assert (one.role, one.outcome) == (Role.CALL, Outcome.RATE_LIMITED)
    assert (one.route.provider, one.route.model) == (provider, model)
    assert one.route.operation == operation


def test_a_name_says_nothing_against_attributes() -> None:
    told = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.request.model": "asked",
        "gen_ai.provider.name": "mistral_ai",
    }
    scope = "openlit.instrumentation.openai"
    one = only(heard(request(Told(attributes=told, name="chat other", scope=scope))))
    route = one.route
    assert (route.provider, route.model, route.operation) == ("mistral", "asked", "embeddings")


@pytest.mark.parametrize(
    ("kind", "message", "outcome", "error"),
    [
        ("botocore.errorfactory.ThrottlingException", "", Outcome.RATE_LIMITED, None),
        ("ClientError", "An error occurred (429) when calling", Outcome.RATE_LIMITED, None),
        (
            "Exception",
            "BadRequestError('no such model')",
            Outcome.BAD_REQUEST,
            "BadRequestError",
        ),
        ("ClientError", "An error occurred (AccessDenied) when", Outcome.DENIED, "AccessDenied"),
    ],
)
def test_how_a_call_failed_is_read_from_its_exception(
    kind: str, message: str, outcome: Outcome, error: str | None
) -> None:
    event = (START, "exception", {"exception.type": kind, "exception.message": message})
    one = only(heard(request(call(status=2, events=[event]))))
    assert one.outcome is outcome
    assert one.details["error_type"] == (error or kind)


def test_an_exception_fails_a_call_only_where_the_emitter_ends_every_span_well() -> None:
    event = (START, "exception", {"exception.type": "Exception", "exception.message": "x"})
    assert only(heard(request(call(status=1, events=[event])))).outcome is Outcome.OK
    run = {"langsmith.span.kind": "llm", "langsmith.metadata.ls_provider": "openai"}
    traced = call(attributes=run, status=1, events=[event], scope="langsmith")
    assert only(heard(request(traced))).outcome is Outcome.ERROR


def test_geminis_thoughts_are_what_the_total_has_beyond() -> None:
    counts = {
        "gen_ai.provider.name": "gcp.gen_ai",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.cache_read.input_tokens": 400,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.usage.total_tokens": 1050,
    }
    scope = "opentelemetry.instrumentation.google_generativeai"
    used = only(heard(request(call(attributes=counts, scope=scope)))).usage
    assert used == {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20}


@pytest.mark.parametrize(
    ("version", "told", "uncached"),
    [("0.1.10", 1000, 600), ("0.1.12", 1400, 600), ("0.1.15", 1400, 600), ("0.1.16", 1000, 600)],
)
def test_what_was_counted_twice_is_counted_once(version: str, told: int, uncached: int) -> None:
    counts = {
        "openinference.span.kind": "LLM",
        "llm.provider": "google",
        "llm.token_count.prompt": told,
        "llm.token_count.prompt_details.cache_read": 400,
        "llm.token_count.completion": 50,
        "llm.token_count.total": told + 50,
    }
    scope = "openinference.instrumentation.google_genai"
    span = Told(attributes=counts, scope=scope, version=version)
    one = only(heard(request(span)))
    assert one.usage == {"input": uncached, "cache_read": 400, "output": 50}
    assert "usage_conflict" not in one.details


def langsmith_run(completion: Mapping[str, object], **attributes: object) -> bytes:
    """A run of LangSmith's first exports, whose outputs are bytes."""
    told = {
        "langsmith.span.kind": "llm",
        "gen_ai.operation.name": "chain",
        "gen_ai.system": "langchain",
        "langsmith.metadata.ls_provider": "anthropic",
        "gen_ai.completion": json.dumps(completion).encode(),
        **attributes,
    }
    return request(Told(attributes=told, scope="langsmith", kind=1, name="ChatAnthropic"))


def test_usage_and_id_within_an_answer_of_bytes_are_read() -> None:
    details = {"cache_read": 580, "cache_creation": 0, "ephemeral_5m_input_tokens": 120}
    said = {
        "response_metadata": {"id": "msg_01AbcdefGhijklmn", "model_name": "claude-sonnet-4-5"},
        "usage_metadata": {"input_tokens": 1000, "input_token_details": details},
    }
    counts = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50}
    body = langsmith_run({"generations": [[{"message": {"kwargs": said}}]]}, **counts)
    one = only(heard(body))
    assert one.usage == {"input": 300, "cache_read": 580, "cache_write_5m": 120, "output": 50}
    assert one.response_id == "msg_01AbcdefGhijklmn"
    assert (one.route.provider, one.route.model) == ("anthropic", "claude-sonnet-4-5")
    assert one.route.operation == "chat"


def settled(*told: Told) -> tuple[int, list[tuple[int, int]]]:
    """How many calls some spans of one service are, and (tokens in, out) of those joined."""
    found = sightings(heard(request(*told, resource={"service.name": "shop"})))
    whole = settle(found)
    joined = sum(len(one.members) - 1 for one in whole.joined)
    return len(found) - joined - len(whole.held), [totals(one.usage) for one in whole.joined]


def test_a_stream_that_its_framework_knows_no_prompt_of_is_one_with_the_clients() -> None:
    claude = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
    answer = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 50}
    framework = call(attributes={**claude, **answer}, scope="langsmith")
    full = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50}
    client = call(
        attributes={**claude, **full, "gen_ai.response.id": "msg_01AbcdefGhijklmn"},
        scope="com.anthropic.sdk.python",
        trace_id=b"\x07" * 16,
        start=START + 10**7,
        end=START + 9 * 10**8,
    )
    assert settled(framework, client) == (1, [(1000, 50)])
    other = call(
        attributes={**claude, **full, "gen_ai.usage.output_tokens": 51},
        scope="com.anthropic.sdk.python",
        trace_id=b"\x07" * 16,
        start=START + 10**7,
        end=START + 9 * 10**8,
    )
    assert settled(framework, other) == (2, [])


def test_a_call_that_hangs_beneath_one_that_had_ended_is_a_call() -> None:
    scope = "opentelemetry.instrumentation.langchain"
    counts = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5}
    first = call(attributes=counts, scope=scope, span_id=b"\x02" * 8, end=START + 10**8)
    after = {"parent_span_id": b"\x02" * 8, "span_id": b"\x03" * 8, "start": START + 10**8 + 10**6}
    failed = call(scope=scope, status=2, end=START + 2 * 10**8, **after)
    same = call(attributes=counts, scope=scope, end=START + 2 * 10**8, **after)
    assert settled(first, failed) == (2, [])
    assert settled(first, same) == (2, [])


def test_bedrocks_names_for_models_tell_who_bills() -> None:
    claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert place_of_call(model=claude).provider == "aws"
    assert place_of_call(told="anthropic", model=claude).provider == "aws"
    assert place_of_call(told="anthropic", model="claude-sonnet-4-5").provider == "anthropic"
    assert place_of_call(model="meta.llama3-3-70b-instruct-v1:0").deployment == "hosted-open"


def test_a_status_is_read_from_what_clients_say() -> None:
    assert status_told("An error occurred (429) when calling the Converse operation") == 429
    assert status_told("429 RESOURCE_EXHAUSTED. {'error': {}}") == 429
    assert status_told("we used 500 tokens") is None
    assert error_named("openai.RateLimitError", "x") == "openai.RateLimitError"
