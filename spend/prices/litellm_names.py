"""Names in a list of LiteLLM's shape: whose model an entry is, as calls have it, and where."""

import re
from dataclasses import dataclass
from typing import Final

from spend.providers import ENGINES, FRAMEWORKS, provider_named
from spend.written_rows import LONGEST_TEXT

# Providers of theirs that are called otherwise than instrumentations call them.
_OURS: Final = {
    "amazon_nova": "aws",
    "azure_text": "azure",
    "bedrock_mantle": "aws",
    "chatgpt": "openai",
    "codestral": "mistral",
    "fireworks_ai-embedding-models": "fireworks",
    "nvidia_nim": "nvidia",  # their hosted service; the engine of that name is ours
    "text-completion-codestral": "mistral",
}
_VERTEX: Final = "vertex_ai"

_AWS_REGION: Final = re.compile(r"[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d")
_AZURE_ZONES: Final = frozenset({"us", "eu", "apac"})
_AZURE_EVERYWHERE: Final = frozenset({"global", "global-standard"})
_A_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_COMMITMENT: Final = re.compile(r"\d+-month-commitment")
_OF_AN_IMAGE: Final = re.compile(r"\d+-x-\d+|max-x-max|\d+-steps|hd|standard|low|medium|high|auto")


class NotSayableError(ValueError):
    """An entry that no line can say; its text tells why, for people."""


@dataclass(frozen=True, slots=True)
class Named:
    """Whose model it is, as calls have it."""

    provider: str
    model: str
    region: str = ""


def named(key: str, litellm_provider: str) -> Named:
    """What a key of the list names; NotSayableError where it is no model that a call can name."""
    provider = _provider(litellm_provider)
    segments = key.strip().split("/")
    if len(segments) > 1 and _is_prefix(segments[0], litellm_provider, provider):
        segments = segments[1:]
    if any(_COMMITMENT.fullmatch(each) for each in segments):
        raise NotSayableError("by a commitment")
    if any(_OF_AN_IMAGE.fullmatch(each) for each in segments[:-1]):
        raise NotSayableError("by an image's size and quality")
    region = ""
    if len(segments) > 1 and _is_region(segments[0], provider):
        region, *segments = segments
    elif len(segments) > 1 and provider == "azure" and segments[0] in _AZURE_EVERYWHERE:
        segments = segments[1:]
    model = "/".join(segments)
    if not model or "*" in model or not model.isprintable() or len(model) > LONGEST_TEXT:
        raise NotSayableError("under no name that a call could have")
    return Named(provider, model, region)


def _provider(theirs: str) -> str:
    word = theirs.strip().lower()
    if word in _OURS:
        return _OURS[word]
    if word.startswith(_VERTEX):
        return "google"
    ours = provider_named(word)
    if ours in ENGINES:
        raise NotSayableError("of software that runs on machines of one's own")
    if not _A_PROVIDER.fullmatch(word) or word in FRAMEWORKS:
        raise NotSayableError("of nobody who bills")
    # One that we do not know is called by calls as it is called here.
    return ours or word


def _is_region(segment: str, provider: str) -> bool:
    if provider == "azure":
        return segment in _AZURE_ZONES
    return provider == "aws" and bool(_AWS_REGION.fullmatch(segment))


def _is_prefix(segment: str, theirs: str, ours: str) -> bool:
    word = segment.lower()
    return word == theirs.lower() or provider_named(word) == ours or _OURS.get(word) == ours
