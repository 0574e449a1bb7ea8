"""Real instrumentations' requests amount to the calls and tokens that the models truly answered."""

from collections import Counter
from functools import lru_cache

import pytest
from deliveries import DELIVERIES, sent
from spans import captured, heard, sightings
from truths import TRUTHS

from collector.dialects import DIALECTS
from collector.dialects.table import COLUMNS
from collector.signals import Signal
from collector.understanding.attributes import KEYS
from spend.calls import Outcome, Role, Sighting, Standing
from spend.meters import CACHE_WRITES
from spend.twins.twins import settle
from spend.twins.witnesses import Joined, key_of

Call = Sighting | Joined


def calls_of(found: list[Sighting]) -> list[Call]:
    """What sightings amount to once they are settled."""
    settled = settle(found)
    within = {key_of(one) for joined in settled.joined for one in joined.members}
    single = [
        one
        for one in {key_of(one): one for one in found}.values()
        if one.role is not Role.AGGREGATE
        and key_of(one) not in within
        and key_of(one) not in settled.held
    ]
    return [*settled.joined, *single]


def sums_of(calls: list[Call]) -> tuple[int, ...]:
    """As ``Truth.sums``."""
    total = {
        name: sum(one.usage.get(name, 0) for one in calls)
        for name in ("input", "cache_read", *CACHE_WRITES, "output", "reasoning")
    }
    written = sum(total[name] for name in CACHE_WRITES)
    errors = sum(one.outcome is not Outcome.OK for one in calls)
    prompt = total["input"] + total["cache_read"] + written
    cache = total["cache_read"], written
    return len(calls), errors, prompt, *cache, total["output"], total["reasoning"]


def sorts_of(calls: list[Call]) -> dict[str, object]:
    """Calls by model, provider and outcome, those that streamed, and those timed to the token."""
    return {
        "models": Counter(one.route.model or one.route.request_model for one in calls),
        "providers": Counter(one.route.provider or "unknown" for one in calls),
        "outcomes": Counter(one.outcome.name.lower() for one in calls),
        "streaming": sum(one.details.get("streaming") is True for one in calls),
        "ttft": sum(one.ttft_us is not None for one in calls),
        "cache_write_1h": sum(one.usage.get("cache_write_1h", 0) for one in calls),
    }


@lru_cache(maxsize=1024)
def seen_in(signal: Signal, body: bytes) -> list[Sighting]:
    """What one request tells. The ways of delivery differ in order and repetition alone."""
    return sightings(heard(body, signal=signal))


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("scenario", sorted(TRUTHS))
def test_a_scenario_amounts_to_what_the_models_answered(scenario: str, delivery: str) -> None:
    truth = TRUTHS[scenario]
    bodies = DELIVERIES[delivery](sent(scenario, truth.signals))
    found = [one for signal, body in bodies for one in seen_in(signal, body)]
    calls = calls_of(found)
    assert sums_of(calls) == truth.sums
    known = {name: value for name, value in truth.sorts.items() if value not in (None, {})}
    assert {name: value for name, value in sorts_of(calls).items() if name in known} == known


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
        assert {*dialect.columns, *dialect.own} <= COLUMNS.keys(), dialect.name
        taken = {
            name
            for unpacked in dialect.unpacks
            for names in unpacked.takes.values()
            for name in ((names,) if isinstance(names, str) else names)
        }
        assert taken <= set(KEYS), dialect.name
