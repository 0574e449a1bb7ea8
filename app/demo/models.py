"""The models that the simulated company calls."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Model:
    """A model as a service calls it: whose it is, how fast it answers, and how it caches."""

    provider: str
    """openai, anthropic, google, mistral, cerebras, groq; vllm for our own servers."""
    name: str
    answers_as: str
    server: str
    first_token_s: float
    tokens_per_s: float
    port: int = 443
    reasoning_share: float = 0.0
    caches: bool = False
    writes_cache: bool = False
    """Reports what it wrote to its prompt cache, and charges for it (Anthropic)."""


GPT_MINI: Final = Model(
    "openai", "gpt-5.4-mini", "gpt-5.4-mini-2026-03-17", "api.openai.com", 0.38, 130, caches=True
)
GPT: Final = Model(
    "openai", "gpt-5.4", "gpt-5.4", "api.openai.com", 0.9, 70, reasoning_share=0.45, caches=True
)
GPT_OLD: Final = Model(
    "openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "api.openai.com", 0.45, 95
)
EMBEDDING: Final = Model(
    "openai", "text-embedding-3-small", "text-embedding-3-small", "api.openai.com", 0.12, 1e6
)
SONNET: Final = Model(
    "anthropic", "claude-sonnet-5-5", "claude-sonnet-5-5", "api.anthropic.com", 0.7, 75,
    caches=True, writes_cache=True,
)  # fmt: skip
HAIKU: Final = Model(
    "anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", "api.anthropic.com", 0.4, 140,
    caches=True, writes_cache=True,
)  # fmt: skip
OPUS: Final = Model(
    "anthropic", "claude-opus-5-5", "claude-opus-5-5", "api.anthropic.com", 1.3, 55,
    caches=True, writes_cache=True,
)  # fmt: skip
GEMINI: Final = Model(
    "google", "gemini-3.5-flash", "gemini-3.5-flash", "generativelanguage.googleapis.com",
    0.5, 150, reasoning_share=0.3, caches=True,
)  # fmt: skip
GEMINI_PRO: Final = Model(
    "google", "gemini-3.1-pro-preview", "gemini-3.1-pro-preview",
    "generativelanguage.googleapis.com", 1.6, 80, reasoning_share=0.5, caches=True,
)  # fmt: skip
MISTRAL_LARGE: Final = Model(
    "mistral", "mistral-large-2512", "mistral-large-2512", "api.mistral.ai", 0.55, 60
)
GPT_OSS: Final = Model(
    "cerebras", "gpt-oss-120b", "gpt-oss-120b", "api.cerebras.ai", 0.15, 1800, reasoning_share=0.2
)
BRAND_VOICE: Final = Model(
    "groq", "acme/brand-voice-lora-3", "acme/brand-voice-lora-3", "api.groq.com", 0.2, 400
)
"""A private adapter at a host of open weights: no public list can know its price."""

LLAMA: Final = Model(
    "vllm", "meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Llama-3.3-70B-Instruct",
    "llama.gpu.internal", 0.8, 24, port=8000,
)  # fmt: skip
MISTRAL_SMALL: Final = Model(
    "vllm", "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506", "mistral.gpu.internal", 0.3, 52, port=8000,
)  # fmt: skip

MODELS: Final = (
    GPT_MINI, GPT, GPT_OLD, EMBEDDING, SONNET, HAIKU, OPUS, GEMINI, GEMINI_PRO, MISTRAL_LARGE,
    GPT_OSS, BRAND_VOICE, LLAMA, MISTRAL_SMALL,
)  # fmt: skip
