"""Gemini CLI, and Qwen Code, which was made from it and asks any OpenAI-like API."""

from typing import Final

from collector.dialects.table import Dialect, Event, Kin, Meaning, TokenMetric, Verdict

_OWN: Final = {
    "response_model": ("model",),
    "response_id": ("response_id",),
    "prompt": ("prompt_id",),
    "input": ("input_token_count",),
    # What tools put into the prompt: billed beside the prompt that is counted.
    "input_extra": ("tool_token_count",),
    "output": ("output_token_count",),
    "total": ("total_token_count",),
    "cache_read": ("cached_content_token_count",),
    "reasoning": ("thoughts_token_count",),
    "duration_ms": ("duration_ms",),
    "http_status": ("status_code",),
}


def _tokens(name: str, *, reasoning_apart: bool) -> TokenMetric:
    return TokenMetric(
        name,
        family="gemini-cli",
        rank=1,
        type="type",
        counts={
            "input": "input",
            "cache": "cache_read",
            "output": "output",
            "thought": "reasoning",
            "tool": "input_extra",
        },
        model="model",
        reasoning_apart=reasoning_apart,
    )


GEMINI_CLI: Final = Dialect(
    name="gemini-cli",
    who="Gemini CLI: spans, logs, token metrics.",
    to_know=(
        "0.20 and 0.61; its spans tell no usage unless asked to, its logs tell each "
        "attempt; over HTTP 0.20 sends all to `/`, which is no path of ours: let it use"
        " gRPC."
    ),
    scopes=("gemini-cli*",),
    own=_OWN,
    events=(
        Event("gemini_cli.api_response"),
        Event("gemini_cli.api_error", fails=True),
        # The same once more, when asked and when answered, and without thoughts and cache.
        Event("gen_ai.client.inference.operation.details", "gemini-cli*", says=Verdict.OTHER),
    ),
    kin=Kin.SESSION,
    # Its spans count the same way, and say nothing of thoughts.
    reasoning_apart=(Meaning("gemini-cli*"),),
    metrics=(_tokens("gemini_cli.token.usage", reasoning_apart=True),),
)

QWEN_CODE: Final = Dialect(
    name="qwen-code",
    who="Qwen Code, a kin of Gemini CLI: logs, token metrics.",
    to_know="Asks any OpenAI-like API.",
    scopes=("qwen-code*",),
    own=_OWN,
    events=(
        Event("qwen-code.api_response"),
        Event("qwen-code.api_error", fails=True),
        Event("gen_ai.client.inference.operation.details", "qwen-code*", says=Verdict.OTHER),
    ),
    kin=Kin.SESSION,
    metrics=(_tokens("qwen-code.token.usage", reasoning_apart=False),),
)
