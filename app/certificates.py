"""How long certificates are good: of files, and of what a door shows."""

import socket
import ssl
from datetime import UTC
from importlib import import_module
from pathlib import Path
from typing import Any

from app.addresses import Address
from store.metrics.metric_text import Validity


def of_file(file: Path) -> Validity | None:
    """Of the first certificate in a PEM file, which is the one that is shown.

    None: it cannot be read. What else is in there may be over without harm.
    """
    return next(iter(_in(file)), None)


def of_authorities(file: Path) -> Validity | None:
    """Of the authority in a PEM file that is good for longest."""
    return max(_in(file), key=lambda each: each.ends, default=None)


def shown_at(address: Address, *, seconds: float = 2.0) -> Validity | None:
    """Of the one that a door shows; None: there is no door, or it shows none that can be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Looked at, and not relied on: it may be over, and by whomever it is signed.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    where = address.host, address.port
    try:
        with (
            socket.create_connection(where, timeout=seconds) as line,
            context.wrap_socket(line) as spoken,
        ):
            shown = spoken.getpeercert(binary_form=True)
    except OSError:
        return None
    read = _read(ssl.DER_cert_to_PEM_cert(shown).encode()) if shown else []
    return next(iter(read), None)


def _in(file: Path) -> list[Validity]:
    try:
        return _read(file.read_bytes())
    except OSError:
        return []


def _read(pem: bytes) -> list[Validity]:
    x509 = _x509()
    try:
        return [_validity(each) for each in x509.load_pem_x509_certificates(pem)]
    except (ValueError, x509.InvalidVersion):
        # OpenSSL takes some that are not as RFC 5280 wants them: doors show those as well.
        return []


def _x509() -> Any:
    # Takes 30 ms to load, which only those wait for who speak TLS.
    return import_module("cryptography.x509")


def _validity(certificate: Any) -> Validity:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Validity(begins.astimezone(UTC), ends.astimezone(UTC))
