"""Microsoft's Semantic Kernel."""

from typing import Final

from collector.dialects.table import Dialect

SEMANTIC_KERNEL: Final = Dialect(name="semantic-kernel", scopes=("semantic_kernel.*",))
