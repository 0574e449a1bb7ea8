"""Codex CLI."""

from typing import Final

from collector.dialects.table import Dialect, TokenMetric

CODEX: Final = Dialect(
    name="codex",
    scopes=("codex_*",),
    columns={"reasoning": ("codex.usage.reasoning_output_tokens",)},
    metrics=(
        # A histogram over turns, which take many calls each.
        TokenMetric(
            "codex.turn.token_usage",
            family="codex",
            rank=1,
            type="token_type",
            counts={
                "input": "input",
                "cached_input": "cache_read",
                "cache_write_input": "cache_write",
                "output": "output",
                "reasoning_output": "reasoning",
            },
            model="model",
        ),
    ),
)
