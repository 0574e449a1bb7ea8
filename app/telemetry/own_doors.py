"""Refuses to tell ourselves: what we send to our own door would be heard, and tell nobody anything.

An address is ours where its port is one of our doors' and its host is this machine, by whatever
name. What stands in front of us on another machine, or passes everything on to us, cannot be known
from here: collector/batches.py keeps that from going round in circles.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from app.addresses import Address
from app.errors import WrongSetting
from app.settings import PREFIX, Settings

_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared, not bound
_PORTS: Final = {"http": 80, "https": 443}


def refuse_own_doors(settings: Settings) -> None:
    """Raises WrongSetting where traces or metrics of ours would be sent to a door of ours."""
    for name in ("TELEMETRY_ENDPOINT", "EXPORT_ENDPOINT"):
        url: str | None = getattr(settings, name.lower())
        if url is None:
            continue
        for door in ("OTLP_HTTP_ADDR", "OTLP_GRPC_ADDR", "API_ADDR", "JOBS_ADDR"):
            address: Address | None = getattr(settings, door.lower())
            if address is not None and _leads_to(url, address):
                raise WrongSetting(
                    f"{PREFIX}{name}: that is our own {PREFIX}{door}. spanledger keeps calls of "
                    "models, and would drop what it tells of itself: name another receiver"
                )


def _leads_to(url: str, door: Address) -> bool:
    parts = urlsplit(url)
    if (parts.port or _PORTS[parts.scheme]) != door.port:
        return False
    ours = set(_addresses_of(door.host))
    return any(
        each in ours or (door.host in _EVERYWHERE and _is_of_this_machine(each))
        for each in _addresses_of(parts.hostname or "")
    )


def _addresses_of(host: str) -> Iterator[str]:
    # A name that nobody knows now cannot be told.
    with suppress(OSError, UnicodeError):
        for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            address = ipaddress.ip_address(str(entry[4][0]).partition("%")[0])
            # ::ffff:127.0.0.1 is connected to as 127.0.0.1.
            yield str(getattr(address, "ipv4_mapped", None) or address)


def _is_of_this_machine(address: str) -> bool:
    """Only a machine's own addresses can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as own:
        own.bind((address, 0))
        return True
    return False
