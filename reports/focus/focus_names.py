"""What FOCUS calls a provider and its service. Ids without an entry here are shown as they are."""

from typing import Final

from spend.capacity.pools import OWNED, PROVISIONED, RENTED, SUBSCRIPTION

UNKNOWN: Final = "unknown"
"""The provider of what does not say who bills for it."""

MODELS: Final = ("AI and Machine Learning", "Generative AI")
"""Category and subcategory of calls of models."""

# Id -> provider, service.
_NAMES: Final = {
    "anthropic": ("Anthropic", "Claude API"),
    "aws": ("Amazon Web Services", "Amazon Bedrock"),
    "azure": ("Microsoft", "Azure AI Foundry"),
    "cerebras": ("Cerebras", "Cerebras Inference"),
    "cohere": ("Cohere", "Cohere API"),
    "databricks": ("Databricks", "Mosaic AI Model Serving"),
    "deepseek": ("DeepSeek", "DeepSeek API"),
    "fireworks": ("Fireworks AI", "Fireworks AI"),
    "google": ("Google", "Gemini API and Vertex AI"),
    "groq": ("Groq", "GroqCloud"),
    "mistral": ("Mistral AI", "Mistral AI API"),
    "openai": ("OpenAI", "OpenAI API"),
    "openrouter": ("OpenRouter", "OpenRouter"),
    "perplexity": ("Perplexity", "Perplexity API"),
    "together": ("Together AI", "Together AI"),
    "x-ai": ("xAI", "xAI API"),
}

_POOLS: Final = {
    RENTED: ("Rented model capacity", "Compute", "Virtual Machines"),
    OWNED: ("Owned model capacity", "Compute", "Other (Compute)"),
    PROVISIONED: ("Provisioned throughput", *MODELS),
    SUBSCRIPTION: ("Model subscription", *MODELS),
}
"""Kind -> service, category, subcategory."""


def provider_name(provider: str) -> str:
    """A provider's id as FOCUS shows it."""
    return _NAMES.get(provider, (provider, ""))[0]


def service_of(provider: str) -> tuple[str, str, str]:
    """Service, category and subcategory of calls that a provider bills for."""
    name = _NAMES.get(provider, ("", f"{provider} models"))[1]
    return (name, *MODELS)


def service_of_pool(kind: str) -> tuple[str, str, str]:
    """The same of a pool."""
    return _POOLS[kind]
