"""Model servers that tell what they served: vLLM, SGLang."""

from typing import Final

from collector.dialects.table import Dialect

VLLM: Final = Dialect(name="vllm", scopes=("vllm*",), engine="vllm")
SGLANG: Final = Dialect(name="sglang", scopes=("sglang*",), engine="sglang")
