"""Believes what proxies say of a request, those alone that the settings trust.

``X-Forwarded-For``, ``-Proto`` and ``-Host`` of anybody else are nothing: whoever may say where
they come from writes the record of changes, and is never counted as one who tries keys.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from spend.access.networks import Network

_MOST_HOPS: Final = 50
_SCHEMES: Final = frozenset({b"http", b"https"})


class TrustedProxies:
    """ASGI middleware: a request looks as it did to the first proxy that is not trusted."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app = app
        self._trusted = tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, rewritten where a trusted proxy sent it."""
        if scope["type"] == "http" and self._trusts((scope.get("client") or ("", 0))[0]):
            scope = self._as_it_was(scope)
        await self._app(scope, receive, send)

    def _as_it_was(self, scope: Scope) -> Scope:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)
        changed = dict(scope)
        hops = b",".join(headers.get(b"x-forwarded-for", ())).split(b",")[-_MOST_HOPS:]
        # The nearest stands last. What is left of the first stranger, that stranger wrote.
        for hop in reversed(hops):
            address = _address(hop.decode("latin-1").strip())
            if address is None:
                break
            changed["client"] = (address, 0)
            if not self._trusts(address):
                break
        scheme = b",".join(headers.get(b"x-forwarded-proto", ())).split(b",")[-1].strip().lower()
        if scheme in _SCHEMES:
            changed["scheme"] = scheme.decode()
        host = b",".join(headers.get(b"x-forwarded-host", ())).split(b",")[-1].strip()
        if host:
            others = [each for each in scope["headers"] if each[0] != b"host"]
            changed["headers"] = [(b"host", host), *others]
        return changed

    def _trusts(self, address: str) -> bool:
        if not self._trusted:
            return False
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._trusted)


def _address(said: str) -> str | None:
    """An address as proxies write it, some with a port: 192.0.2.1, 192.0.2.1:443, [2001:db8::1]."""
    bare = said[1:].partition("]")[0] if said.startswith("[") else said
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
