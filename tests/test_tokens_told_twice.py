"""No bag of attributes makes a token count twice, or one come out that nobody told."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from logged import logged
from spans import Told, heard, request, sightings

from collector.dialects import DIALECTS
from collector.dialects.table import COUNTS
from collector.signals import Signal
from collector.understanding.attributes import COLUMN_KEYS, FIRST_UNPACKED, KEYS
from spend.meters import CACHE_WRITES, METER_NAMES, METERS

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
SCOPES = st.sampled_from(
    [
        "x",
        "ai",
        "langfuse-sdk",
        *sorted({scope.replace("*", "x") for dialect in DIALECTS for scope in dialect.scopes}),
    ]
)
COUNT_KEYS = sorted({key for column in COUNTS for key in COLUMN_KEYS[column]})
COUNT = st.integers(0, 3000) | st.sampled_from([0, 1, 50, 400, 1000, 10**9])


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from(COUNT_KEYS), COUNT, min_size=1, max_size=12),
    SCOPES,
    st.sampled_from(list(Signal)[:2]),
)
def test_no_sum_is_larger_than_what_the_largest_family_of_words_told(
    told: Mapping[str, int], scope: str, signal: Signal
) -> None:
    def most(column: str) -> int:
        return max((told.get(key, 0) for key in COLUMN_KEYS[column]), default=0)

    one = Told(attributes={**CHAT, **told}, scope=scope)
    body = request(one) if signal is Signal.TRACES else logged(one)
    for row in heard(body, signal=signal).sightings.to_pylist():
        used = {name: row[name] or 0 for name in METER_NAMES}
        assert min(used.values()) >= 0
        for meter in METERS:
            if meter.of_which and row[meter.of_which] is not None:
                assert used[meter.name] <= used[meter.of_which]
        prompt = used["input"] + used["cache_read"] + sum(used[name] for name in CACHE_WRITES)
        written = max(most("cache_write"), most("cache_write_5m") + most("cache_write_1h"))
        fresh = max(most("input"), most("input_beside_cache"))
        assert prompt <= fresh + most("cache_read") + written + most("input_extra")
        said = max(most("output"), most("output_beside_reasoning")) + most("output_extra")
        assert used["output"] <= said + max(most("reasoning"), most("total"))


@dataclass(frozen=True)
class Used:
    """What a call consumed, disjoint."""

    fresh: int
    read: int
    written: int
    said: int
    thought: int

    @property
    def prompt(self) -> int:
        return self.fresh + self.read + self.written

    @property
    def answer(self) -> int:
        return self.said + self.thought


def _semconv(used: Used) -> dict[str, object]:
    return {
        "gen_ai.usage.input_tokens": used.prompt,
        "gen_ai.usage.output_tokens": used.answer,
        "gen_ai.usage.cache_read.input_tokens": used.read,
        "gen_ai.usage.cache_write.input_tokens": used.written,
        "gen_ai.usage.reasoning.output_tokens": used.thought,
    }


def _older(used: Used) -> dict[str, object]:
    return {
        "gen_ai.usage.prompt_tokens": used.prompt,
        "gen_ai.usage.completion_tokens": used.answer,
        "gen_ai.usage.cache_read_input_tokens": used.read,
        "gen_ai.usage.cache_creation_input_tokens": used.written,
        "gen_ai.usage.reasoning_tokens": used.thought,
        "llm.usage.total_tokens": used.prompt + used.answer,
    }


def _openinference(used: Used) -> dict[str, object]:
    return {
        "llm.token_count.prompt": used.prompt,
        "llm.token_count.completion": used.answer,
        "llm.token_count.total": used.prompt + used.answer,
        "llm.token_count.prompt_details.cache_read": used.read,
        "llm.token_count.prompt_details.cache_write": used.written,
        "llm.token_count.completion_details.reasoning": used.thought,
    }


def _vercel(used: Used) -> dict[str, object]:
    return {
        "ai.usage.inputTokens": used.prompt,
        "ai.usage.outputTokens": used.answer,
        "ai.usage.totalTokens": used.prompt + used.answer,
        "ai.usage.inputTokenDetails.noCacheTokens": used.fresh,
        "ai.usage.inputTokenDetails.cacheReadTokens": used.read,
        "ai.usage.inputTokenDetails.cacheWriteTokens": used.written,
        "ai.usage.outputTokenDetails.reasoningTokens": used.thought,
    }


def _raw(used: Used) -> dict[str, object]:
    return {
        "gen_ai.usage.raw": json.dumps(
            {
                "input_tokens": used.fresh,
                "cache_read_input_tokens": used.read,
                "cache_creation_input_tokens": used.written,
                "output_tokens": used.answer,
            }
        )
    }


def _details(used: Used) -> dict[str, object]:
    return {
        "gen_ai.usage.details.input_tokens": used.fresh,
        "gen_ai.usage.details.output_tokens": used.answer,
        "gen_ai.usage.details.cache_read_tokens": used.read,
        "gen_ai.usage.details.cache_write_tokens": used.written,
        "gen_ai.usage.details.reasoning_tokens": used.thought,
    }


def _bare(_: Used) -> dict[str, object]:
    """A neighbour's words, or an application's: nobody's usage here."""
    return {"input_tokens": 7777, "output_tokens": 7777, "cached_token_count": 7777, "usage": "9"}


WORDS: list[Callable[[Used], dict[str, object]]] = [
    _semconv,
    _older,
    _openinference,
    _vercel,
    _raw,
    _details,
    _bare,
]
SOME = st.integers(1, 5000)


@settings(max_examples=40, deadline=None)
@given(
    st.builds(Used, fresh=SOME, read=SOME, written=SOME, said=SOME, thought=SOME),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=5, unique=True),
    st.permutations(range(40)),
)
def test_the_same_usage_in_the_words_of_several_families_is_the_usage_once(
    used: Used, words: list[Callable[[Used], dict[str, object]]], order: list[int]
) -> None:
    told = {key: value for say in (_semconv, *words) for key, value in say(used).items()}
    shuffled = sorted(told, key=lambda key: order[sorted(told).index(key)])
    one = Told(attributes={**CHAT, **{key: told[key] for key in shuffled}}, scope="x")
    (found,) = sightings(heard(request(one)))
    assert {name: count for name, count in found.usage.items() if count} == {
        "input": used.fresh,
        "cache_read": used.read,
        "cache_write": used.written,
        "output": used.answer,
        "reasoning": used.thought,
    }


NEAR = st.builds(
    lambda key, change: change(key),
    st.sampled_from(KEYS),
    st.sampled_from(
        [
            str.upper,
            lambda key: key + ".",
            lambda key: key + " ",
            lambda key: key[:-1],
            lambda key: "x." + key,
            lambda key: key.replace(".", "_"),
            lambda key: key + ".0",
        ]
    ),
).filter(lambda key: key not in KEYS)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NEAR, COUNT, min_size=1, max_size=8))
def test_words_that_only_look_like_ours_tell_nothing(told: Mapping[str, int]) -> None:
    (found,) = sightings(heard(request(Told(attributes={**CHAT, **told}, scope="x"))))
    assert not found.usage


INSIDE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 3000) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["input_tokens", "prompt_tokens", "input", "output", "iterations", "type", "id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS[FIRST_UNPACKED:]), INSIDE, min_size=1, max_size=3),
    st.sampled_from([json.dumps, str, lambda value: value]),
    SCOPES,
)
def test_whatever_stands_within_a_value_breaks_nothing(
    told: Mapping[str, object], written: Callable[[object], object], scope: str
) -> None:
    attributes = {**CHAT, **{key: written(value) for key, value in told.items()}}
    understood = heard(request(Told(attributes=attributes, scope=scope)))
    assert understood.heard == understood.sightings.num_rows + understood.not_a_call
    for row in understood.sightings.to_pylist():
        assert all(row[name] is None or row[name] >= 0 for name in METER_NAMES)
