"""OpenTelemetry's GenAI conventions, 1.26 to the genai repository of 2026, and their kin.

Each column's attributes go from the newest name to the oldest. The first versions (prompt and
completion tokens) are also what vLLM, SGLang and TensorRT-LLM still speak.
"""

from typing import Final

from collector.dialects.table import Dialect, Event, Mark, Meaning, TokenMetric, Unpacked, Verdict

_BEDROCK = frozenset({"aws"})

_CALLS = {
    "chat": Verdict.CALL,
    "text_completion": Verdict.CALL,
    "completion": Verdict.CALL,
    "generate_content": Verdict.CALL,
    "generate": Verdict.CALL,
    "embedding*": Verdict.CALL,
    "rerank*": Verdict.CALL,
    "image*": Verdict.CALL,
    "audio*": Verdict.CALL,
    "speech*": Verdict.CALL,
    "transcription*": Verdict.CALL,
    "translation*": Verdict.CALL,
    "llm_call": Verdict.CALL,
    "messages": Verdict.CALL,
    "responses": Verdict.CALL,
    # The conventions forbid tokens on it: it only looks up an answer that was paid for before.
    "fetch_response": Verdict.OTHER,
    # Free at those who offer it, and its number is not of tokens that were used.
    "count_tokens": Verdict.OTHER,
    "execute_tool": Verdict.OTHER,
    "invoke_agent": Verdict.AGGREGATE,
    "create_agent": Verdict.AGGREGATE,
    "invoke_workflow": Verdict.AGGREGATE,
    "agent_step": Verdict.AGGREGATE,
    "plan": Verdict.AGGREGATE,
    "chain": Verdict.AGGREGATE,
    "execute_task": Verdict.AGGREGATE,
}

_USAGE = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.completion_tokens",
)

_METRICS = (
    # Of 2026: counters, of which the parts are told beside the whole.
    *(
        TokenMetric(
            f"gen_ai.client.inference.usage.{name}",
            family="gen_ai.client.inference.usage",
            rank=0,
            counts=count,
            modality="gen_ai.token.modality",
        )
        for name, count in (
            ("input_tokens", "input"),
            ("output_tokens", "output"),
            ("cache_read.input_tokens", "cache_read"),
            ("cache_write.input_tokens", "cache_write"),
            ("reasoning.output_tokens", "reasoning"),
        )
    ),
    TokenMetric(
        "gen_ai.client.embeddings.operation.input_tokens",
        family="gen_ai.client.embeddings.operation",
        rank=2,
        counts="input",
        calls=True,
        embeddings=True,
    ),
    *(
        TokenMetric(
            f"gen_ai.client.inference.operation.{count}_tokens",
            family="gen_ai.client.inference.operation",
            rank=2,
            counts=count,
            calls=True,
        )
        for count in ("input", "output")
    ),
    # To 1.41. Others than input and output are gateways' own: parts of the two, and totals.
    TokenMetric(
        "gen_ai.client.token.usage",
        family="gen_ai.client.token.usage",
        rank=3,
        type="gen_ai.token.type",
        counts={
            "input": "input",
            "output": "output",
            "completion": "output",
            "cached_input": "cache_read",
            "cache_read_input": "cache_read",
            "cache_creation_input": "cache_write",
            "cache_write_input": "cache_write",
            "reasoning": "reasoning",
        },
        calls=True,
    ),
)

SEMCONV: Final = Dialect(
    name="otel-genai",
    who="OpenTelemetry GenAI conventions, 1.26 to today, and all that speak them.",
    to_know=(
        "Instrumentations of OpenAI, Anthropic, Bedrock, Gemini, LangChain and agents, "
        "2.0b0 of 2024 to 1.3b0 of 2026."
    ),
    scopes=(
        "opentelemetry.instrumentation.genai.*",
        "opentelemetry.instrumentation.openai_v2",
        "opentelemetry.instrumentation.google_genai",
        "@opentelemetry/instrumentation-openai",
        "opentelemetry.instrumentation.vertexai",
        "opentelemetry.instrumentation.botocore*",
        "opentelemetry.util.genai*",
    ),
    columns={
        "provider": ("gen_ai.provider.name", "gen_ai.system"),
        "request_model": ("gen_ai.request.model",),
        "response_model": ("gen_ai.response.model",),
        "operation": ("gen_ai.operation.name",),
        "server": ("server.address", "url.full"),
        "server_port": ("server.port",),
        "service_tier": ("openai.response.service_tier", "gen_ai.openai.response.service_tier"),
        # gen_ai.request.id is vLLM's: the id that its OpenAI server answers with.
        "response_id": ("gen_ai.response.id", "gen_ai.request.id"),
        "error_type": ("error.type",),
        "http_status": ("http.response.status_code", "http.status_code"),
        "finish_reason": (
            "gen_ai.response.finish_reasons.0",
            "gen_ai.response.finish_reason",
        ),
        "user": ("user.id", "enduser.id", "gen_ai.user", "gen_ai.request.user"),
        "session": ("session.id", "gen_ai.conversation.id"),
        "streaming": ("gen_ai.request.stream",),
        "input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        "total": ("gen_ai.usage.total_tokens",),
        "cache_read": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.cached_tokens",
            "gen_ai.usage.cache_read_tokens",
        ),
        "cache_write": (
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.cache_write_input_tokens",
        ),
        "reasoning": (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
        ),
        "input_audio": ("gen_ai.usage.audio.input_tokens",),
        "output_audio": ("gen_ai.usage.audio.output_tokens",),
        "input_image": ("gen_ai.usage.image.input_tokens",),
        "output_image": ("gen_ai.usage.image.output_tokens",),
        # Of what is not tokens the conventions have no words. Ours are for applications.
        "tool_calls": (
            "spanledger.tool_calls",
            "gen_ai.usage.server_tool_use.web_search_requests",
            "gen_ai.usage.web_search_requests",
        ),
        "images": ("spanledger.images", "gen_ai.response.image.count"),
        "audio_s": ("spanledger.audio_seconds", "gen_ai.usage.audio_seconds"),
        "ttft_s": (
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.client.operation.time_to_first_chunk",
            "gen_ai.latency.time_to_first_token",
            "gen_ai.server.time_to_first_token",
        ),
        "resend_count": ("http.request.resend_count",),
        "cost_given": ("gen_ai.usage.cost",),
    },
    events=(
        # Written for requests, too, by some: those know nothing of an answer.
        Event(
            "gen_ai.client.inference.operation.details",
            asks_marks=True,
            needs=frozenset(
                {
                    *_USAGE,
                    "gen_ai.response.id",
                    "gen_ai.response.model",
                    "gen_ai.response.finish_reasons",
                    "error.type",
                }
            ),
        ),
    ),
    marks=(
        Mark("gen_ai.aggregated_usage.input_tokens", {"*": Verdict.AGGREGATE}),
        Mark("gen_ai.aggregated_usage.output_tokens", {"*": Verdict.AGGREGATE}),
        Mark("gen_ai.operation.name", _CALLS),
        Mark("gen_ai.latency.e2e", {"*": Verdict.CALL}),
        *(Mark(key, {"*": Verdict.CALL}, kinds=frozenset({2, 3})) for key in _USAGE),
        # Usage that nobody explains is kept, and counts only if no call stands beneath it.
        *(Mark(key, {"*": Verdict.AGGREGATE}) for key in _USAGE),
    ),
    metrics=_METRICS,
    unpacks=(
        Unpacked("gen_ai.response.finish_reasons", {"0": "gen_ai.response.finish_reasons.0"}),
    ),
    # Both hand Bedrock's inputTokens on raw, against the convention that they speak.
    beside_cache=(
        Meaning("opentelemetry.instrumentation.botocore*", providers=_BEDROCK),
        Meaning("opentelemetry.instrumentation.genai.bedrock*"),
    ),
)
