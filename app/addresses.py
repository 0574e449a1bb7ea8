"""Where a server listens, host and port, and where one is asked, a URL: as people give them."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it. A name other than localhost is not trusted."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url_of(self, scheme: str) -> str:
        """Where somebody on this machine finds it, as URL."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared, not bound
        return f"{scheme}://{Address(everywhere.get(self.host, self.host), self.port)}"


def parse_address(text: str) -> Address:
    """``host:port`` or ``[ipv6]:port``. Raises ValueError saying what is wrong."""
    if "://" in text:
        raise ValueError(f"write host:port without {text.partition('://')[0]}://")
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host:
        raise ValueError("write host:port, such as 127.0.0.1:4318")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        ipaddress.IPv6Address(host)
    elif ":" in host:
        raise ValueError("write an IPv6 host in brackets, such as [::1]:4318")
    if not (port.isascii() and port.isdigit()) or int(port) > _HIGHEST_PORT:
        raise ValueError(f"port {port!r} is not a number from 0 to {_HIGHEST_PORT}")
    return Address(host, int(port))


def server_url(text: str) -> str:
    """``http`` or ``https``, a host, perhaps a port and a path: without a slash at its end.

    Raises ValueError saying what is wrong. It repeats nothing of it, which may hold a password.
    """
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        known = parts.scheme in {"http", "https"} and host and parts.port != 0
        if ":" in host or re.fullmatch(r"[0-9.]+", host):
            ipaddress.ip_address(host)
    except ValueError:
        known = False
    # urlsplit leaves line breaks out, and takes spaces.
    if not known or not re.fullmatch(r"[!-~]+", url):
        raise ValueError("write http://host:port or https://host")
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("an address alone, without user, ? and #")
    return url
