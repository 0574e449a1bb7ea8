"""OpenInference (Arize). A span's kind is in an attribute; the answer's id only in its text."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Meaning, Unpacked, Verdict

# Where the provider's own usage stands in an answer: of the client's, and of LangChain's.
_ANSWERED: Final = ("usage", "llm_output.usage", "llm_output.token_usage")
# Path within it -> column, for what versions and streams leave out beside the sums.
_PARTS: Final = {
    "prompt_tokens_details.cached_tokens": "cache_read",
    "input_tokens_details.cached_tokens": "cache_read",
    "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_write",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "completion_tokens_details.reasoning_tokens": "reasoning",
    "output_tokens_details.reasoning_tokens": "reasoning",
    "server_tool_use.web_search_requests": "tool_calls",
}

OPENINFERENCE: Final = Dialect(
    name="openinference",
    who="Arize's instrumentations.",
    to_know=(
        "2025 to today; the answer's id stands in outputs only, which can be hidden, "
        "and so do the parts of usage that old versions and streams leave out."
    ),
    scopes=("openinference.*", "@arizeai/openinference*"),
    columns={
        "provider": ("llm.provider", "llm.system", "metadata.ls_provider"),
        "request_model": ("llm.request.model_name", "llm.invocation_parameters.model"),
        "response_model": ("llm.response.model_name", "llm.model_name", "embedding.model_name"),
        "operation": ("openinference.span.kind",),
        "response_id": (
            "output.value.id",
            "output.value.generation.id",
            "output.value.response_id",
        ),
        "finish_reason": ("llm.finish_reason",),
        "streaming": ("llm.invocation_parameters.stream",),
        "team": ("metadata.team",),
        "project": ("openinference.project.name",),
        "input": ("llm.token_count.prompt",),
        "output": ("llm.token_count.completion",),
        "total": ("llm.token_count.total",),
        "cache_read": (
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
            "output.value(cache_read)",
        ),
        "cache_write": ("llm.token_count.prompt_details.cache_write", "output.value(cache_write)"),
        "cache_write_5m": ("output.value(cache_write_5m)",),
        "cache_write_1h": ("output.value(cache_write_1h)",),
        "reasoning": (
            "llm.token_count.completion_details.reasoning",
            "output.value(reasoning)",
        ),
        "tool_calls": ("output.value(tool_calls)",),
        "input_audio": ("llm.token_count.prompt_details.audio",),
        "output_audio": ("llm.token_count.completion_details.audio",),
        "cost_given": ("llm.cost.total",),
    },
    marks=(
        Mark(
            "openinference.span.kind",
            {
                "llm": Verdict.CALL,
                "embedding": Verdict.CALL,
                "reranker": Verdict.CALL,
                "*": Verdict.AGGREGATE,
            },
        ),
    ),
    unpacks=(
        Unpacked(
            "output.value",
            {
                "id": "output.value.id",
                "response_id": "output.value.response_id",
                "responseId": "output.value.response_id",
                "llm_output.id": "output.value.generation.id",
                "generations.0.0.message.kwargs.response_metadata.id": "output.value.generation.id",
                # LangChain for JavaScript; Python's is LangChain's own.
                "generations.0.0.message.kwargs.id": "output.value.generation.id",
                **{
                    f"{at}.{path}": f"output.value({column})"
                    for at in _ANSWERED
                    for path, column in _PARTS.items()
                },
                # Of OpenAI's responses: to open a page that was found is free.
                "output.action/type=search|type=file_search_call": "output.value(tool_calls)",
            },
        ),
        Unpacked(
            "metadata",
            {"team": "metadata.team", "ls_provider": "metadata.ls_provider"},
            own=True,
        ),
        Unpacked(
            "llm.invocation_parameters",
            {
                "model": "llm.invocation_parameters.model",
                "stream": "llm.invocation_parameters.stream",
            },
        ),
    ),
    first_token_events=("First Token Stream Event",),
    # Its first versions left the thoughts out of streams, and kept Gemini's own total.
    rest_is_reasoning=(Meaning("openinference.instrumentation.google_genai"),),
    cache_read_twice=(
        Meaning("openinference.instrumentation.google_genai", since=(0, 1, 12), before=(0, 1, 16)),
    ),
    # From the changelogs and the sources: fixed on 2025-03-25; LangChain's in November of that
    # year, where what it handed on was Anthropic's own usage, which has no total.
    beside_cache=(
        Meaning(
            "openinference.instrumentation.langchain",
            before=(0, 1, 55),
            providers=frozenset({"anthropic"}),
            unless="llm.token_count.total",
        ),
        Meaning("openinference.instrumentation.anthropic", before=(0, 1, 14)),
        Meaning("openinference.instrumentation.bedrock", before=(0, 1, 18)),
        Meaning("@arizeai/openinference-instrumentation-anthropic", before=(0, 2)),
    ),
)
