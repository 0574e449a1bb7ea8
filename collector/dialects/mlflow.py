"""MLflow's autologging. Every value is JSON once more, within its text."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Unpacked, Verdict

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
