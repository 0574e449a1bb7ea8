"""Where a server listens: host and port, as a setting gives them."""

import ipaddress
from dataclasses import dataclass

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
