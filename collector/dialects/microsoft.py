"""Microsoft's Agent Framework, and the clients of Azure AI: both speak the conventions.

An agent of the framework repeats what its calls used, added up.
"""

from typing import Final

from collector.dialects.table import Dialect

AGENT_FRAMEWORK: Final = Dialect(
    name="agent-framework",
    who="Microsoft's Agent Framework.",
    to_know="Python 1.23; not why a call failed, nor whether it streamed.",
    scopes=("agent_framework*", "Experimental.Microsoft.Agents.AI*", "Microsoft.Agents.AI*"),
)

AZURE_AI: Final = Dialect(
    name="azure-ai",
    who="Azure's own clients.",
    to_know="Azure AI Inference 1.0; nothing of caches, reasoning, streams or embeddings.",
    # Not the client's own name: all of Azure's clients are traced by azure-core.
    scopes=("azure.core.tracing.*", "azure.ai.*", "Azure.AI.*"),
)
