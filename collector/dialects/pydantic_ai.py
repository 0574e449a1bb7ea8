"""Pydantic AI. An agent's span repeats its calls; ``details`` are the provider's own counters."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

PYDANTIC_AI: Final = Dialect(
    name="pydantic-ai",
    scopes=("pydantic-ai*",),
    columns={
        "input_beside_cache": ("gen_ai.usage.details.input_tokens",),
        "output": ("gen_ai.usage.details.output_tokens",),
        "cache_read": (
            "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.details.cache_read_input_tokens",
        ),
        "cache_write": (
            "gen_ai.usage.details.cache_write_tokens",
            "gen_ai.usage.details.cache_creation_input_tokens",
        ),
        "reasoning": ("gen_ai.usage.details.reasoning_tokens",),
        "input_audio": ("gen_ai.usage.details.input_audio_tokens",),
        "output_audio": ("gen_ai.usage.details.output_audio_tokens",),
        "cost_given": ("operation.cost",),
    },
    marks=(Mark(SPAN_NAME, {"agent run": Verdict.AGGREGATE}, scope="pydantic-ai*"),),
)
