"""OpenLLMetry (Traceloop): its own names to 0.52, the conventions' names since, by package."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Meaning, Verdict

TRACELOOP: Final = Dialect(
    name="traceloop",
    who="OpenLLMetry, old names and new.",
    to_know=(
        "0.40, 0.50 and 0.62; streams by Anthropic tell no usage before 0.62, and one "
        "token too many since."
    ),
    scopes=(
        "opentelemetry.instrumentation.openai.v*",
        "opentelemetry.instrumentation.anthropic",
        "opentelemetry.instrumentation.langchain",
        "opentelemetry.instrumentation.bedrock",
        "opentelemetry.instrumentation.cohere",
        "opentelemetry.instrumentation.groq",
        "opentelemetry.instrumentation.mistralai",
        "opentelemetry.instrumentation.ollama",
        "opentelemetry.instrumentation.together",
        "opentelemetry.instrumentation.llamaindex",
        "opentelemetry.instrumentation.crewai",
        "opentelemetry.instrumentation.google_generativeai",
        "opentelemetry.instrumentation.openai_agents",
        "opentelemetry.instrumentation.alephalpha",
        "opentelemetry.instrumentation.replicate",
        "opentelemetry.instrumentation.sagemaker",
        "opentelemetry.instrumentation.transformers",
        "opentelemetry.instrumentation.watsonx",
        "opentelemetry.instrumentation.writer",
        "traceloop.tracer",
        "@traceloop/instrumentation-*",
    ),
    columns={
        "operation": ("llm.request.type",),
        "server": ("gen_ai.openai.api_base", "llm.openai.api_base"),
        "streaming": ("gen_ai.is_streaming", "llm.is_streaming"),
        "user": ("llm.user", "traceloop.association.properties.user_id"),
        "session": ("traceloop.association.properties.session_id",),
        "team": ("traceloop.association.properties.team",),
        "input": ("llm.usage.prompt_tokens",),
        "output": ("llm.usage.completion_tokens",),
        "total": ("llm.usage.total_tokens",),
        "reasoning": ("llm.usage.reasoning_tokens",),
    },
    marks=(
        Mark(
            "llm.request.type",
            {
                "chat": Verdict.CALL,
                "completion": Verdict.CALL,
                "embedding": Verdict.CALL,
                "rerank": Verdict.CALL,
            },
        ),
        Mark("traceloop.span.kind", {"*": Verdict.AGGREGATE}),
        # The Responses API has no type of request to 0.54, and what fails at Bedrock has nothing.
        Mark(
            SPAN_NAME,
            {
                "*.chat": Verdict.CALL,
                "*.completion": Verdict.CALL,
                "*.embeddings": Verdict.CALL,
                "*.rerank": Verdict.CALL,
                "*.generate_content": Verdict.CALL,
                "openai.response": Verdict.CALL,
                "bedrock.converse": Verdict.CALL,
            },
            kinds=frozenset({3}),
            scope="opentelemetry.instrumentation.*",
        ),
    ),
    names=(
        (
            r"(?P<provider>openai|anthropic|bedrock|cohere|groq|mistralai|ollama|together)\."
            r"(?:(?P<operation>chat|completion|embeddings|rerank)|converse|response)"
        ),
    ),
    first_token_events=("gen_ai.content.completion.chunk", "llm.content.completion.chunk"),
    beside_cache=(
        Meaning("opentelemetry.instrumentation.bedrock"),
        # JavaScript's pass on the provider's own number, and add up their total from it.
        Meaning("@traceloop/instrumentation-anthropic"),
        Meaning("@traceloop/instrumentation-bedrock"),
    ),
    # Gemini's candidates, without its thoughts, and Gemini's own total.
    rest_is_reasoning=(
        Meaning("opentelemetry.instrumentation.google_generativeai"),
        Meaning("opentelemetry.instrumentation.vertexai", providers=frozenset({"google"})),
    ),
)
