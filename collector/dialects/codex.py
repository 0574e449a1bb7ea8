"""Codex CLI."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Event, Kin, Mark, TokenMetric, Verdict

_SCOPES: Final = "[Cc]odex*"

CODEX: Final = Dialect(
    name="codex",
    who="Codex CLI: spans, logs, token metrics.",
    to_know="Its span with the usage names no model, the one around it does.",
    scopes=(_SCOPES,),
    columns={"reasoning": ("codex.usage.reasoning_output_tokens",)},
    own={
        "response_model": ("model",),
        "session": ("conversation.id",),
        "input": ("input_token_count",),
        "output": ("output_token_count",),
        # So it calls the total.
        "total": ("tool_token_count",),
        "cache_read": ("cached_token_count",),
        "cache_write": ("cache_write_token_count",),
        "reasoning": ("reasoning_token_count",),
        "ttft_ms": ("ttft_ms",),
        "duration_ms": ("duration_ms",),
    },
    marks=(
        # The span in which an answer was complete; those around it repeat its usage in other words.
        Mark("gen_ai.usage.output_tokens", {"*": Verdict.CALL}, scope=_SCOPES),
        # The one around it names the model.
        Mark(SPAN_NAME, {"run_sampling_request": Verdict.NAMING}, scope=_SCOPES),
    ),
    events=(
        # An answer that is complete is told twice: as part of the stream, and with its usage.
        Event(
            "codex.sse_event",
            needs=frozenset({"input_token_count", "output_token_count"}),
            where={"event.kind": "response.completed"},
        ),
        *(
            Event(name, needs=frozenset({"error.message"}), fails=True)
            for name in ("codex.api_request", "codex.websocket_request", "codex.sse_event")
        ),
    ),
    # The spans that have usage name no conversation.
    kin=Kin.SERVICE,
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
