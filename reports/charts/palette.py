"""The colours of charts. One hue a provider, the same on every page, in Slack and in the PDF.

Chosen to be told apart by people who see colours otherwise (neighbours of a stack differ in
lightness too) and to stand on white and on near black. Pages change the inks and papers below in
the dark (``api/pages/styles/30-charts.css``); hues stay.
"""

import hashlib
from typing import Final

from spend.providers import ENGINES, SELF_HOSTED, provider_named

INK, SOFT, LINE, GRID, PAPER = "#1d2733", "#66717f", "#d6dbe1", "#eef1f4", "#ffffff"
"""Text, lesser text, axes, lines behind, ground."""
ACCENT, GOOD, WARN, BAD, VIOLET = "#2f6299", "#2a8254", "#b97a10", "#a4462f", "#7d5bd0"
IDLE: Final = "#b9c1cb"
"""Capacity that nobody used, and what was committed to and not used."""
NOBODY: Final = "#8d97a3"
"""What nobody claimed, and what has no name."""
OWN: Final = "#4a678c"
"""What runs on capacity that we pay for by the hour."""
REST: Final = "#a59b8f"
"""All the others together."""

SERIES: Final = (
    "#3f76b8",
    "#d08a2e",
    "#5b9a57",
    "#a8577a",
    "#7d6bc0",
    "#2f8f8a",
    "#b5604f",
    "#8a8a35",
    "#7a97b5",
)
"""Of what is no provider. Neighbours differ in lightness too."""
COMPONENTS: Final = {
    "rental": "#4a678c",
    "reservation": "#3d8fb0",
    "depreciation": "#6a6fb5",
    "energy": "#cf9a12",
    "units": "#2a8f8a",
    "seats": "#6f8f2f",
    "colocation": "#8f6a3a",
    "support": "#a8577a",
    "licences": "#b5604f",
    "network": "#3f7f6b",
    "engineering": "#c47f9c",
    "disposal": "#a4462f",
}
"""Kinds of a pool's cost."""

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
    "x-ai": "#5c5f66",
    "together": "#c05a76",
    "fireworks": "#9a4fc0",
    "perplexity": "#2f8f8a",
    "openrouter": "#7a86b8",
}
_NAMES: Final = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "google": "Google",
    "mistral": "Mistral",
    "cerebras": "Cerebras",
    "groq": "Groq",
    "azure": "Azure",
    "aws": "AWS",
    "cohere": "Cohere",
    "deepseek": "DeepSeek",
    "x-ai": "xAI",
    "together": "Together AI",
    "fireworks": "Fireworks",
    "perplexity": "Perplexity",
    "openrouter": "OpenRouter",
    "baseten": "Baseten",
    "cloudflare": "Cloudflare",
    "databricks": "Databricks",
    "deepinfra": "DeepInfra",
    "github-copilot": "GitHub Copilot",
    "huggingface": "Hugging Face",
    "ibm": "IBM",
    "minimax": "MiniMax",
    "moonshotai": "Moonshot AI",
    "novita": "Novita",
    "ovhcloud": "OVHcloud",
    "sambanova": "SambaNova",
    "scaleway": "Scaleway",
    "nebius": "Nebius",
    "voyageai": "Voyage AI",
    "zai": "Z.ai",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "tgi": "TGI",
    "ollama": "Ollama",
    "llama.cpp": "llama.cpp",
    "lmstudio": "LM Studio",
    "tensorrt-llm": "TensorRT-LLM",
    "triton": "Triton",
    "nim": "NIM",
    "localai": "LocalAI",
    "mlx": "MLX",
    "xinference": "Xinference",
    "infinity": "Infinity",
    SELF_HOSTED: "Self-hosted",
    "idle": "Idle",
    "unused": "Unused commitment",
    "unallocated": "Unallocated",
}
_OTHERS: Final = ("#6f8f2f", "#a8577a", "#3d8fb0", "#a06a2c", "#6a6fb5", "#4f9a5a", "#b5604f")


def hue_of(provider: str | None) -> str:
    """The colour of a provider, as #rrggbb; any name has one, always the same."""
    name = _known(provider)
    if name in {"", "unallocated"}:
        return NOBODY
    if name in ENGINES:
        return OWN
    if name in {"idle", "unused"}:
        return IDLE
    if name in _PROVIDERS:
        return _PROVIDERS[name]
    # Not Python's hash, which differs from one process to the next.
    return _OTHERS[hashlib.blake2b(name.encode(), digest_size=2).digest()[0] % len(_OTHERS)]


def shown_name(provider: str | None) -> str:
    """What people call a provider or an engine; one that we do not know, as it is called.

    >>> shown_name("openai"), shown_name("bedrock"), shown_name("vllm"), shown_name("acme")
    ('OpenAI', 'AWS', 'vLLM', 'acme')
    """
    if not provider:
        return "Unknown"
    return _NAMES.get(_known(provider), provider)


def _known(provider: str | None) -> str:
    name = (provider or "").lower()
    return provider_named(name) or name


def shades(colour: str, count: int) -> list[str]:
    """``count`` colours from a hue towards the light, for the models of one provider."""
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    found = []
    for place in range(count):
        lift = 60 * place // max(count, 1)
        found.append("#" + "".join(f"{part + (255 - part) * lift // 100:02x}" for part in parts))
    return found
