"""Vercel's AI SDK, versions 3 to 7.

Two generations. Scope ``ai`` (built in up to version 6, ``LegacyOpenTelemetry`` in 7) has no
version: what it tells shows how old it is. Its wrappers (``ai.generateText``) repeat the calls
(``ai.generateText.doGenerate``), of which there is one for each attempt up to version 6. Scope
``gen_ai`` (``@ai-sdk/otel``) speaks the conventions, with one call for all attempts; its own
attributes are an option.

``input`` is the provider's number up to version 5 (Anthropic's and Bedrock's leave out the cache)
and includes the cache since 6; Google's ``output`` leaves out thoughts up to 5. Objects tell no
details in any version, so the provider's own usage decides, where it is there
(``ai.response.providerMetadata``).
"""

from typing import Final

from collector.dialects.table import Dialect, Mark, Meaning, Unpacked, Verdict

_META: Final = "ai.response.providerMetadata"
# An application may give it a tracer of its own, as opencode does: then the scope is no witness.
_TOLD: Final = "ai.operationId"

VERCEL: Final = Dialect(
    name="vercel-ai",
    who="Vercel's AI SDK: its legacy spans (3 to 7) and `@ai-sdk/otel`; opencode.",
    to_know=(
        "4 to 7; up to 6 an attempt is a call, in 7 a call has one span; objects tell "
        "no parts of their counts, so the provider's own decide."
    ),
    scopes=("ai", "gen_ai", "opencode"),
    columns={
        "provider": ("ai.model.provider",),
        "request_model": ("ai.model.id",),
        "response_model": ("ai.response.model",),
        "operation": ("ai.operationId",),
        "response_id": ("ai.response.id",),
        "service_tier": (f"{_META}.openai.serviceTier", f"{_META}.anthropic.service_tier"),
        "finish_reason": ("ai.response.finishReason",),
        "user": ("ai.telemetry.metadata.userId", "ai.telemetry.metadata.user_id"),
        "session": (
            "ai.telemetry.metadata.sessionId",
            "ai.telemetry.metadata.session_id",
            "ai.telemetry.metadata.chatId",
            "ai.telemetry.metadata.threadId",
        ),
        "team": ("ai.telemetry.metadata.team",),
        "project": ("ai.telemetry.metadata.project",),
        "input": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        "input_beside_cache": (
            "ai.usage.inputTokenDetails.noCacheTokens",
            f"{_META}.anthropic.input",
        ),
        "output": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        "output_beside_reasoning": (f"{_META}.google.output",),
        "total": ("ai.usage.totalTokens",),
        "cache_read": (
            "ai.usage.inputTokenDetails.cacheReadTokens",
            "ai.usage.cachedInputTokens",
            f"{_META}.cache_read",
        ),
        "cache_write": (
            "ai.usage.inputTokenDetails.cacheWriteTokens",
            f"{_META}.cache_write",
        ),
        "cache_write_5m": (f"{_META}.anthropic.cache_write_5m",),
        "cache_write_1h": (f"{_META}.anthropic.cache_write_1h",),
        "reasoning": (
            "ai.usage.outputTokenDetails.reasoningTokens",
            "ai.usage.reasoningTokens",
            f"{_META}.reasoning",
        ),
        "tool_calls": (f"{_META}.anthropic.tool_calls",),
        # Of what is done, the last word says it: "ai.streamText.doStream".
        "streaming": ("ai.operationId",),
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
                # One span each.
                "ai.generateSpeech": Verdict.CALL,
                "ai.transcribe": Verdict.CALL,
                "ai.streamTranscribe": Verdict.CALL,
                "*": Verdict.AGGREGATE,
            },
        ),
        Mark(
            "gen_ai.operation.name",
            {"ai.generateSpeech": Verdict.CALL, "ai.*transcribe": Verdict.CALL},
            scope="gen_ai",
        ),
    ),
    unpacks=(
        Unpacked(
            _META,
            {
                "anthropic.usage.input_tokens": f"{_META}.anthropic.input",
                "anthropic.usage.cache_read_input_tokens": f"{_META}.cache_read",
                "anthropic.usage.cache_creation_input_tokens": f"{_META}.cache_write",
                "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": (
                    f"{_META}.anthropic.cache_write_5m"
                ),
                "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": (
                    f"{_META}.anthropic.cache_write_1h"
                ),
                "anthropic.usage.server_tool_use.web_search_requests": (
                    f"{_META}.anthropic.tool_calls"
                ),
                "anthropic.usage.service_tier": f"{_META}.anthropic.service_tier",
                # Version 4.
                "anthropic.cacheReadInputTokens": f"{_META}.cache_read",
                "anthropic.cacheCreationInputTokens": f"{_META}.cache_write",
                "openai.cachedPromptTokens": f"{_META}.cache_read",
                "openai.reasoningTokens": f"{_META}.reasoning",
                "openai.serviceTier": f"{_META}.openai.serviceTier",
                "bedrock.usage.cacheReadInputTokens": f"{_META}.cache_read",
                "bedrock.usage.cacheWriteInputTokens": f"{_META}.cache_write",
                "google.usageMetadata.candidatesTokenCount": f"{_META}.google.output",
                "google.usageMetadata.cachedContentTokenCount": f"{_META}.cache_read",
                "google.usageMetadata.thoughtsTokenCount": f"{_META}.reasoning",
            },
        ),
    ),
    yes=("ai.*.dostream",),
    beside_cache=(
        # Up to version 5; since 6 the provider's number in the metadata refutes it.
        Meaning(
            given=_TOLD,
            providers=frozenset({"anthropic"}),
            unless="ai.usage.inputTokenDetails.noCacheTokens",
        ),
        # Where the SDK tells a total, Bedrock's shows whether the cache lies beside.
        Meaning(given=_TOLD, providers=frozenset({"aws"}), unless="ai.usage.totalTokens"),
    ),
)
