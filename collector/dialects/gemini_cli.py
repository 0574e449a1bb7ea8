"""Gemini CLI, and Qwen Code, which was made from it."""

from typing import Final

from collector.dialects.table import Dialect, TokenMetric


def _tokens(name: str) -> TokenMetric:
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
            # What tools put into the prompt: billed beside the prompt that is counted.
            "tool": "input_extra",
        },
        model="model",
        sessions=True,
        reasoning_apart=True,
    )


GEMINI_CLI: Final = Dialect(
    name="gemini-cli", metrics=(_tokens("gemini_cli.token.usage"), _tokens("qwen-code.token.usage"))
)
