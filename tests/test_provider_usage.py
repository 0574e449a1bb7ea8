"""Usage as a provider's API answered it becomes disjoint classes, whoever the provider is."""

import json

import pytest
from spans import call, heard, only, request

OPENAI = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 100},
    "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 0},
}
RESPONSES = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 1050,
}
ANTHROPIC = {
    "input_tokens": 300,
    "cache_read_input_tokens": 580,
    "cache_creation_input_tokens": 120,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 50,
    "service_tier": "standard",
}
COMPACTED = ANTHROPIC | {
    "iterations": [
        {"type": "compaction", "input_tokens": 7000, "output_tokens": 300},
        {"type": "message", "input_tokens": 300, "output_tokens": 50},
        {"type": "compaction", "input_tokens": 1000, "output_tokens": 100},
    ]
}
# As LiteLLM and MLflow write it: Anthropic's words, but everything is counted in.
ANEW = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "cache_read_input_tokens": 580,
    "cache_creation_input_tokens": 120,
}
GEMINI = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 400,
    "candidatesTokenCount": 30,
    "thoughtsTokenCount": 20,
    "totalTokenCount": 1050,
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 990},
        {"modality": "AUDIO", "tokenCount": 10},
    ],
}
GEMINI_WITH_TOOLS = {
    "prompt_token_count": 1000,
    "candidates_token_count": 30,
    "thoughts_token_count": 20,
    "tool_use_prompt_token_count": 200,
    "total_token_count": 1250,
}
BEDROCK = {
    "inputTokens": 300,
    "outputTokens": 50,
    "totalTokens": 1050,
    "cacheReadInputTokens": 580,
    "cacheWriteInputTokens": 120,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 100}, {"ttl": "1h", "inputTokens": 20}],
}
DEEPSEEK = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_cache_hit_tokens": 400,
    "prompt_cache_miss_tokens": 600,
    "completion_tokens_details": {"reasoning_tokens": 20},
}
IMAGE = {
    "input_tokens": 1000,
    "output_tokens": 50,
    "total_tokens": 1050,
    "input_tokens_details": {"text_tokens": 200, "image_tokens": 800},
    "output_tokens_details": {"image_tokens": 50},
}
# xAI leaves reasoning out of the completion; only the total tells.
GROK = OPENAI | {"completion_tokens": 30}
COHERE = {
    "billed_units": {"input_tokens": 90, "output_tokens": 50},
    "tokens": {"input_tokens": 160, "output_tokens": 50},
}
MISTRAL = {"prompt_tokens": 90, "completion_tokens": 50, "total_tokens": 140}
OLLAMA = {"prompt_eval_count": 90, "eval_count": 50, "eval_duration": 12345}

PLAIN = {"input": 90, "output": 50}
LIKE_OPENAI = {"input": 600, "cache_read": 400, "output": 50, "reasoning": 20}
LIKE_ANTHROPIC = {
    "input": 300,
    "cache_read": 580,
    "cache_write_5m": 100,
    "cache_write_1h": 20,
    "output": 50,
}
ANSWERS = [
    (OPENAI, LIKE_OPENAI | {"input_audio": 100, "output_audio": 0}),
    (RESPONSES, LIKE_OPENAI),
    (ANTHROPIC, LIKE_ANTHROPIC),
    (COMPACTED, LIKE_ANTHROPIC | {"input": 8300, "output": 450}),
    (ANEW, {"input": 300, "cache_read": 580, "cache_write": 120, "output": 50}),
    (GEMINI, LIKE_OPENAI | {"input_audio": 10}),
    (GEMINI_WITH_TOOLS, {"input": 1200, "output": 50, "reasoning": 20}),
    (BEDROCK, LIKE_ANTHROPIC),
    (DEEPSEEK, LIKE_OPENAI),
    (GROK, LIKE_OPENAI | {"input_audio": 100, "output_audio": 0}),
    (IMAGE, {"input": 1000, "input_image": 800, "output": 50, "output_image": 50}),
    (COHERE, PLAIN),
    (MISTRAL, PLAIN),
    (OLLAMA, PLAIN),
]
NAMES = [
    "OpenAI chat",
    "OpenAI responses",
    "Anthropic",
    "Anthropic compacted",
    "counted anew",
    "Gemini",
    "Gemini with tools",
    "Bedrock",
    "DeepSeek",
    "xAI",
    "OpenAI images",
    "Cohere",
    "Mistral",
    "Ollama",
]


@pytest.mark.parametrize(("answered", "usage"), ANSWERS, ids=NAMES)
@pytest.mark.parametrize("written", [json.dumps, str, dict], ids=["JSON", "printed", "map"])
def test_what_a_provider_answered_is_put_into_disjoint_classes(
    written: object, answered: dict[str, object], usage: dict[str, int]
) -> None:
    assert callable(written)
    one = only(heard(request(call(attributes={"gen_ai.usage.raw": written(answered)}))))
    assert one.usage == usage


@pytest.mark.parametrize(("answered", "usage"), [ANSWERS[0], ANSWERS[2], ANSWERS[7]])
def test_it_is_not_added_to_what_the_span_says_itself(
    answered: dict[str, object], usage: dict[str, int]
) -> None:
    said = {
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.raw": json.dumps(answered),
    }
    assert only(heard(request(call(attributes=said)))).usage == usage


def test_an_object_that_python_printed_is_read_too() -> None:
    printed = (
        "CompletionUsage(completion_tokens=50, prompt_tokens=1000, total_tokens=1050, "
        "completion_tokens_details=CompletionTokensDetails(audio_tokens=None, reasoning_tokens=20),"
        " prompt_tokens_details=PromptTokensDetails(audio_tokens=None, cached_tokens=400))"
    )
    one = only(heard(request(call(attributes={"gen_ai.usage.raw": printed}))))
    assert one.usage == LIKE_OPENAI
