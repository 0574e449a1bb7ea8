"""The Mistral SDK's own spans (mistralai 1.x): on wherever OpenTelemetry is, beside any other."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

_SCOPE: Final = "mistralai_sdk_tracer"

MISTRAL_SDK: Final = Dialect(
    name="mistral-sdk",
    who="The Mistral SDK's own spans (1.x).",
    to_know="A stream tells no usage.",
    scopes=(_SCOPE,),
    columns={
        "operation": ("mistral_ai.operation.id",),
        "total": ("mistral_ai.request.total_tokens",),
    },
    # A span's name is the operation's; only one that was answered has it as an attribute, too.
    marks=(
        Mark(
            SPAN_NAME,
            {
                "chat_completion_*": Verdict.CALL,
                "fim_completion_*": Verdict.CALL,
                "agents_completion_*": Verdict.CALL,
                "embeddings_*": Verdict.CALL,
                "stream_chat": Verdict.CALL,
                "stream_fim": Verdict.CALL,
                "stream_agents": Verdict.CALL,
            },
            scope=_SCOPE,
        ),
    ),
)
