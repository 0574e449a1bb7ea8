"""Where a request comes from, and the key that it shows."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from spend.access.forwarded import is_our_own

_MOST_HOPS: Final = 5


@dataclass(frozen=True, slots=True)
class CameFrom:
    """Who sent a request, as far as its connection and its headers say."""

    peer: str
    """The address that is connected to us: a proxy's, where one stands in front."""
    key: str | None
    local: bool
    """Whether this machine sent it, and passed it on for nobody."""
    forwarded_for: str
    """The addresses that ``X-Forwarded-For`` names, which anybody may write."""
    agent: str
    """What it says that it is: likewise."""

    @classmethod
    def of(cls, headers: Mapping[str, str], peer: str, *, local: bool) -> Self:
        """``headers`` by names in small letters; ``local``: the connection is this machine's."""
        return cls(
            peer=peer,
            key=key_in(headers),
            local=local and is_our_own(headers),
            forwarded_for=_addresses(headers.get("x-forwarded-for", "")),
            agent=headers.get("user-agent", ""),
        )


def is_local(host: str) -> bool:
    """Whether a peer's address is of this machine."""
    try:
        return bool(ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def key_in(headers: Mapping[str, str]) -> str | None:
    """The key that a request shows: ``Authorization: Bearer KEY``, or ``x-api-key``."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    return headers.get("x-api-key", "").strip() or None


def _addresses(said: str) -> str:
    """The nearest of them, and nothing else that stands there."""
    found = []
    for hop in said.split(",")[-_MOST_HOPS:]:
        try:
            found.append(str(ipaddress.ip_address(hop.strip())))
        except ValueError:
            continue
    return ", ".join(found)
