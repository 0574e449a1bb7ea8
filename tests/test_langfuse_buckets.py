"""What Langfuse's usage means: buckets, each beside the others, or a provider's own usage."""

import json
from collections.abc import Mapping

import pytest
from spans import Told, heard, request, sightings

DISJOINT = {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20}
ANTHROPICS = {"input": 300, "cache_read": 580, "cache_write": 120, "output": 50}


def usage_of(details: Mapping[str, object]) -> dict[str, int]:
    told = Told(
        attributes={
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "a-model",
            "langfuse.observation.usage_details": json.dumps(details),
        },
        kind=1,
        scope="langfuse-sdk",
    )
    (one,) = sightings(heard(request(told)))
    assert "usage_conflict" not in one.details
    return {name: count for name, count in one.usage.items() if not name.endswith("_audio")}


@pytest.mark.parametrize(
    ("details", "usage"),
    [
        ({"input": 11}, {"input": 11}),
        ({"input": 1000, "output": 50, "total": 1050}, {"input": 1000, "output": 50}),
        (
            {"input": 600, "output": 30, "input_cache_read": 400, "output_reasoning": 20},
            DISJOINT,
        ),
        # Audio is a kind of input, and no other meter.
        (
            {
                "input": 593,
                "output": 27,
                "total": 1050,
                "input_audio": 7,
                "input_cache_read": 400,
                "output_audio": 3,
                "output_reasoning": 20,
            },
            DISJOINT,
        ),
        # The JavaScript SDK's.
        (
            {
                "input": 593,
                "output": 27,
                "total": 1050,
                "input_cached_tokens": 400,
                "input_audio_tokens": 7,
                "output_reasoning_tokens": 20,
                "output_audio_tokens": 3,
                "output_accepted_prediction_tokens": 0,
            },
            DISJOINT,
        ),
        # Another tier of service: all of it is taken out of the sums, or none.
        (
            {
                "input": 0,
                "input_flex": 600,
                "input_flex_cache_read": 400,
                "output": 0,
                "output_flex": 30,
                "output_flex_reasoning": 20,
            },
            DISJOINT,
        ),
        (
            {
                "input": 1000,
                "input_priority": 600,
                "input_priority_cache_read": 400,
                "output": 50,
                "output_priority": 30,
                "output_priority_reasoning": 20,
            },
            DISJOINT,
        ),
        # Vertex AI: by modality.
        (
            {
                "input": 0,
                "input_modality_1": 600,
                "cached_modality_1": 400,
                "output": 0,
                "output_modality_1": 50,
            },
            {"input": 600, "cache_read": 400, "output": 50},
        ),
        # Anthropic's, in buckets and as it was answered.
        (
            {
                "input": 300,
                "cache_read_input_tokens": 580,
                "cache_creation_input_tokens": 120,
                "output": 50,
            },
            ANTHROPICS,
        ),
        (
            {
                "input_tokens": 300,
                "cache_read_input_tokens": 580,
                "cache_creation_input_tokens": 120,
                "output_tokens": 50,
            },
            ANTHROPICS,
        ),
        (
            {
                "input": 300,
                "cache_read_input_tokens": 580,
                "cache_creation_input_tokens": 120,
                "cache_creation_ephemeral_5m_input_tokens": 100,
                "cache_creation_ephemeral_1h_input_tokens": 20,
                "output": 50,
            },
            {
                "input": 300,
                "cache_read": 580,
                "cache_write_5m": 100,
                "cache_write_1h": 20,
                "output": 50,
            },
        ),
        # OpenAI's, as it was answered.
        (
            {
                "prompt_tokens": 1000,
                "completion_tokens": 50,
                "total_tokens": 1050,
                "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 7},
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            DISJOINT,
        ),
        (
            {
                "input_tokens": 1000,
                "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": None},
                "output_tokens": 50,
                "output_tokens_details": {"reasoning_tokens": 20},
                "total_tokens": 1050,
            },
            DISJOINT,
        ),
        # The last chunk of a stream knows nothing of the prompt.
        ({"input": 0, "output": 50, "total": 50}, {"output": 50}),
    ],
)
def test_what_was_used_comes_out_the_same_whoever_wrote_it(
    details: Mapping[str, object], usage: dict[str, int]
) -> None:
    assert usage_of(details) == usage
