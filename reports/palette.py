"""The colours of charts. One hue a provider, the same on every page, in Slack and in the PDF.

Chosen to be told apart by people who see colours otherwise (neighbours of a stack differ in
lightness too) and to stand on white and on near black. Pages change the inks and papers below in
the dark (``api/pages/styles/charts.css``); hues stay.
"""

import hashlib
from typing import Final

INK, SOFT, LINE, GRID, PAPER = "#1d2733", "#66717f", "#d6dbe1", "#eef1f4", "#ffffff"
"""Text, lesser text, axes, lines behind, ground."""
ACCENT, GOOD, WARN, BAD = "#2f6299", "#2a8254", "#b97a10", "#a4462f"
IDLE: Final = "#b9c1cb"
"""Capacity that nobody used, and what was committed to and not used."""
NOBODY: Final = "#8d97a3"
"""What nobody claimed, and what has no name."""
SELF_HOSTED: Final = "#4a678c"
REST: Final = "#a59b8f"
"""All the others together."""

_PROVIDERS: Final = {
    "openai": "#1b9e77",
    "anthropic": "#d3704a",
    "google": "#4a86e8",
    "mistral": "#cf9a12",
    "cerebras": "#b84a8c",
    "groq": "#7d5bd0",
    "azure": "#2aa3c4",
    "aws": "#8f6a3a",
    "cohere": "#3f7f6b",
    "deepseek": "#5468d4",
    "xai": "#5c5f66",
    "together": "#c05a76",
    "fireworks": "#9a4fc0",
    "perplexity": "#2f8f8a",
    "openrouter": "#7a86b8",
}
_KIN: Final = {
    "azure-openai": "azure",
    "azure_openai": "azure",
    "bedrock": "aws",
    "aws-bedrock": "aws",
    "vertex": "google",
    "vertex-ai": "google",
    "gemini": "google",
    "mistralai": "mistral",
    "x-ai": "xai",
}
_OTHERS: Final = ("#6f8f2f", "#a8577a", "#3d8fb0", "#a06a2c", "#6a6fb5", "#4f9a5a", "#b5604f")


def hue_of(provider: str | None) -> str:
    """The colour of a provider, as #rrggbb; any name has one, always the same."""
    name = (provider or "").lower()
    if not name:
        return NOBODY
    if name in {"self-hosted", "vllm", "sglang", "tgi", "ollama", "llama.cpp"}:
        return SELF_HOSTED
    if name in {"idle", "unused"}:
        return IDLE
    if name == "unallocated":
        return NOBODY
    known = _PROVIDERS.get(_KIN.get(name, name))
    if known is not None:
        return known
    # Not Python's hash, which differs from one process to the next.
    return _OTHERS[hashlib.blake2b(name.encode(), digest_size=2).digest()[0] % len(_OTHERS)]


def shades(colour: str, count: int) -> list[str]:
    """``count`` colours from a hue towards the light, for the models of one provider."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    found = []
    for place in range(count):
        lift = 60 * place // max(count, 1)
        found.append("#" + "".join(f"{part + (255 - part) * lift // 100:02x}" for part in parts))
    return found
