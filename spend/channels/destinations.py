"""Where a message may be sent: the rule that keeps webhooks from reaching into our own network.

Whoever may set a webhook makes this machine send a request, so an address of the inside (another
service, a cloud's metadata) is refused: as it is written, when it is saved; and as it resolves,
each time it is connected to, since a name can point elsewhere by then.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 2_000
DEFAULT_PORTS: Final = {"https": 443, "http": 80}

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# What a resolver takes for a number although no label of a name ends like that: 0x7f, 0177.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_INSIDE_NAMES: Final = ("localhost", "local", "internal", "intranet", "lan", "home.arpa")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_IPV6_OUTSIDE: Final = ipaddress.ip_network("2000::/3")
# Protocol assignments, documentation, and relays that unwrap an IPv4 address: Python calls some of
# them global, depending on its version.
_NOBODY: Final = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"),
    )
)
# The metadata services of clouds that are not link-local.
_METADATA: Final = tuple(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))


class DestinationRefused(ValueError):  # noqa: N818  # a refusal, told to whoever set it
    """A message may not be sent there: its text says why, and holds nothing of the secret URL."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that may be connected to, once its addresses have been looked at."""

    scheme: str
    host: str
    """Lower case; of an IPv6 address without brackets."""
    port: int
    target: str
    """Path and query."""


def destination(url: str, *, allow_private: bool) -> Destination:
    """What a URL says, if a message may be sent there; DestinationRefused if not.

    https at port 443 of a public name or address, without user or password. ``allow_private``
    lets http, other ports and inside names pass too.
    """
    if len(url) > LONGEST:
        raise DestinationRefused(f"the URL is longer than {LONGEST} characters")
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise DestinationRefused("the URL holds a space, a backslash or a letter beyond ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DestinationRefused("this is not a URL") from None
    if parts.scheme not in ({"https", "http"} if allow_private else {"https"}):
        raise DestinationRefused("the URL must begin with https://")
    if "@" in parts.netloc:
        raise DestinationRefused("the URL must not hold a user or password")
    if parts.fragment:
        raise DestinationRefused("the URL must not hold a fragment (#)")
    port = port or DEFAULT_PORTS[parts.scheme]
    if port != DEFAULT_PORTS["https"] and not allow_private:
        raise DestinationRefused(f"port {port}: a webhook is reached at port 443")
    host = (parts.hostname or "").lower()
    _check_host(host, bracketed="[" in parts.netloc, allow_private=allow_private)
    query = f"?{parts.query}" if parts.query else ""
    return Destination(parts.scheme, host, port, (parts.path or "/") + query)


def check_address(address: str, *, allow_private: bool) -> None:
    """Refuses (DestinationRefused) a numeric address that is not of the public internet.

    With ``allow_private`` only link-local (the clouds' metadata services) and what is no address
    of one machine are refused.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise DestinationRefused("this is not an address") from None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        # The socket connects to the IPv4 address inside.
        found = found.ipv4_mapped
    if found.is_link_local or found.is_multicast or found.is_unspecified or found in _METADATA:
        raise DestinationRefused("its address is link-local, multicast or nobody's")
    if not allow_private and not _is_public(found):
        raise DestinationRefused("its address is not of the public internet")


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _IPV6_OUTSIDE:
        return False
    special = any(address in network for network in _NOBODY)
    return address.is_global and not address.is_reserved and not special


def _check_host(host: str, *, bracketed: bool, allow_private: bool) -> None:
    if not host:
        raise DestinationRefused("the URL names no host")
    if bracketed:
        if "%" in host:
            raise DestinationRefused("the URL must not hold a zone of an address (%)")
        check_address(host, allow_private=allow_private)
        return
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise DestinationRefused("the host is not a name such as hooks.slack.com")
    if _NUMBER.fullmatch(labels[-1]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to a resolver; four plain numbers are
        # the only form that says what it is.
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise DestinationRefused("the host is an address in an unusual form") from None
        check_address(host, allow_private=allow_private)
        return
    inside = len(labels) == 1 or any(
        host == name or host.endswith(f".{name}") for name in _INSIDE_NAMES
    )
    if inside and not allow_private:
        raise DestinationRefused("the host is a name of the inside, not of the public internet")
