"""LangSmith's OpenTelemetry export. A chain's root repeats the usage of the call beneath it.

What a run's outputs are is JSON in ``gen_ai.completion`` (bytes in the first versions, which told
the details of usage nowhere else): LangChain's generations, or what a wrapped client answered.
"""

from typing import Final

from collector.dialects.table import Dialect, Mark, Unpacked, Verdict

_ANSWER: Final = "langsmith.answer"


def _details(prefix: str) -> dict[str, str]:
    """Where ``usage_metadata`` has the parts of its counts."""
    return {
        f"{prefix}input_token_details.cache_read": "langsmith.usage.cache_read",
        f"{prefix}input_token_details.cache_creation": "langsmith.usage.cache_write",
        f"{prefix}input_token_details.ephemeral_5m_input_tokens": "langsmith.usage.cache_write_5m",
        f"{prefix}input_token_details.ephemeral_1h_input_tokens": "langsmith.usage.cache_write_1h",
        f"{prefix}input_token_details.audio": "langsmith.usage.input_audio",
        f"{prefix}output_token_details.reasoning": "langsmith.usage.reasoning",
        f"{prefix}output_token_details.audio": "langsmith.usage.output_audio",
    }


LANGSMITH: Final = Dialect(
    name="langsmith",
    who="LangSmith's OpenTelemetry export.",
    to_know="0.4 and 0.14; vectors are not traced.",
    scopes=("langsmith*",),
    columns={
        "user": ("langsmith.metadata.user_id",),
        "session": (
            "langsmith.metadata.session_id",
            "langsmith.metadata.thread_id",
            "langsmith.metadata.conversation_id",
        ),
        "team": ("langsmith.metadata.team",),
        "project": ("langsmith.trace.session_name",),
        "streaming": ("langsmith.request.streaming",),
        "response_model": (f"{_ANSWER}.model", f"{_ANSWER}.generation.model"),
        "response_id": (f"{_ANSWER}.id", f"{_ANSWER}.generation.id", f"{_ANSWER}.message.id"),
        "service_tier": ("gen_ai.response.service_tier",),
        "cache_read": ("langsmith.usage.cache_read",),
        "cache_write": ("langsmith.usage.cache_write",),
        "cache_write_5m": ("langsmith.usage.cache_write_5m",),
        "cache_write_1h": ("langsmith.usage.cache_write_1h",),
        "reasoning": ("langsmith.usage.reasoning",),
        "input_audio": ("langsmith.usage.input_audio",),
        "output_audio": ("langsmith.usage.output_audio",),
    },
    own={
        # gen_ai.system is "langchain" where the exporter does not know, and on what fails.
        "provider": ("langsmith.metadata.ls_provider",),
        "request_model": ("langsmith.metadata.ls_model_name",),
        # gen_ai.operation.name is "chat" even on prompt templates, and was "chain" on calls.
        "operation": ("langsmith.span.kind",),
    },
    marks=(
        Mark(
            "langsmith.span.kind",
            {"llm": Verdict.CALL, "embedding": Verdict.CALL, "*": Verdict.AGGREGATE},
        ),
    ),
    unpacks=(
        Unpacked("langsmith.metadata.usage_metadata", _details("")),
        Unpacked(
            "gen_ai.usage.input_token_details",
            {
                path.removeprefix("input_token_details."): name
                for path, name in _details("").items()
                if path.startswith("input")
            },
        ),
        Unpacked(
            "gen_ai.usage.output_token_details",
            {
                path.removeprefix("output_token_details."): name
                for path, name in _details("").items()
                if path.startswith("output")
            },
        ),
        Unpacked(
            "gen_ai.completion",
            {
                "id": f"{_ANSWER}.id",
                "message.id": f"{_ANSWER}.message.id",
                "generations.0.0.message.kwargs.response_metadata.id": f"{_ANSWER}.generation.id",
                "llm_output.id": f"{_ANSWER}.generation.id",
                "generations.0.0.message.kwargs.response_metadata.model_name": (
                    f"{_ANSWER}.generation.model"
                ),
                "model": f"{_ANSWER}.model",
                **_details("usage_metadata."),
                **_details("message.usage_metadata."),
                **_details("generations.0.0.message.kwargs.usage_metadata."),
            },
            own=True,
        ),
    ),
    # The first versions ended every span well, whatever it recorded.
    exceptions_fail=True,
)
