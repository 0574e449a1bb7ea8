"""The dialects that are understood, from the common ones to the particular ones.

A column's attributes are tried in this order; marks in the opposite order, since a particular
emitter knows better what its spans are than the words that it shares with others.
"""

from typing import Final

from collector.dialects.agentcore import AGENTCORE
from collector.dialects.anthropic_sdk import ANTHROPIC_SDK
from collector.dialects.claude_code import CLAUDE_CODE
from collector.dialects.cloudflare import CLOUDFLARE
from collector.dialects.codex import CODEX
from collector.dialects.copilot import COPILOT
from collector.dialects.engines import SGLANG, TENSORRT_LLM, VLLM
from collector.dialects.envoy import ENVOY
from collector.dialects.gemini_cli import GEMINI_CLI, QWEN_CODE
from collector.dialects.google_adk import GOOGLE_ADK
from collector.dialects.kong import KONG
from collector.dialects.langfuse import LANGFUSE
from collector.dialects.langsmith import LANGSMITH
from collector.dialects.litellm import LITELLM
from collector.dialects.logfire import LOGFIRE
from collector.dialects.mastra import MASTRA
from collector.dialects.microsoft import AGENT_FRAMEWORK, AZURE_AI
from collector.dialects.mistral_sdk import MISTRAL_SDK
from collector.dialects.mlflow import MLFLOW
from collector.dialects.openinference import OPENINFERENCE
from collector.dialects.openlit import OPENLIT
from collector.dialects.pydantic_ai import PYDANTIC_AI
from collector.dialects.semantic_kernel import SEMANTIC_KERNEL
from collector.dialects.semconv import SEMCONV
from collector.dialects.strands import STRANDS
from collector.dialects.table import Dialect
from collector.dialects.traceloop import TRACELOOP
from collector.dialects.vercel_ai import VERCEL

DIALECTS: Final[tuple[Dialect, ...]] = (
    SEMCONV,
    ANTHROPIC_SDK,
    MISTRAL_SDK,
    TRACELOOP,
    OPENINFERENCE,
    VERCEL,
    MASTRA,
    PYDANTIC_AI,
    LITELLM,
    KONG,
    ENVOY,
    CLOUDFLARE,
    SEMANTIC_KERNEL,
    AGENT_FRAMEWORK,
    AZURE_AI,
    GOOGLE_ADK,
    VLLM,
    SGLANG,
    TENSORRT_LLM,
    OPENLIT,
    LOGFIRE,
    MLFLOW,
    LANGSMITH,
    LANGFUSE,
    STRANDS,
    AGENTCORE,
    CODEX,
    COPILOT,
    GEMINI_CLI,
    QWEN_CODE,
    CLAUDE_CODE,
)
