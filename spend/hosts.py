"""Hosts: which provider answers there, in which region, and whether it is one of our own."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

# Pattern of the host (without port) -> provider; a group named region gives the region.
_HOSTS: Final = tuple(
    (re.compile(pattern), provider)
    for pattern, provider in (
        (r"(?:(?P<region>eu|us|au|ca|in|jp|sg|kr|ae)\.)?api\.openai\.com", "openai"),
        (r"(?:[\w-]+\.)*anthropic\.com", "anthropic"),
        (
            r"bedrock(?:-runtime|-agent-runtime)?(?:-fips)?\.(?P<region>[\w-]+)\.amazonaws\.com(?:\.cn)?",
            "aws",
        ),
        (r"bedrock-mantle\.(?P<region>[\w-]+)\.api\.aws", "aws"),
        (r"runtime\.sagemaker\.(?P<region>[\w-]+)\.amazonaws\.com", "aws"),
        (r"[\w-]+\.(?:openai|services\.ai|cognitiveservices)\.azure\.(?:com|us|cn)", "azure"),
        (r"(?P<region>[\w-]+)\.api\.cognitive\.microsoft\.com", "azure"),
        (r"[\w.-]+\.(?P<region>[a-z]+[0-9]?)\.(?:inference|models)\.ai\.azure\.com", "azure"),
        (r"models\.inference\.ai\.azure\.com|models\.github\.ai", "azure"),
        (r"(?:(?P<region>[a-z]+-[a-z]+\d+)-)?aiplatform\.googleapis\.com", "google"),
        (r"aiplatform\.(?P<region>[\w-]+)\.rep\.googleapis\.com", "google"),
        (r"generativelanguage\.googleapis\.com", "google"),
        (r"(?:[\w-]+\.)?mistral\.ai", "mistral"),
        (r"api\.groq\.com", "groq"),
        (r"api\.cerebras\.ai", "cerebras"),
        (r"api\.fireworks\.ai", "fireworks"),
        (r"api\.together\.(?:xyz|ai)", "together"),
        (r"api\.deepseek\.com", "deepseek"),
        (r"api\.deepinfra\.com", "deepinfra"),
        (r"api\.(?:cohere\.(?:com|ai))", "cohere"),
        (r"openrouter\.ai", "openrouter"),
        (r"(?:(?P<region>[a-z]+-[a-z]+-\d)\.)?api\.x\.ai", "x-ai"),
        (r"api\.perplexity\.ai", "perplexity"),
        (r"gateway\.ai\.cloudflare\.com|api\.cloudflare\.com", "cloudflare"),
        (r"api\.moonshot\.(?:ai|cn)", "moonshotai"),
        (r"api\.minimaxi?\.(?:io|chat|com)", "minimax"),
        (r"api\.novita\.ai", "novita"),
        (r"api\.sambanova\.ai", "sambanova"),
        (r"api\.(?:studio|tokenfactory)\.nebius\.(?:ai|com)", "nebius"),
        (r"api\.scaleway\.ai", "scaleway"),
        (r"[\w-]*\.?endpoints\.(?:kepler\.)?ai\.cloud\.ovh\.net", "ovhcloud"),
        (r"api\.voyageai\.com", "voyageai"),
        (r"api\.z\.ai", "zai"),
        (r"(?:[\w-]+\.)*(?:api\.)?baseten\.co", "baseten"),
        (r"[\w.-]+\.cloud\.databricks\.com|[\w.-]+\.azuredatabricks\.net", "databricks"),
        (r"(?P<region>[a-z]{2}-[a-z]+)\.ml\.cloud\.ibm\.com", "ibm"),
        (r"(?:[\w-]+\.)*(?:githubcopilot\.com)", "github-copilot"),
        (r"router\.huggingface\.co|api-inference\.huggingface\.co", "huggingface"),
    )
)
# A gateway in front of several providers: it says nothing of who bills.
_TRANSPARENT: Final = frozenset({"gateway.ai.cloudflare.com"})

_INTERNAL: Final = (".local", ".internal", ".svc", ".lan", ".corp", ".home", ".localhost", ".intra")
_PLAIN_PORTS: Final = frozenset({80, 443})
_LONGEST: Final = 253


@dataclass(frozen=True, slots=True)
class KnownHost:
    """A provider's address."""

    provider: str
    region: str | None


def host_of(address: str | None, port: int | None = None) -> str | None:
    """``host`` or ``host:port`` from a host name or URL; without the ports 80 and 443.

    >>> host_of("https://key@API.OpenAI.com/v1"), host_of("10.0.0.7", 8000)
    ('api.openai.com', '10.0.0.7:8000')
    """
    text = (address or "").strip()
    if not text:
        return None
    if _is_address_v6(text):  # as OpenTelemetry writes it; in a URL it has brackets
        text = f"[{text}]"
    try:
        parts = urlsplit(text if "://" in text else f"//{text.partition('/')[0]}")
        host, own_port = parts.hostname, parts.port
    except ValueError:  # a bracket or a port that is none
        return None
    if not host or len(host) > _LONGEST or not re.fullmatch(r"[\w.:%-]+", host):
        return None
    chosen = own_port or (port if port and 0 < port < 1 << 16 else None)
    shown = f"[{host}]" if ":" in host else host
    return shown if chosen is None or chosen in _PLAIN_PORTS else f"{shown}:{chosen}"


def _is_address_v6(text: str) -> bool:
    try:
        return ip_address(text).version == 6  # noqa: PLR2004  # the version with colons
    except ValueError:
        return False


def _without_port(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def place_of(host: str | None) -> KnownHost | None:
    """The provider that answers at a host, if the host is one that we know."""
    if host is None:
        return None
    name = _without_port(host)
    if name in _TRANSPARENT:
        return None
    for pattern, provider in _HOSTS:
        found = pattern.fullmatch(name)
        if found:
            return KnownHost(provider, found.groupdict().get("region"))
    return None


def is_private(host: str) -> bool:
    """Whether a host is on our own network: loopback, a private address, an internal name."""
    name = _without_port(host)
    try:
        address = ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(_INTERNAL)
    return address.is_private or address.is_loopback or address.is_link_local
