"""Codex CLI."""

from typing import Final

from collector.dialects.table import Dialect

CODEX: Final = Dialect(
    name="codex",
    scopes=("codex_*",),
    columns={"reasoning": ("codex.usage.reasoning_output_tokens",)},
)
