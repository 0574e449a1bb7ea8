"""AWS's distribution of OpenTelemetry, as Bedrock AgentCore runs agents with it.

It speaks the conventions' words, for LangChain, LlamaIndex, CrewAI and OpenAI's agents.
"""

from typing import Final

from collector.dialects.table import Dialect, Meaning

_ANTHROPIC: Final = frozenset({"anthropic"})

AGENTCORE: Final = Dialect(
    name="agentcore",
    who="AWS's distribution, as Bedrock AgentCore runs it.",
    to_know=(
        "0.21 with Strands and LangGraph; its botocore tells nothing of the cache before 0.66."
    ),
    scopes=("amazon.opentelemetry.distro.*", "bedrock_agentcore*"),
    beside_cache=(
        # It prefers the provider's own usage, which LangChain has where nothing streamed.
        Meaning(
            "amazon.opentelemetry.distro.instrumentation.langchain",
            providers=_ANTHROPIC,
            streaming=False,
        ),
        Meaning("amazon.opentelemetry.distro.instrumentation.llama_index", providers=_ANTHROPIC),
    ),
)
