"""Who bills for a call, and what sort of place it went to.

Provider ids are our own words; where the list ``genai-prices`` has the provider, its id. Emitters
name providers in many ways, and clients name the protocol they speak: an application that asks
a vLLM through the OpenAI client reports ``openai``. So the host that was called counts first,
then what the emitter says, then the model's name; and open weights at a private host are
self-hosted, whatever the client calls itself.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from spend.hosts import is_private, place_of
from spend.models import is_bedrocks, maker_of, prefix_of

API: Final = "api"
HOSTED_OPEN: Final = "hosted-open"
SELF_HOSTED: Final = "self-hosted"
"""Also the provider of what runs on our own machines, where no engine is named."""
DEPLOYMENTS: Final = (API, HOSTED_OPEN, SELF_HOSTED)

# Id -> the names by which emitters call it, lower case. A name is also tried up to its first dot.
_ALIASES: Final[dict[str, str]] = {
    "anthropic": "anthropic.messages",
    "aws": "aws.bedrock aws_bedrock aws-bedrock bedrock amazon-bedrock amazon_bedrock"
    " bedrock_converse aws.anthropic amazon sagemaker aws.sagemaker",
    "azure": "azure.ai.openai az.ai.openai azure.openai azure_openai azure-openai azureopenai"
    " azure.ai.inference az.ai.inference azure_ai azure-ai azure_ai_inference",
    "baseten": "",
    "cerebras": "",
    "cloudflare": "cloudflare_ai_gateway workers-ai workers_ai",
    "cohere": "cohere_chat",
    "databricks": "",
    "deepinfra": "",
    "deepseek": "",
    "fireworks": "fireworks_ai fireworks-ai fireworksai",
    "github-copilot": "github github_copilot copilot",
    "google": "gcp.vertex_ai vertex_ai vertexai google.vertex gcp.anthropic gcp.gemini gemini"
    " gcp.gen_ai google.generative-ai google-generative-ai google_genai google_ai_studio"
    " google-ai-studio google-vertex-ai"
    " google-vertex google_vertex google-gla google-vertexai gcp google_vertexai"
    " google_anthropic_vertex vertex googlevertex",
    "groq": "",
    "huggingface": "hugging_face hugging-face",
    "ibm": "ibm.watsonx.ai ibm_watsonx watsonx ibm.watson.ai",
    "minimax": "",
    "mistral": "mistral_ai mistralai mistral-ai",
    "moonshotai": "moonshot_ai moonshot kimi",
    "novita": "novita_ai",
    "openai": "openai.chat openai.responses openai.embedding text-completion-openai",
    "openrouter": "",
    "ovhcloud": "",
    "perplexity": "perplexity_ai perplexity-ai",
    "sambanova": "",
    "scaleway": "",
    "nebius": "",
    "together": "together_ai together-ai togetherai",
    "voyageai": "voyage voyage_ai",
    "x-ai": "x_ai xai xai.chat grok",
    "zai": "z_ai z.ai",
}
PROVIDERS: Final = frozenset(_ALIASES)
_BY_ALIAS: Final = {
    alias: provider
    for provider, aliases in _ALIASES.items()
    for alias in (provider, *aliases.split())
}

# Servers that run weights of our own. An emitter that names one says that there is no provider.
_ENGINES: Final[dict[str, str]] = {
    "vllm": "vllm",
    "hosted_vllm": "vllm",
    "sglang": "sglang",
    "tgi": "tgi",
    "text-generation-inference": "tgi",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "llama.cpp": "llama.cpp",
    "llama-cpp": "llama.cpp",
    "llamacpp": "llama.cpp",
    "llama_cpp": "llama.cpp",
    "llamafile": "llama.cpp",
    "lmstudio": "lmstudio",
    "lm_studio": "lmstudio",
    "tensorrt_llm": "tensorrt-llm",
    "tensorrt-llm": "tensorrt-llm",
    "trtllm": "tensorrt-llm",
    "triton": "triton",
    "nim": "nim",
    "localai": "localai",
    "mlx": "mlx",
    "xinference": "xinference",
    "infinity": "infinity",
    "self-hosted": SELF_HOSTED,
    "self_hosted": SELF_HOSTED,
}
ENGINES: Final = frozenset(_ENGINES.values())

FRAMEWORKS: Final = frozenset(
    {
        "langchain",
        "langgraph",
        "litellm",
        "litellm_proxy",
        "strands-agents",
        "gcp.vertex.agent",
        "crewai",
        "llama_index",
        "llamaindex",
        "openai_agents",
        "agent_framework",
        "microsoft.agent_framework",
        "semantic_kernel",
        "haystack",
        "dspy",
        "agno",
        "smolagents",
        "pydantic-ai",
        "autogen",
        "custom",
        "custom_openai",
        "gateway",  # Vercel's, which sells at the providers' prices
        "unknown",
    }
)
"""Names that stand where a provider should, and bill for nothing."""

# Clients of these protocols are used to reach any server that speaks them.
_PROTOCOLS: Final = frozenset({"openai", "azure", "anthropic", "mistral", "cohere", "huggingface"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call went."""

    provider: str | None
    deployment: str | None
    """``api``, ``hosted-open``, ``self-hosted``, or None where nothing tells."""
    region: str | None = None


def provider_named(told: str | None) -> str | None:
    """The provider or engine that an emitter's word means; None for frameworks and unknown ones.

    >>> provider_named("azure.ai.openai"), provider_named("openai.chat"), provider_named("vLLM")
    ('azure', 'openai', 'vllm')
    """
    word = (told or "").strip().lower()
    if not word or word in FRAMEWORKS:
        return None
    first = word.split(".", 1)[0]
    for name in (word, first):
        if name in _ENGINES or name in _BY_ALIAS:
            return _ENGINES.get(name) or _BY_ALIAS[name]
    return None


@lru_cache(maxsize=4096)
def place_of_call(
    *, told: str | None = None, model: str | None = None, host: str | None = None
) -> Place:
    """Where a call went, from what the emitter said of provider, model and host.

    ``host`` is as ``spend.hosts.host_of`` gives it. An open model (its weights can be had) at a
    private host or an engine is ``self-hosted``; at an API other than its maker's
    ``hosted-open``. A private host alone proves nothing: a gateway may sit there.
    """
    named = provider_named(told) or _stranger(told)
    prefixed = provider_named(prefix_of(model)) or ("aws" if is_bedrocks(model) else None)
    if named == "anthropic" and prefixed == "aws":
        named = prefixed  # Anthropic's client can ask Bedrock, and says anthropic all the same.
    known = place_of(host)
    if known is not None:
        return Place(known.provider, _deployment(known.provider, model), known.region)
    maker = maker_of(model)
    open_weights = maker is not None and maker.open_weights
    for engine in (named, prefixed):
        if engine in ENGINES:
            return Place(engine, SELF_HOSTED)
    if open_weights and prefixed in _SELLERS and named in (None, prefixed, "openai"):
        # LiteLLM writes "groq/llama-3.3-70b": whom it asked, not who made the model.
        return Place(prefixed, HOSTED_OPEN)
    if open_weights and named in (None, *_PROTOCOLS):
        return _open_place(named, host, maker.provider if maker else None)
    provider = named or (None if open_weights else prefixed) or (maker.provider if maker else None)
    if provider is None:
        return Place(None, None)
    return Place(provider, _deployment(provider, model))


def _stranger(told: str | None) -> str | None:
    """A provider that we do not know, as it is called: it can be filtered by and given a price.

    And it keeps another's price away: a model called gpt-4o at "acme" is not sold by OpenAI.
    """
    word = _KIND.sub("", (told or "").strip().lower())
    return word if word not in FRAMEWORKS and _NAME.fullmatch(word) else None


# What Vercel's AI SDK puts behind a provider's name: which of its interfaces was asked.
_KIND: Final = re.compile(r"\.(?:chat|completion|responses|messages|embedding|image|speech)$")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

_SELLERS: Final = PROVIDERS - {
    "openai",
    "azure",
    "anthropic",
    "mistral",
    "cohere",
    "google",
    "deepseek",
    "huggingface",
}
"""Those whose name before a model says who served it, and never who made it."""


def _open_place(named: str | None, host: str | None, maker: str | None) -> Place:
    """Open weights, asked for through a client that could reach anything."""
    if host is not None and is_private(host):
        return Place(SELF_HOSTED, SELF_HOSTED)
    if named is not None and named == maker and maker != "openai" and host is None:
        return Place(named, API)
    if named in {"azure", "huggingface"} and host is None:
        return Place(named, HOSTED_OPEN)
    # OpenAI sells no open weights: this is somebody's server, we cannot tell whose.
    return Place(None, None)


def _deployment(provider: str, model: str | None) -> str:
    if provider in ENGINES:
        return SELF_HOSTED
    maker = maker_of(model)
    foreign = maker is not None and maker.open_weights and maker.provider != provider
    return HOSTED_OPEN if foreign else API
