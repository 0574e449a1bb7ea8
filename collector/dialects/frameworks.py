"""Frameworks whose spans differ from the conventions in a few words only.

These hold what fell out of the neighbours as data. What they put into JSON or Python text
(LangSmith's usage_metadata, MLflow's tokenUsage, Langfuse's usage_details) comes with their own
tables.
"""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Meaning, Unpacked, Verdict

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

MLFLOW: Final = Dialect(
    name="mlflow",
    scopes=("mlflow.*",),
    columns={
        "provider": ("mlflow.llm.provider.",),
        "response_model": ("mlflow.llm.model.",),
        "operation": ("mlflow.spanType.",),
        "input": ("mlflow.usage.input",),
        "output": ("mlflow.usage.output",),
        "total": ("mlflow.usage.total",),
        "cache_read": ("mlflow.usage.cache_read",),
        "cache_write": ("mlflow.usage.cache_write",),
        "response_id": ("mlflow.spanOutputs.id",),
    },
    marks=(
        Mark(
            "mlflow.spanType",
            {
                '"chat_model"': Verdict.CALL,
                '"llm"': Verdict.CALL,
                '"embedding"': Verdict.CALL,
                '"reranker"': Verdict.CALL,
                "*": Verdict.AGGREGATE,
            },
        ),
    ),
    # Each value is JSON once more: a trailing dot is the value inside.
    unpacks=(
        Unpacked("mlflow.spanType", {"": "mlflow.spanType."}),
        Unpacked("mlflow.llm.provider", {"": "mlflow.llm.provider."}),
        Unpacked("mlflow.llm.model", {"": "mlflow.llm.model."}),
        Unpacked("mlflow.spanOutputs", {"id": "mlflow.spanOutputs.id"}),
        Unpacked(
            "mlflow.chat.tokenUsage",
            {
                "input_tokens": "mlflow.usage.input",
                "output_tokens": "mlflow.usage.output",
                "total_tokens": "mlflow.usage.total",
                "cache_read_input_tokens": "mlflow.usage.cache_read",
                "cache_creation_input_tokens": "mlflow.usage.cache_write",
            },
        ),
    ),
)

CLAUDE_CODE: Final = Dialect(
    name="claude-code",
    scopes=("com.anthropic.claude_code.*",),
    columns={
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
)

CODEX: Final = Dialect(
    name="codex",
    scopes=("codex_*",),
    columns={"reasoning": ("codex.usage.reasoning_output_tokens",)},
)

OPENLIT: Final = Dialect(
    name="openlit",
    scopes=("openlit.*",),
    # A failed call has no attribute at all, only its name: "chat gpt-5".
    marks=(
        Mark(
            SPAN_NAME, {"chat ?*": Verdict.CALL, "embeddings ?*": Verdict.CALL}, scope="openlit.*"
        ),
    ),
    beside_cache=(Meaning("openlit.*", providers=_CACHING),),
    ttft_only_streaming=True,
)

GOOGLE_ADK: Final = Dialect(name="google-adk", scopes=("gcp.vertex.agent*",))
SEMANTIC_KERNEL: Final = Dialect(name="semantic-kernel", scopes=("semantic_kernel.*",))
LOGFIRE: Final = Dialect(
    name="logfire",
    scopes=("logfire.*",),
    marks=(Mark("logfire.span_type", {"pending_span": Verdict.OTHER}),),
)
