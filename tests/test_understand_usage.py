"""Token counts become disjoint classes, or are refused by name and cost nothing but themselves."""

import pytest
from spans import Told, call, heard, only, request

from spend.meters import LARGEST_COUNT

SIDES = ("input", "output")


def counted(**usage: object) -> Told:
    return call(attributes={f"gen_ai.usage.{name}": count for name, count in usage.items()})


@pytest.mark.parametrize(
    ("count", "fault"),
    [
        (-1, "is negative"),
        (-1.0, "is negative"),
        ("-5", "is negative"),
        (1.5, "is not a whole number"),
        (10**10, "is too large"),
        (1e30, "is too large"),
        (float("inf"), "is too large"),
        ("99999999999999999999", "is not a number"),
        ("9999999999999", "is too large"),
        (float("nan"), "is not a number"),
        ("many", "is not a number"),
        ("12_000", "is not a number"),
        ("１２", "is not a number"),  # noqa: RUF001 - int() would take these digits
        (True, "is true or false, not a number"),
        ([1], "is a list or a map, not a number"),
        ({"a": 1}, "is a list or a map, not a number"),
        (b"1", "is a list or a map, not a number"),
    ],
)
def test_an_absurd_count_costs_the_call_its_usage_but_not_the_call(
    count: object, fault: str
) -> None:
    understood = heard(request(counted(input_tokens=100, output_tokens=count)))
    reason = f"usage: gen_ai.usage.output_tokens {fault}"
    one = only(understood)
    assert not one.usage
    assert one.details["usage_refused"] == [reason]
    assert understood.usage_refused == {reason: 1}
    assert (understood.heard, understood.not_a_call, understood.refused) == (1, 0, {})


def test_counts_that_are_absurd_in_all_cost_the_call_its_usage() -> None:
    native = {f"anthropic.usage.compaction.{side}_tokens": LARGEST_COUNT for side in SIDES}
    plain = {f"gen_ai.usage.{side}_tokens": LARGEST_COUNT for side in SIDES}
    one = only(heard(request(call(scope="com.anthropic.sdk.python", attributes=plain | native))))
    assert not one.usage
    assert one.details["usage_refused"] == [f"usage: {side} is too large in all" for side in SIDES]
    assert only(heard(request(call(attributes=plain)))).usage == dict.fromkeys(SIDES, LARGEST_COUNT)


@pytest.mark.parametrize("count", [1000, 1000.0, "1000"], ids=["int", "float", "text"])
def test_a_count_may_be_told_as_a_float_or_as_text(count: object) -> None:
    assert only(heard(request(counted(input_tokens=count, output_tokens=5)))).usage == {
        "input": 1000,
        "output": 5,
    }


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        # Inclusive, as the conventions have it.
        (
            {"input_tokens": 1000, "output_tokens": 50, "cache_read.input_tokens": 400},
            {"input": 600, "cache_read": 400, "output": 50},
        ),
        # More from the cache than there was input: it lay beside.
        (
            {"input_tokens": 300, "output_tokens": 50, "cache_read.input_tokens": 580},
            {"input": 300, "cache_read": 580, "output": 50},
        ),
        # The total proves that it lay beside.
        (
            {
                "input_tokens": 1000,
                "output_tokens": 50,
                "total_tokens": 1450,
                "cache_read.input_tokens": 400,
            },
            {"input": 1000, "cache_read": 400, "output": 50},
        ),
        # The total proves that reasoning is not in the output.
        (
            {
                "input_tokens": 1000,
                "output_tokens": 30,
                "total_tokens": 1050,
                "reasoning.output_tokens": 20,
            },
            {"input": 1000, "output": 50, "reasoning": 20},
        ),
        # The first generation's names; the newer name counts where both are told.
        ({"prompt_tokens": 10, "completion_tokens": 5}, {"input": 10, "output": 5}),
        (
            {"prompt_tokens": 10, "input_tokens": 11, "output_tokens": 5},
            {"input": 11, "output": 5},
        ),
        # The new and the old word for cache writes are one count.
        (
            {
                "input_tokens": 200,
                "output_tokens": 5,
                "cache_write.input_tokens": 120,
                "cache_creation.input_tokens": 120,
            },
            {"input": 80, "cache_write": 120, "output": 5},
        ),
        # Zero and zero: the emitter was told nothing.
        ({"input_tokens": 0, "output_tokens": 0}, {}),
        ({}, {}),
        # Audio is a part of what it is in.
        (
            {
                "input_tokens": 100,
                "output_tokens": 5,
                "cache_read.input_tokens": 97,
                "audio.input_tokens": 7,
            },
            {"input": 3, "cache_read": 97, "output": 5, "input_audio": 3},
        ),
    ],
)
def test_tokens_are_put_into_disjoint_classes(
    told: dict[str, object], usage: dict[str, int]
) -> None:
    assert only(heard(request(counted(**told)))).usage == usage


def test_a_table_that_arithmetic_contradicts_is_said_to() -> None:
    told = {"input_tokens": 300, "output_tokens": 5, "cache_read.input_tokens": 580}
    understood = heard(request(counted(**told)))
    assert only(understood).details["usage_conflict"] is True
    assert understood.usage_conflicts == {"opentelemetry.instrumentation.genai.openai 1.3b0": 1}
    bedrock = call(
        scope="opentelemetry.instrumentation.botocore.bedrock-runtime",
        attributes={
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.usage.input_tokens": 300,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 200,
        },
    )
    one = only(heard(request(bedrock)))
    assert (one.usage["input"], one.usage["cache_read"]) == (300, 200)
    assert "usage_conflict" not in one.details


@pytest.mark.parametrize(
    ("version", "uncached"), [("0.1.13", 300), ("0.1.14", 100), ("3.1.0", 100), ("", 100)]
)
def test_what_input_means_can_change_with_a_version(version: str, uncached: int) -> None:
    span = Told(
        scope="openinference.instrumentation.anthropic",
        version=version,
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.token_count.prompt": 300,
            "llm.token_count.completion": 5,
            "llm.token_count.prompt_details.cache_read": 200,
        },
    )
    assert only(heard(request(span))).usage["input"] == uncached
