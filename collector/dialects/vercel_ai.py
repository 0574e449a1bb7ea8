"""Vercel's AI SDK. Scope ``ai`` has no version: what it tells shows how old it is."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Meaning, Unpacked, Verdict

_CACHING = frozenset({"anthropic", "aws"})

VERCEL: Final = Dialect(
    name="vercel-ai",
    scopes=("ai",),
    columns={
        "provider": ("ai.model.provider",),
        "request_model": ("ai.model.id",),
        "response_model": ("ai.response.model",),
        "operation": ("ai.operationId",),
        "response_id": ("ai.response.id",),
        "finish_reason": ("ai.response.finishReason",),
        "user": ("ai.telemetry.metadata.userId",),
        "session": ("ai.telemetry.metadata.sessionId",),
        "team": ("ai.telemetry.metadata.team",),
        "input": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        "output": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        "total": ("ai.usage.totalTokens",),
        "cache_read": (
            "ai.usage.inputTokenDetails.cacheReadTokens",
            "ai.usage.cachedInputTokens",
            "ai.response.providerMetadata.anthropic.cache_read",
        ),
        "cache_write": (
            "ai.usage.inputTokenDetails.cacheWriteTokens",
            "ai.response.providerMetadata.anthropic.cache_write",
        ),
        "reasoning": (
            "ai.usage.outputTokenDetails.reasoningTokens",
            "ai.usage.reasoningTokens",
        ),
        "ttft_ms": ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"),
    },
    marks=(
        Mark(
            "ai.operationId",
            {
                "*.doGenerate": Verdict.CALL,
                "*.doStream": Verdict.CALL,
                "*.doEmbed": Verdict.CALL,
                "*.doRerank": Verdict.CALL,
                "*": Verdict.AGGREGATE,
            },
        ),
    ),
    unpacks=(
        Unpacked(
            "ai.response.providerMetadata",
            {
                "anthropic.usage.cache_read_input_tokens": (
                    "ai.response.providerMetadata.anthropic.cache_read"
                ),
                "anthropic.usage.cache_creation_input_tokens": (
                    "ai.response.providerMetadata.anthropic.cache_write"
                ),
            },
        ),
    ),
    # Version 6 began to count the cache in, and to tell the details.
    beside_cache=(
        Meaning("ai", providers=_CACHING, unless="ai.usage.inputTokenDetails.noCacheTokens"),
    ),
)
