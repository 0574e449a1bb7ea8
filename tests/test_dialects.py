"""Real instrumentations' requests amount to the calls and tokens that the models truly answered."""

from dataclasses import dataclass

import pytest
from spans import captured, heard, sightings

from spend.calls import Outcome, Role, Sighting
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
