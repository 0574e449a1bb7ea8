"""What must hold before anything is served: free addresses, and keys where strangers can knock."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from app.addresses import Address
from app.errors import WrongSetting
from app.settings import PREFIX, Settings
from store.access.keys import has_keys
from store.postgres.sessions import Database

_BACKLOG: Final = 2048
"""Connections that wait to be taken; the kernel may hold it lower (net.core.somaxconn)."""


def addresses(settings: Settings) -> dict[str, Address]:
    """The addresses that these settings open, by the name of their setting."""
    always = {
        "OTLP_HTTP_ADDR": settings.otlp_http_addr,
        "OTLP_GRPC_ADDR": settings.otlp_grpc_addr,
        "API_ADDR": settings.api_addr,
    }
    return always if settings.jobs_addr is None else always | {"JOBS_ADDR": settings.jobs_addr}


def refuse_taken(doors: dict[str, Address], *, patience: float) -> None:
    """Raises WrongSetting for an address that another process listens at for so many seconds.

    Collectors share their port for gRPC (SO_REUSEPORT), so the kernel would not object to a second
    ``serve`` on another ledger: it would give each a part of the spans.
    """
    for name, address in doors.items():
        listen_patiently(name, address, patience=patience).close()


def listen_patiently(
    name: str, address: Address, *, patience: float = 0, shared: bool = False
) -> socket.socket:
    """A socket that listens at the address of a setting, once nobody else does.

    Raises WrongSetting after ``patience`` seconds. ``shared``: others that say so too may listen.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return listen(address, shared=shared)
        except OSError as error:
            if time.monotonic() > deadline:
                raise WrongSetting(
                    f"{PREFIX}{name}: {error.strerror} (another spanledger, or an "
                    "OpenTelemetry Collector?); another port will do, and 0 picks a free one"
                ) from None
            time.sleep(0.1)


@contextmanager
def otlp_http_door(
    settings: Settings, *, patience: float = 0, shared: bool = False
) -> Iterator[tuple[Settings, socket.socket]]:
    """The socket at OTLP_HTTP_ADDR, which listens, and the settings with its port.

    The parent holds it for as long as it lives: while no worker is there, senders wait in its queue
    and are not refused. Raises WrongSetting where somebody else listens.
    """
    address = settings.otlp_http_addr
    with listen_patiently("OTLP_HTTP_ADDR", address, patience=patience, shared=shared) as listener:
        known = Address(address.host, listener.getsockname()[1])
        yield settings.model_copy(update={"otlp_http_addr": known}), listener


@contextmanager
def chosen_ports(settings: Settings) -> Iterator[Settings]:
    """The settings with a free port for each port 0, kept free for the parts inside the block.

    So every part knows where the others are: the API shows where spans go, an alert links to the
    API.
    """
    chosen: dict[str, Address] = {}
    with ExitStack() as reserved:
        for name, address in addresses(settings).items():
            if address.port:
                continue
            # Bound and not listening: on Linux a part may bind there too, strangers are given
            # other ports.
            holder = reserved.enter_context(_bound(address, shared=name == "OTLP_GRPC_ADDR"))
            chosen[name.lower()] = Address(address.host, holder.getsockname()[1])
        if sys.platform != "linux":
            reserved.close()
        yield settings.model_copy(update=chosen)


def refuse_strangers(
    doors: dict[str, Address], database: Database, *, people_sign_in: bool = False
) -> None:
    """Raises WrongSetting where somebody beyond this machine could come in without a key.

    ``people_sign_in``: through a provider; then the API asks everybody who they are, keys or not.
    """
    beyond = [
        (name, address)
        for name, address in doors.items()
        if not (address.is_loopback or (people_sign_in and name == "API_ADDR"))
    ]
    if not beyond:
        return
    with database.read() as session:
        if has_keys(session):
            return
    name, address = beyond[0]
    raise WrongSetting(
        f"{PREFIX}{name}: {address} can be reached from beyond this machine, and there is no key "
        "yet: make one first (spanledger keys create --kind admin --name me), or stay on 127.0.0.1"
    )


def listen(address: Address, *, shared: bool = False) -> socket.socket:
    """A socket that listens at an address. Raises OSError, naming it."""
    listener = _bound(address, shared=shared)
    try:
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen at {address}: {error.strerror}") from None
    return listener


def _bound(address: Address, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared and hasattr(socket, "SO_REUSEPORT"):
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((address.host, address.port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"cannot listen at {address}: {error.strerror}") from None
    return bound
