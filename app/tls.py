"""TLS for our doors: one certificate, read again when its file changes.

Not earlier than TLS 1.2 (RFC 9325).
"""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Final

import grpc
import structlog

from app.certificates import of_authorities, of_file
from app.settings import Settings
from collector.serve import Tls
from store.metrics.metric_text import Validity

log = structlog.get_logger(__name__)

_LOOK: Final = 30.0
"""Seconds between two looks whether the files changed."""


def server_context(settings: Settings, *, clients: bool = False) -> ssl.SSLContext | None:
    """What a door of HTTP speaks TLS with; None: it speaks none.

    ``clients``: they show a certificate, if the settings say who signs them.
    """
    if settings.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    if clients and settings.tls_client_ca is not None:
        context.load_verify_locations(settings.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Shown:
    """The certificates that this process shows, which change while it runs. Any thread may ask."""

    def __init__(self) -> None:
        self._shown: dict[str, Validity] = {}

    def now(self, what: str, validity: Validity | None) -> None:
        """From now on this one is shown there; None: nobody knows how long it is good."""
        rest = {name: each for name, each in self._shown.items() if name != what}
        self._shown = rest if validity is None else {**rest, what: validity}

    def __call__(self) -> Mapping[str, Validity]:
        """Each by where it is shown."""
        return self._shown


def doors_tls(settings: Settings, stop: Event) -> Tls | None:
    """What the collector's doors speak, that of HTTP kept fresh until told to stop; None: none."""
    context = server_context(settings, clients=True)
    if context is None or settings.tls_cert is None or settings.tls_key is None:
        return None
    shown = keep_fresh(settings, context, stop, door="http")
    shown.now("grpc", of_file(settings.tls_cert))
    if settings.tls_client_ca:
        shown.now("senders", of_authorities(settings.tls_client_ca))
    pair = settings.tls_key.read_bytes(), settings.tls_cert.read_bytes()
    ca = settings.tls_client_ca.read_bytes() if settings.tls_client_ca else None
    # Not those that ask for a new one before each handshake: under asyncio they never end it.
    credentials = grpc.ssl_server_credentials([pair], ca, require_client_auth=ca is not None)
    return Tls(context, credentials, shown)


def keep_fresh(
    settings: Settings, context: ssl.SSLContext | None, stop: Event, *, door: str
) -> Shown:
    """Gives a context the new certificate when there is one, until told to stop.

    Connections that are open go on; the next ones are shown the new one. What is shown, by the name
    of the ``door``, it gives.
    """
    shown = Shown()
    if context is None or settings.tls_cert is None or settings.tls_key is None:
        return shown
    cert, files = settings.tls_cert, (settings.tls_cert, settings.tls_key)
    shown.now(door, of_file(cert))

    def load() -> None:
        # Elsewhere first: half of a pair would stay in the context.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
        context.load_cert_chain(*files)
        shown.now(door, of_file(cert))

    Thread(target=_watch, args=[files, load, stop], daemon=True).start()
    return shown


def _watch(files: tuple[Path, ...], load: Callable[[], None], stop: Event) -> None:
    known = _state(files)
    while not stop.wait(_LOOK):
        now = _state(files)
        if now == known:
            continue
        try:
            load()
        except (ssl.SSLError, OSError) as error:
            # Perhaps one of two is written by now: the next look finds both.
            log.warning("the new certificate cannot be used, the old one goes on", why=str(error))
        else:
            known = now
            log.info("the certificate is new")


def _state(files: tuple[Path, ...]) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for file in files:
        try:
            stat = file.stat()
            found.append((stat.st_mtime_ns, stat.st_ino))
        except OSError:
            found.append(None)
    return found
