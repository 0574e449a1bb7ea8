"""Ids of answers: which are a provider's, so that two sightings with one of them are one call.

An id that a library made up, or that names a part of an answer, would join calls that have
nothing to do with each other. Only shapes that providers are known to give are taken.
"""

import re
from functools import lru_cache
from typing import Final

# Eight characters and more behind the prefix: stand-in servers answer "chatcmpl-123" to all.
_ANYWHERE: Final = re.compile(
    r"(?:chatcmpl|cmpl|gen|embd|rerank)-[A-Za-z0-9_.-]{8,150}|resp_[A-Za-z0-9_-]{8,150}"
)
# An OpenAI output item is msg_… too, and is no answer.
_MESSAGE: Final = re.compile(r"msg_(?:bdrk_|vrtx_)?[A-Za-z0-9_]{8,150}")
_OPENAI: Final = frozenset({"openai", "azure"})
_OF_PROVIDER: Final = {
    "google": re.compile(r"[A-Za-z0-9_-]{18,64}"),
    "mistral": re.compile(r"[0-9a-f]{32}"),
    "together": re.compile(r"[A-Za-z0-9]{6,12}-[A-Za-z0-9]{4,12}-[0-9a-f]{12,20}"),
}
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@lru_cache(maxsize=8192)
def is_providers(response_id: str, provider: str | None) -> bool:
    """Whether an id looks like one that ``provider`` (an id of ours, or None) gave its answer."""
    if _UUID.fullmatch(response_id):
        return False
    if _ANYWHERE.fullmatch(response_id):
        return True
    if _MESSAGE.fullmatch(response_id):
        return provider not in _OPENAI
    shape = _OF_PROVIDER.get(provider or "")
    return shape is not None and shape.fullmatch(response_id) is not None
