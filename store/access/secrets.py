"""Seals what must not stand readable in the database: URLs of webhooks, tokens, keys.

Sealed with a key that is derived from the pepper (``app/pepper.py``), which the database does not
know: a stolen copy of a table, or of a backup, sends nothing to anybody.
Sources: RFC 5869 (HKDF); the Fernet specification (AES-128-CBC with HMAC-SHA256).
"""

import base64
import re
import secrets
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK: Final = "sealed:1:"
SHOWN: Final = 4

_PURPOSE: Final = b"spanledger: secrets of channels, 1"
# The last characters stand beside the mark, so that they can be shown without opening it.
_SEALED: Final = re.compile(
    rf"{MARK}(?P<last4>.{{0,{SHOWN}}}):(?P<token>[A-Za-z0-9_=-]+)", re.DOTALL
)


class SealedElsewhere(Exception):  # noqa: N818  # a state of the settings, mended by a person
    """A secret was sealed with another pepper: set that one, or enter the secret again."""


class Seal:
    """Seals and opens secrets. Two with the same pepper open each other's."""

    def __init__(self, pepper: bytes) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(pepper)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def sealed(self, secret: str, *, shown: int = SHOWN) -> str:
        """A secret as the database may hold it, its last characters readable; differs each time."""
        token = self._fernet.encrypt(secret.encode()).decode()
        return f"{MARK}{secret[len(secret) - shown :]}:{token}"

    def opened(self, kept: str) -> str:
        """The secret that was sealed; what was kept before there were seals is as it is.

        Raises SealedElsewhere.
        """
        found = _SEALED.fullmatch(kept)
        if found is None:
            return kept
        try:
            return self._fernet.decrypt(found["token"]).decode()
        except InvalidToken:
            raise SealedElsewhere(
                "a secret was sealed with another pepper: SPANLEDGER_KEY_PEPPER (or key.pepper in "
                "SPANLEDGER_DATA_DIR) is not the one of the machine that saved it"
            ) from None


def new_signing_key() -> str:
    """A key to sign messages with, as the Standard Webhooks specification writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def last4(kept: str) -> str:
    """The last characters of a secret, sealed or not: all that is ever shown of it."""
    found = _SEALED.fullmatch(kept)
    return kept[-SHOWN:] if found is None else found["last4"]
