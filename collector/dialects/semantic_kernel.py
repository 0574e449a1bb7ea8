"""Microsoft's Semantic Kernel, in Python (``semantic_kernel``) and .NET (``Microsoft``)."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Verdict

_CALLS: Final = {"chat*": Verdict.CALL, "text*completion*": Verdict.CALL}

SEMANTIC_KERNEL: Final = Dialect(
    name="semantic-kernel",
    who="Semantic Kernel, Python and .NET.",
    to_know=(
        "Python 1.45, .NET by its names; nothing of caches, reasoning, streams or embeddings."
    ),
    scopes=("semantic_kernel.*", "Microsoft.SemanticKernel*"),
    # Also "chat.completions", "text.completions" and "text_completions".
    marks=(
        Mark("gen_ai.operation.name", _CALLS, scope="semantic_kernel.*"),
        Mark("gen_ai.operation.name", _CALLS, scope="Microsoft.SemanticKernel*"),
    ),
)
