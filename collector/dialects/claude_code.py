"""Claude Code. Its attributes have no prefix, and its input leaves out the cache."""

from typing import Final

from collector.dialects.table import Dialect, Event, Kin, Mark, Meaning, TokenMetric, Verdict

_SCOPES: Final = "com.anthropic.claude_code.*"

CLAUDE_CODE: Final = Dialect(
    name="claude-code",
    who="Claude Code: spans, logs, token metrics.",
    to_know=(
        "2.0 and 2.1; a log has the ids of the span around its call's, and one log "
        "tells of all attempts."
    ),
    scopes=(_SCOPES,),
    own={
        "response_model": ("model",),
        "team": ("team.id", "cost_center", "department"),
        "input": ("input_tokens",),
        "output": ("output_tokens",),
        "cache_read": ("cache_read_tokens",),
        "cache_write": ("cache_creation_tokens",),
        "cache_write_5m": ("cache_creation_5m_tokens",),
        "cache_write_1h": ("cache_creation_1h_tokens",),
        "ttft_ms": ("ttft_ms",),
        "duration_ms": ("duration_ms",),
        "http_status": ("status_code",),
        "attempt": ("attempt",),
        "service_tier": ("speed",),
        "cost_given": ("cost_usd",),
        "request_id": ("request_id",),
        "prompt": ("prompt.id",),
    },
    # Its error stands for all attempts: that they are used up is told once more.
    events=(
        Event("api_request", scope=_SCOPES),
        Event("claude_code.api_request", scope=_SCOPES),
        Event("api_error", scope=_SCOPES, fails=True),
        Event("claude_code.api_error", scope=_SCOPES, fails=True),
    ),
    kin=Kin.SESSION,
    marks=(
        Mark(
            "span.type",
            {"llm_request": Verdict.CALL, "*": Verdict.AGGREGATE},
            scope="com.anthropic.claude_code.tracing",
        ),
    ),
    beside_cache=(Meaning(_SCOPES),),
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
            beside_cache=True,
        ),
    ),
)
