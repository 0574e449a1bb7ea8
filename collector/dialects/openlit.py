"""OpenLIT."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Meaning, Verdict

_CACHING = frozenset({"anthropic", "aws"})

OPENLIT: Final = Dialect(
    name="openlit",
    who="OpenLIT.",
    to_know=(
        "1.34, 1.36 and 1.45; its local estimate of a stream without usage is taken as "
        "told; a failed call is told by its name only."
    ),
    scopes=("openlit.*",),
    columns={
        "streaming": ("gen_ai.request.is_stream",),
        "service_tier": ("gen_ai.response.service_tier",),
    },
    # A failed call has no attribute at all, only its name: "chat gpt-5", and to 1.30
    # "openai.chat.completions".
    names=(
        r"(?P<operation>chat|embeddings) (?P<request_model>\S+)",
        (
            r"(?P<provider>openai|azure_openai|anthropic|bedrock|cohere|groq|mistral|ollama|vertexai"
            r"|google_ai_studio|vllm)\.(?:(?P<operation>chat|embed|embeddings)\b.*|.*)"
        ),
    ),
    scopes_end_in_provider="openlit.instrumentation.",
    marks=(
        Mark(
            SPAN_NAME,
            {
                "chat ?*": Verdict.CALL,
                "embeddings ?*": Verdict.CALL,
                "*.chat*": Verdict.CALL,
                "*.embed*": Verdict.CALL,
                "*.generate*": Verdict.CALL,
                "*.messages": Verdict.CALL,
                "bedrock.converse": Verdict.CALL,
                "vertexai.send_message": Verdict.CALL,
                "vertexai.predict": Verdict.CALL,
            },
            kinds=frozenset({3}),
            scope="openlit.*",
        ),
    ),
    beside_cache=(Meaning("openlit.*", providers=_CACHING),),
    ttft_only_streaming=True,
)
