"""The dialects that are understood, from the common ones to the particular ones.

A column's attributes are tried in this order; marks in the opposite order, since a particular
emitter knows better what its spans are than the words that it shares with others.
"""

from typing import Final

from collector.dialects.frameworks import (
    CLAUDE_CODE,
    CODEX,
    GOOGLE_ADK,
    LANGSMITH,
    LOGFIRE,
    MLFLOW,
    OPENLIT,
    PYDANTIC_AI,
    SEMANTIC_KERNEL,
    VERCEL,
)
from collector.dialects.gateways import KONG, LITELLM
from collector.dialects.openinference import OPENINFERENCE
from collector.dialects.semconv import ANTHROPIC_SDK, SEMCONV, SGLANG, VLLM
from collector.dialects.table import Dialect
from collector.dialects.traceloop import TRACELOOP

DIALECTS: Final[tuple[Dialect, ...]] = (
    SEMCONV,
    ANTHROPIC_SDK,
    TRACELOOP,
    OPENINFERENCE,
    VERCEL,
    PYDANTIC_AI,
    LITELLM,
    KONG,
    SEMANTIC_KERNEL,
    GOOGLE_ADK,
    VLLM,
    SGLANG,
    OPENLIT,
    LOGFIRE,
    MLFLOW,
    LANGSMITH,
    CODEX,
    # Last, as its attributes have no prefix: others' "model" is not its model.
    CLAUDE_CODE,
)
