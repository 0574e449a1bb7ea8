"""LangSmith's OpenTelemetry export. A chain's root repeats the usage of the call beneath it."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Unpacked, Verdict

LANGSMITH: Final = Dialect(
    name="langsmith",
    scopes=("langsmith*",),
    columns={
        "provider": ("langsmith.metadata.ls_provider",),
        "request_model": ("langsmith.metadata.ls_model_name",),
        "user": ("langsmith.metadata.user_id",),
        "session": ("langsmith.metadata.session_id", "langsmith.metadata.thread_id"),
        "team": ("langsmith.metadata.team",),
        "project": ("langsmith.trace.session_name",),
        "streaming": ("langsmith.request.streaming",),
        "cache_read": ("langsmith.usage.cache_read",),
        "cache_write": ("langsmith.usage.cache_write",),
        "reasoning": ("langsmith.usage.reasoning",),
    },
    # gen_ai.operation.name is "chat" even on its prompt templates.
    marks=(
        Mark(
            "langsmith.span.kind",
            {"llm": Verdict.CALL, "embedding": Verdict.CALL, "*": Verdict.AGGREGATE},
        ),
    ),
    unpacks=(
        Unpacked(
            "langsmith.metadata.usage_metadata",
            {
                "input_token_details.cache_read": "langsmith.usage.cache_read",
                "input_token_details.cache_creation": "langsmith.usage.cache_write",
                "output_token_details.reasoning": "langsmith.usage.reasoning",
            },
        ),
    ),
)
