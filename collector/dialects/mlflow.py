"""MLflow's autologging. Every value is JSON once more, within its text."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Unpacked, Verdict

MLFLOW: Final = Dialect(
    name="mlflow",
    who="MLflow's autologging.",
    to_know=(
        "3.1 and 3.17; no usage of embeddings, of streams that were not asked for it, "
        "or of reasoning."
    ),
    scopes=("mlflow.*",),
    columns={
        "provider": ("mlflow.llm.provider.",),
        "request_model": ("mlflow.spanInputs.model", "mlflow.invocation_params.model"),
        "response_model": ("mlflow.llm.model.", "mlflow.spanOutputs.model"),
        "streaming": ("mlflow.spanInputs.stream",),
        "operation": ("mlflow.spanType.",),
        "input": ("mlflow.usage.input",),
        "input_beside_cache": ("mlflow.messages.input",),
        "output": ("mlflow.usage.output", "mlflow.messages.output"),
        "total": ("mlflow.usage.total",),
        "cache_read": ("mlflow.usage.cache_read", "mlflow.messages.cache_read"),
        "cache_write": ("mlflow.usage.cache_write", "mlflow.messages.cache_write"),
        "cache_write_5m": ("mlflow.messages.cache_write_5m",),
        "cache_write_1h": ("mlflow.messages.cache_write_1h", "mlflow.usage.cache_write_1h"),
        "tool_calls": ("mlflow.messages.tool_calls",),
        "response_id": ("mlflow.spanOutputs.id",),
    },
    # One scope for all that it logs; in asynchronous code LangChain's span and the client's are
    # in two traces.
    layers={"mlflow.invocation_params.model": "langchain"},
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
        Unpacked(
            "invocation_params",
            dict.fromkeys(("model", "model_name", "model_id"), "mlflow.invocation_params.model"),
            own=True,
        ),
        Unpacked("mlflow.llm.provider", {"": "mlflow.llm.provider."}),
        Unpacked("mlflow.llm.model", {"": "mlflow.llm.model."}),
        Unpacked(
            "mlflow.spanInputs",
            {"model": "mlflow.spanInputs.model", "stream": "mlflow.spanInputs.stream"},
        ),
        Unpacked(
            "mlflow.spanOutputs",
            {"id": "mlflow.spanOutputs.id", "model": "mlflow.spanOutputs.model"},
        ),
        # Anthropic's own: the first versions made no sum of it, and none tells a cache's life.
        Unpacked(
            "mlflow.spanOutputs",
            {
                "input_tokens": "mlflow.messages.input",
                "output_tokens": "mlflow.messages.output",
                "cache_read_input_tokens": "mlflow.messages.cache_read",
                "cache_creation_input_tokens": "mlflow.messages.cache_write",
                "cache_creation.ephemeral_5m_input_tokens": "mlflow.messages.cache_write_5m",
                "cache_creation.ephemeral_1h_input_tokens": "mlflow.messages.cache_write_1h",
                "server_tool_use.web_search_requests": "mlflow.messages.tool_calls",
            },
            at="usage",
            given=frozenset({"cache_read_input_tokens", "cache_creation_input_tokens"}),
        ),
        Unpacked(
            "mlflow.chat.tokenUsage",
            {
                "input_tokens": "mlflow.usage.input",
                "output_tokens": "mlflow.usage.output",
                "total_tokens": "mlflow.usage.total",
                "cache_read_input_tokens": "mlflow.usage.cache_read",
                "cache_creation_input_tokens": "mlflow.usage.cache_write",
                "cache_creation_input_tokens_above_1hr": "mlflow.usage.cache_write_1h",
            },
        ),
    ),
    first_token_events=("mlflow.chunk.item.0",),
)
