"""Pydantic AI. An agent's span repeats its calls; ``details`` are the provider's own counters.

Where its price list cannot read a provider's usage, the details are all that is told: in versions
before 2 with Anthropic's own ``input_tokens``, which leave out the cache.
"""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

_DETAILS: Final = "gen_ai.usage.details."

PYDANTIC_AI: Final = Dialect(
    name="pydantic-ai",
    who="Pydantic AI, formats 1 to 6.",
    to_know="1.0.18, 1.107 and 2.68; 1.0 does not tell OpenAI's cached input.",
    scopes=("pydantic-ai*",),
    columns={
        "input_beside_cache": (_DETAILS + "input_tokens",),
        "output": (_DETAILS + "output_tokens",),
        "cache_read": (
            _DETAILS + "cache_read_tokens",
            _DETAILS + "cache_read_input_tokens",
            _DETAILS + "cached_tokens",
            _DETAILS + "cached_content_tokens",
        ),
        "cache_write": (
            _DETAILS + "cache_write_tokens",
            _DETAILS + "cache_creation_input_tokens",
        ),
        "cache_write_5m": (_DETAILS + "ephemeral_5m_input_tokens",),
        "cache_write_1h": (_DETAILS + "ephemeral_1h_input_tokens",),
        "reasoning": (
            _DETAILS + "reasoning_tokens",
            _DETAILS + "thinking_tokens",
            _DETAILS + "thoughts_tokens",
        ),
        "input_audio": (_DETAILS + "input_audio_tokens",),
        "output_audio": (_DETAILS + "output_audio_tokens",),
        "cost_given": ("operation.cost",),
    },
    marks=(
        Mark(
            SPAN_NAME,
            # The second is a part of the request around it, which repeats its usage.
            {"agent run": Verdict.AGGREGATE, "decide *": Verdict.OTHER},
            scope="pydantic-ai*",
        ),
    ),
)
