"""By what one sees that a connection of this machine brings somebody else's request.

It came through a proxy, or a browser sends it for a page whose name was made to point at this
machine (DNS rebinding): to the browser we are of the same origin as that page.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

_ADDED: Final = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""Headers that proxies add where they are told to, each one some of these."""
_OF_CONTAINERS: Final = frozenset({"host.docker.internal", "host.containers.internal"})
"""What containers call the machine that they run on. Nobody can register a name in .internal."""


def is_forwarded(headers: Iterable[str]) -> bool:
    """Whether one of these headers (names in small letters) is a proxy's."""
    return not _ADDED.isdisjoint(headers)


def is_own_name(host: str) -> bool:
    """Whether a ``Host`` is an address, or a name that nobody else can have, as without a dot."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name in _OF_CONTAINERS or not {".", ":"} & set(name):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_our_own(headers: Mapping[str, str]) -> bool:
    """Whether neither is so, by a request's headers (names in small letters)."""
    return not is_forwarded(headers) and is_own_name(headers.get("host", ""))
