"""Claude Code. Its attributes have no prefix, and its input leaves out the cache."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Meaning, TokenMetric, Verdict

CLAUDE_CODE: Final = Dialect(
    name="claude-code",
    scopes=("com.anthropic.claude_code.*",),
    own={
        "response_model": ("model",),
        "team": ("team.id", "cost_center", "department"),
        "input": ("input_tokens",),
        "output": ("output_tokens",),
        "cache_read": ("cache_read_tokens",),
        "cache_write": ("cache_creation_tokens",),
        "ttft_ms": ("ttft_ms",),
        "request_id": ("request_id",),
    },
    marks=(
        Mark(
            "span.type",
            {"llm_request": Verdict.CALL, "*": Verdict.AGGREGATE},
            scope="com.anthropic.claude_code.tracing",
        ),
    ),
    beside_cache=(Meaning("com.anthropic.claude_code.*"),),
    metrics=(
        TokenMetric(
            "claude_code.token.usage",
            family="claude-code",
            rank=1,
            type="type",
            counts={
                "input": "input",
                "output": "output",
                "cacheread": "cache_read",
                "cachecreation": "cache_write",
            },
            model="model",
            sessions=True,
            beside_cache=True,
        ),
    ),
)
