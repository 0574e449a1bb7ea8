"""By what one sees that a request came through a proxy: then anybody may have sent it."""

from collections.abc import Iterable
from typing import Final

_ADDED: Final = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""Headers that proxies add where they are told to, each one some of these."""


def is_forwarded(headers: Iterable[str]) -> bool:
    """Whether one of these headers (names in small letters) is a proxy's."""
    return not _ADDED.isdisjoint(headers)
