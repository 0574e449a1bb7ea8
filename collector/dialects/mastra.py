"""Mastra's exporter. One span a call has the usage: the innermost of its kind that it knows.

A call that failed is said to be OK, and to have finished with an error.
"""

from typing import Final

from collector.dialects.table import Dialect, Mark, Unpacked, Verdict

_SCOPE: Final = "@mastra/*"

MASTRA: Final = Dialect(
    name="mastra",
    who="Mastra's exporter.",
    to_know="1.71; a call that failed says OK, and finished with an error.",
    scopes=(_SCOPE,),
    columns={
        "user": ("mastra.metadata.userId",),
        "session": (
            "mastra.metadata.sessionId",
            "mastra.metadata.threadId",
            "mastra.metadata.resourceId",
        ),
        "team": ("mastra.metadata.team",),
        "cache_read": ("gen_ai.usage.cached_input_tokens",),
        "cache_write_5m": ("gen_ai.usage.cache_creation.5m_input_tokens",),
        "cache_write_1h": ("gen_ai.usage.cache_creation.1h_input_tokens",),
        "input_audio": ("gen_ai.usage.audio_input_tokens",),
        "output_audio": ("gen_ai.usage.audio_output_tokens",),
        "first_token_at": ("mastra.completion_start_time",),
    },
    own={"failed": ("mastra.finish_reason",)},
    # Before there were inferences a generation was the call; "chat" says which is.
    marks=(
        Mark(
            "gen_ai.operation.name",
            {
                "chat": Verdict.CALL,
                "embeddings": Verdict.CALL,
                "model_generation": Verdict.AGGREGATE,
                "model_step": Verdict.AGGREGATE,
                "agent_run": Verdict.AGGREGATE,
                "model_chunk": Verdict.OTHER,
            },
            scope=_SCOPE,
        ),
    ),
    unpacks=(Unpacked("gen_ai.response.finish_reasons", {"0": "mastra.finish_reason"}, own=True),),
    yes=("error",),
    # It says the same of what did not stream, and not which did.
    ttft_only_streaming=True,
)
