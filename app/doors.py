"""What must hold before anything listens: free addresses, and keys where strangers can knock."""

import socket
import time

from app.addresses import Address
from app.settings import PREFIX, Settings, WrongSetting
from store.keys import has_keys
from store.sessions import Database


def addresses(settings: Settings) -> dict[str, Address]:
    """The addresses that these settings open, by the name of their setting."""
    return {
        "OTLP_HTTP_ADDR": settings.otlp_http_addr,
        "OTLP_GRPC_ADDR": settings.otlp_grpc_addr,
        "API_ADDR": settings.api_addr,
    }


def refuse_taken(doors: dict[str, Address], *, patience: float) -> None:
    """Raises WrongSetting for an address that another process listens at for so many seconds.

    Collectors share theirs (SO_REUSEPORT), so the kernel would not object to a second ``serve``
    on another ledger: it would give each a part of the spans.
    """
    deadline = time.monotonic() + patience
    for name, address in doors.items():
        while True:
            try:
                listen(address).close()
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise WrongSetting(
                        f"{PREFIX}{name}: {error.strerror} (another spanledger, or an "
                        "OpenTelemetry Collector?); another port will do, and 0 picks a free one"
                    ) from None
                time.sleep(0.1)


def refuse_strangers(doors: dict[str, Address], database: Database) -> None:
    """Raises WrongSetting where somebody beyond this machine could come in without a key."""
    beyond = [(name, address) for name, address in doors.items() if not address.is_loopback]
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


def listen(address: Address) -> socket.socket:
    """A socket that listens at an address. Raises OSError, naming it."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen at {address}: {error.strerror}") from None
    return listener
