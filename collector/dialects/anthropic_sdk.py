"""The Anthropic SDK's own spans: on by default, and beside any other instrumentation."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

ANTHROPIC_SDK: Final = Dialect(
    name="anthropic-sdk",
    who="The Anthropic SDK's own spans.",
    to_know="On by default, beside any other instrumentation.",
    scopes=("com.anthropic.sdk.*",),
    columns={
        "service_tier": ("anthropic.response.service_tier",),
        "request_id": ("anthropic.request.id",),
        "finish_reason": ("anthropic.message.stop_reason",),
        # A compaction of the conversation is billed, and not in gen_ai.usage.
        "input_extra": ("anthropic.usage.compaction.input_tokens",),
        "output_extra": ("anthropic.usage.compaction.output_tokens",),
        "cache_write_5m": ("anthropic.usage.cache_creation.ephemeral_5m_input_tokens",),
        "cache_write_1h": ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
    },
    marks=(
        Mark(
            SPAN_NAME,
            {"anthropic.messages.count_tokens": Verdict.OTHER},
            scope="com.anthropic.sdk.*",
        ),
    ),
)
