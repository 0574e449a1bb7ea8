"""Usage as the providers' APIs answer it, for emitters that hand it on as it is.

Every provider counts in its own way, and one attribute can hold the answer of any of them: the
keys tell whose it is. ``raw_usage`` takes it apart, ``raw_columns`` says what it then tells.

Sources: the API references of OpenAI (chat, responses), Anthropic (messages), Gemini
(``usageMetadata``), Bedrock (Converse), Cohere (``meta``), DeepSeek, Mistral and Ollama.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from collector.dialects.table import Unpacked

_ANTHROPICS: Final = frozenset(
    {"cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"}
)
_COUNTED_ANEW: Final = frozenset(
    {"prompt_tokens", "total_tokens", "input_tokens_details", "prompt_tokens_details"}
)
"""Keys that Anthropic never sends: a library has made its own sums, with the cache in them."""

_CACHE_LIFE: Final = {
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
}
# To fetch a page is free, to search is not.
_SEARCHES: Final = "server_tool_use.web_search_requests"
# Path -> column; the first path that is there counts.
_OPENAI: Final = {
    # Cohere bills fewer than it consumed: what it adds to the prompt itself is free.
    "billed_units.input_tokens": "input",
    "billed_units.output_tokens": "output",
    "meta.billed_units.input_tokens": "input",
    "meta.billed_units.output_tokens": "output",
    "prompt_tokens": "input",
    "input_tokens": "input",
    "completion_tokens": "output",
    "output_tokens": "output",
    "total_tokens": "total",
    "prompt_tokens_details.cached_tokens": "cache_read",
    "input_tokens_details.cached_tokens": "cache_read",
    "prompt_cache_hit_tokens": "cache_read",  # DeepSeek's; what missed is the rest of the prompt
    "cache_read_input_tokens": "cache_read",
    "prompt_tokens_details.cache_write_tokens": "cache_write",
    "input_tokens_details.cache_write_tokens": "cache_write",
    "prompt_tokens_details.cache_creation_tokens": "cache_write",
    "cache_creation_input_tokens": "cache_write",
    **_CACHE_LIFE,
    "completion_tokens_details.reasoning_tokens": "reasoning",
    "output_tokens_details.reasoning_tokens": "reasoning",
    "prompt_tokens_details.audio_tokens": "input_audio",
    "input_tokens_details.audio_tokens": "input_audio",
    "completion_tokens_details.audio_tokens": "output_audio",
    "output_tokens_details.audio_tokens": "output_audio",
    "prompt_tokens_details.image_tokens": "input_image",
    "input_tokens_details.image_tokens": "input_image",
    "completion_tokens_details.image_tokens": "output_image",
    "output_tokens_details.image_tokens": "output_image",
    _SEARCHES: "tool_calls",  # OpenRouter's and LiteLLM's, and Anthropic's without a cache
    "server_tool_use_details.web_search_requests": "tool_calls",
    "prompt_tokens_details.web_search_requests": "tool_calls",
    "num_server_side_tools_used": "tool_calls",  # xAI's
    "num_search_queries": "tool_calls",  # Perplexity's
    # Of a transcription that is billed by its length; the second is Mistral's.
    "seconds": "audio_s",
    "prompt_audio_seconds": "audio_s",
    # Ollama's: what its prefix cache held is not evaluated, and in no count.
    "prompt_eval_count": "input",
    "eval_count": "output",
}
_ANTHROPIC: Final = {
    "input_tokens": "input_beside_cache",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_write",
    **_CACHE_LIFE,
    _SEARCHES: "tool_calls",
    # A compaction of the conversation is billed, and not in the counts above.
    "iterations.type=compaction.input_tokens": "input_extra",
    "iterations.type=compaction.output_tokens": "output_extra",
}
_GEMINI: Final = {
    "promptTokenCount": "input",
    "candidatesTokenCount": "output_beside_reasoning",
    "responseTokenCount": "output_beside_reasoning",
    "thoughtsTokenCount": "reasoning",
    "cachedContentTokenCount": "cache_read",
    "toolUsePromptTokenCount": "input_extra",
    "totalTokenCount": "total",
    "promptTokensDetails.modality=AUDIO.tokenCount": "input_audio",
    "candidatesTokensDetails.modality=AUDIO.tokenCount": "output_audio",
    "promptTokensDetails.modality=IMAGE.tokenCount": "input_image",
    "candidatesTokensDetails.modality=IMAGE.tokenCount": "output_image",
}
_GEMINI_IN_PYTHON: Final = {
    "prompt_token_count": "input",
    "candidates_token_count": "output_beside_reasoning",
    "response_token_count": "output_beside_reasoning",
    "thoughts_token_count": "reasoning",
    "cached_content_token_count": "cache_read",
    "tool_use_prompt_token_count": "input_extra",
    "total_token_count": "total",
    "prompt_tokens_details.modality=AUDIO.token_count": "input_audio",
    "candidates_tokens_details.modality=AUDIO.token_count": "output_audio",
    "prompt_tokens_details.modality=IMAGE.token_count": "input_image",
    "candidates_tokens_details.modality=IMAGE.token_count": "output_image",
}
_BEDROCK: Final = {
    "inputTokens": "input_beside_cache",
    "outputTokens": "output",
    "totalTokens": "total",
    "cacheReadInputTokens": "cache_read",
    "cacheReadInputTokenCount": "cache_read",
    "cacheWriteInputTokens": "cache_write",
    "cacheWriteInputTokenCount": "cache_write",
    "cacheDetails.ttl=5m.inputTokens": "cache_write_5m",
    "cacheDetails.ttl=1h.inputTokens": "cache_write_1h",
}
_Shape = tuple[Mapping[str, str], frozenset[str], frozenset[str]]
_SHAPES: Final[tuple[_Shape, ...]] = (
    (_ANTHROPIC, _ANTHROPICS, _COUNTED_ANEW),
    (_GEMINI, frozenset({"promptTokenCount"}), frozenset()),
    (_GEMINI_IN_PYTHON, frozenset({"prompt_token_count"}), frozenset()),
    (_BEDROCK, frozenset({"inputTokens"}), frozenset()),
    (_OPENAI, frozenset(path.split(".")[0] for path in _OPENAI), frozenset()),
)
"""Paths, keys of which one must be there, keys of which none may be. The first that fits speaks."""


def raw_usage(
    attribute: str, *, at: str = "", own: bool = False, otherwise: Unpacked | None = None
) -> Unpacked:
    """Takes apart an attribute that holds a provider's usage, at a path within it.

    ``otherwise`` speaks where no provider's keys are there.
    """
    first, *rest = (
        Unpacked(
            attribute,
            {path: _name(attribute, at, column) for path, column in paths.items()},
            own=own,
            at=at,
            given=given,
            unless=unless,
        )
        for paths, given, unless in _SHAPES
    )
    for shape in reversed(rest):
        otherwise = replace(shape, otherwise=otherwise)
    return replace(first, otherwise=otherwise)


def raw_columns(attribute: str, *, at: str = "") -> dict[str, tuple[str, ...]]:
    """Column -> the name under which ``raw_usage`` knows it."""
    columns = {column for paths, _, _ in _SHAPES for column in paths.values()}
    return {column: (_name(attribute, at, column),) for column in sorted(columns)}


def _name(attribute: str, at: str, column: str) -> str:
    return f"{attribute}.{at}({column})" if at else f"{attribute}({column})"
