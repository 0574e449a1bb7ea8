"""Real instrumentations' requests amount to the calls and tokens that the models truly answered."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from spans import captured, heard, sightings

from collector.dialects import DIALECTS
from collector.dialects.table import COLUMNS
from collector.understanding.attributes import KEYS
from spend.calls import Outcome, Role, Sighting, Standing
from spend.meters import CACHE_WRITES
from spend.twins import settle


@dataclass(frozen=True)
class Truth:
    """A scenario's calls, as the model server answered them."""

    calls: int
    errors: int
    input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int


# From the model server's own record. Input includes the cache's parts.
TRUTH = {
    "double-instrumented/traceloop-and-openinference": Truth(10, 1, 7011, 2800, 0, 350, 140),
    "openinference/anthropic": Truth(5, 1, 4000, 2320, 480, 200, 0),
    "openinference/langchain": Truth(5, 1, 3000, 1200, 0, 150, 60),
    "openinference/litellm": Truth(4, 0, 3011, 1380, 120, 150, 40),
    "openinference/openai": Truth(10, 1, 7011, 2800, 0, 350, 140),
    "otel-genai/anthropic": Truth(5, 1, 4000, 2320, 480, 200, 0),
    "otel-genai/openai": Truth(10, 1, 7011, 2800, 0, 350, 140),
    "otel-openai-v2/default": Truth(7, 1, 4011, 0, 0, 200, 0),
    "otel-openai-v2/latest": Truth(7, 1, 4011, 0, 0, 200, 0),
    "traceloop/anthropic": Truth(5, 1, 4000, 2320, 480, 200, 0),
    "traceloop/openai": Truth(10, 1, 7011, 2800, 0, 350, 120),
    "traceloop/sdk-langchain": Truth(3, 0, 3000, 1200, 0, 150, 20),
    # Not asked for yet: these fit already.
    "claude-code/traces": Truth(2, 0, 2000, 1160, 240, 100, 0),
    "codex/exec": Truth(2, 0, 2000, 800, 0, 100, 40),
    "google-adk/v2": Truth(1, 0, 1000, 400, 0, 50, 20),
    "langsmith-otel/langchain": Truth(3, 0, 3000, 1200, 0, 150, 60),
    "litellm/default": Truth(3, 1, 1011, 400, 0, 50, 20),
    "mlflow/autolog": Truth(10, 1, 7000, 2800, 0, 350, 0),
    "openlit/openai": Truth(10, 1, 7015, 2800, 0, 356, 60),
    "pydantic-ai/default": Truth(6, 1, 5000, 2180, 120, 250, 80),
    "pydantic-ai/v3": Truth(6, 1, 5000, 2180, 120, 250, 80),
    "pydantic-ai/v5": Truth(6, 1, 5000, 2180, 120, 250, 80),
    "vercel-ai/v5": Truth(11, 2, 7022, 980, 120, 350, 20),
}


def amount(scenario: str, *, split: bool) -> Truth:
    """What a scenario amounts to, heard request by request or at once, and settled."""
    requests = captured(scenario)
    batches = [[request] for request in requests] if split else [requests]
    found = [one for batch in batches for one in sightings(heard(*batch))]
    settled = settle(found)
    within = {key_of(one) for joined in settled.joined for one in joined.members}
    single = [
        one
        for one in found
        if one.role is not Role.AGGREGATE
        and key_of(one) not in within
        and key_of(one) not in settled.held
    ]
    calls = [*settled.joined, *single]
    total = {
        name: sum(one.usage.get(name, 0) for one in calls)
        for name in ("input", "cache_read", *CACHE_WRITES, "output", "reasoning")
    }
    written = sum(total[name] for name in CACHE_WRITES)
    return Truth(
        calls=len(calls),
        errors=sum(one.outcome is not Outcome.OK for one in calls),
        input=total["input"] + total["cache_read"] + written,
        cache_read=total["cache_read"],
        cache_write=written,
        output=total["output"],
        reasoning=total["reasoning"],
    )


def key_of(one: Sighting) -> tuple[str, int]:
    return one.trace_id.hex, one.span_id


@pytest.mark.parametrize("split", [False, True], ids=["at once", "request by request"])
@pytest.mark.parametrize("scenario", sorted(TRUTH))
def test_a_scenario_amounts_to_what_the_models_answered(scenario: str, split: bool) -> None:
    assert amount(scenario, split=split) == TRUTH[scenario]


# The prompt of every chat that tells its usage, where a call is one span.
PROMPTS = {
    "otel-genai/openai": {"input": 600, "cache_read": 400},
    "otel-openai-v2/default": {"input": 1000},
    "traceloop/openai": {"input": 600, "cache_read": 400},
    "openinference/openai": {"input": 600, "cache_read": 400},
}


@pytest.mark.parametrize("scenario", sorted(PROMPTS))
def test_each_sighting_tells_model_provider_and_usage(scenario: str) -> None:
    prompt = PROMPTS[scenario]
    found = sightings(heard(*captured(scenario)))
    assert {one.route.provider for one in found} == {"openai"}
    assert {one.route.deployment for one in found} == {"api"}
    assert all(one.role is Role.CALL for one in found)
    chats = [one for one in found if one.route.model == "gpt-4o-mini-2026-01-01" and one.usage]
    assert chats
    for one in chats:
        assert {name: one.usage[name] for name in prompt} == prompt
        assert one.usage["output"] == 50
    (embedded,) = (one for one in found if one.route.operation == "embeddings")
    assert embedded.usage["input"] == 11
    assert embedded.route.model == "text-embedding-3-small-resp"
    (limited,) = (one for one in found if one.outcome is not Outcome.OK)
    assert limited.outcome is Outcome.RATE_LIMITED
    assert limited.route.model == "error-429"
    assert not limited.usage


def test_anthropics_own_spans_tell_how_long_the_cache_lives() -> None:
    found = sightings(heard(*captured("otel-genai/anthropic")))
    native = [one for one in found if one.emitter.dialect == "anthropic-sdk" and one.usage]
    assert len(native) == 4
    for one in native:
        assert dict(one.usage) == {
            "input": 300,
            "cache_read": 580,
            "cache_write_5m": 100,
            "cache_write_1h": 20,
            "output": 50,
        }


@pytest.mark.parametrize(
    ("scenario", "waits"),
    [
        ("otel-genai/openai", {77_497, 60_013, 170_270}),
        ("traceloop/openai", {87_480, 58_290}),
        ("openinference/openai", {80_125, 54_025, 111_876}),
    ],
)
def test_the_time_to_the_first_token_is_told_by_attribute_or_event(
    scenario: str, waits: set[int]
) -> None:
    found = sightings(heard(*captured(scenario)))
    assert {one.ttft_us for one in found} - {None} == waits


def test_the_answers_id_is_found_in_openinferences_output() -> None:
    found = sightings(heard(*captured("openinference/openai")))
    answered = [one for one in found if one.outcome is Outcome.OK and one.usage.get("output")]
    assert answered
    assert all(str(one.response_id).startswith(("chatcmpl-", "resp_")) for one in answered)


def test_chains_and_tools_without_usage_are_no_sightings() -> None:
    understood = heard(*captured("openinference/langchain"))
    assert (understood.heard, understood.sightings.num_rows, understood.not_a_call) == (16, 5, 11)


def test_a_wrapper_that_repeats_usage_is_held() -> None:
    batch = heard(*captured("langsmith-otel/langchain")).sightings.to_pylist()
    assert {(row["role"], row["standing"]) for row in batch} == {
        (Role.CALL, Standing.COUNTS),
        (Role.AGGREGATE, Standing.HELD),
    }


def test_every_column_of_a_dialect_is_one_that_we_know() -> None:
    for dialect in DIALECTS:
        assert set(dialect.columns) <= COLUMNS, dialect.name
        taken = {key for unpacked in dialect.unpacks for key in unpacked.takes.values()}
        assert taken <= set(KEYS), dialect.name


def test_the_page_on_dialects_names_every_dialect() -> None:
    page = (Path(__file__).parent.parent / "docs" / "dialects.md").read_text()
    for dialect in DIALECTS:
        assert f"`{dialect.name}`" in page
