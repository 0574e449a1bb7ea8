"""Context bands: how large a call's prompt was, as far as any price can depend on it.

Some prices change with the prompt's size, for the whole call. A cell keeps calls of different
bands apart, so that it can be priced, and priced again later, without reading its calls. The
edges are those found in genai-prices 0.2.3 and the LiteLLM list; an edge that is missing here
cannot be priced and is refused at import.
"""

from typing import Final

EDGES: Final = (
    32_000,
    64_000,
    100_000,
    128_000,
    199_999,
    200_000,
    256_000,
    272_000,
    512_000,
    524_288,
    1_000_000,
)
"""Tokens of input (caches included). Band n holds prompts above EDGES[n-1], up to EDGES[n]."""


def band_of(input_total: int) -> int:
    """The band of a prompt: 0 up to the first edge, len(EDGES) above the last."""
    return sum(input_total > edge for edge in EDGES)


def applies(above_tokens: int, band: int) -> bool:
    """Whether a price for prompts above ``above_tokens`` (0 or an edge) holds in ``band``."""
    return above_tokens == 0 or (above_tokens in EDGES and EDGES.index(above_tokens) < band)
