"""What a provider says of itself: where to send people, where to redeem codes, its public keys.

Asked when somebody signs in, and remembered; a key that is not known is asked for once a minute.
Sources: OpenID Connect Discovery 1.0; RFC 8414; RFC 9207 (the issuer in the answer).
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from authlib.oidc.discovery import get_well_known_url

from api.oidc.client import MOST_READ, Asked, Client, ProviderFailed

FRESH: Final = 3600.0
"""Seconds for which what was read is good."""
AGAIN: Final = 60.0
"""Seconds between two looks for a key that is not there."""
PAUSE: Final = 10.0
"""Seconds for which a provider that failed is not asked again."""
AT_ONCE: Final = 12
"""Who may wait for it at a time: the API has some forty threads, and answers others, too."""
MOST_KEYS: Final = 200
_WELL: Final = 200

Json = dict[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What discovery says."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    posts_secret: bool
    """Whether the secret goes into the form; otherwise into a header."""
    names_itself: bool
    """Whether its answers carry ``iss``."""


class Provider:
    """One provider, as it was read last. Any thread may ask. Methods raise ProviderFailed."""

    def __init__(self, client: Client, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._monotonic = monotonic
        self._lock = Lock()
        self._metadata: Metadata | None = None
        self._metadata_at = 0.0
        self._keys: tuple[Json, ...] = ()
        self._keys_at: float | None = None
        self._failed_at: float | None = None
        self._turns = BoundedSemaphore(AT_ONCE)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A place among those that ask it, or wait for who asks; nobody waits for a place."""
        if not self._turns.acquire(blocking=False):
            raise ProviderFailed(f"{AT_ONCE} wait for its answers as it is")
        try:
            yield
        finally:
            self._turns.release()

    def metadata(self) -> Metadata:
        """Where everything is."""
        with self._lock:
            now = self._monotonic()
            if self._metadata is None or now - self._metadata_at > FRESH:
                found = self._once(lambda: _metadata(self.client))
                self._metadata, self._metadata_at = found, now
            return self._metadata

    def keys(self, kid: str | None) -> tuple[Json, ...]:
        """Its public keys (JWKs): of this id, or all where a token names none."""
        uri = self.metadata().jwks_uri
        with self._lock:
            now = self._monotonic()
            age = float("inf") if self._keys_at is None else now - self._keys_at
            if age > FRESH or (age > AGAIN and not _of(self._keys, kid)):
                self._keys, self._keys_at = self._once(lambda: _keys(self.client, uri)), now
            return _of(self._keys, kid)

    def _once(self, look: Callable[[], Found]) -> Found:
        """Looks, unless that failed a moment ago: threads must not queue up for a dead provider."""
        now = self._monotonic()
        if self._failed_at is not None and now - self._failed_at < PAUSE:
            raise ProviderFailed("it failed a moment ago, and is not asked again at once")
        try:
            found = look()
        except ProviderFailed:
            self._failed_at = self._monotonic()
            raise
        self._failed_at = None
        return found


def asked_for_json(client: Client, asked: Asked) -> Json:
    """An answer that is a JSON object. Raises ProviderFailed."""
    answered = client.ask(asked)
    if answered.status != _WELL:
        raise ProviderFailed(f"it answered {answered.status}{_error_in(answered.body)}")
    if len(answered.body) >= MOST_READ:
        raise ProviderFailed(f"its answer is larger than {MOST_READ} bytes")
    return _object(answered.body)


def _metadata(client: Client) -> Metadata:
    said = asked_for_json(client, Asked(get_well_known_url(client.issuer, external=True)))
    # Byte for byte: another issuer behind the same address is another one.
    if said.get("issuer") != client.issuer:
        raise ProviderFailed("its discovery names another issuer than the settings do")
    methods = _texts(said.get("token_endpoint_auth_methods_supported"))
    return Metadata(
        authorization_endpoint=_url(said, "authorization_endpoint", client),
        token_endpoint=_url(said, "token_endpoint", client),
        jwks_uri=_url(said, "jwks_uri", client),
        userinfo_endpoint=(
            _url(said, "userinfo_endpoint", client) if said.get("userinfo_endpoint") else None
        ),
        posts_secret="client_secret_post" in methods and "client_secret_basic" not in methods,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _keys(client: Client, uri: str) -> tuple[Json, ...]:
    said = asked_for_json(client, Asked(uri)).get("keys")
    if not isinstance(said, list):
        raise ProviderFailed("its key set has no keys")
    found = [each for each in said[:MOST_KEYS] if isinstance(each, dict)]
    # A symmetric key in public is nobody's secret, and what is for encryption signs nothing.
    return tuple(
        each
        for each in found
        if each.get("kty") in ("RSA", "EC", "OKP") and each.get("use", "sig") == "sig"
    )


def _of(keys: tuple[Json, ...], kid: str | None) -> tuple[Json, ...]:
    return keys if kid is None else tuple(each for each in keys if each.get("kid") == kid)


def _url(said: Mapping[str, Any], name: str, client: Client) -> str:
    url = said.get(name)
    begins = ("https://", "http://") if client.issuer.startswith("http://") else ("https://",)
    if isinstance(url, str) and url.startswith(begins) and _leads_somewhere(url):
        return url
    raise ProviderFailed(f"its discovery has no {name} over https")


def _leads_somewhere(url: str) -> bool:
    try:
        return url.isascii() and url.isprintable() and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _object(body: bytes) -> Json:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderFailed("its answer is no JSON") from None
    if not isinstance(said, dict):
        raise ProviderFailed("its answer is no JSON object")
    return said


def _error_in(body: bytes) -> str:
    """The code of an OAuth error (RFC 6749, 5.2): letters alone, as somebody else wrote it."""
    try:
        code = _object(body[:10_000]).get("error")
    except ProviderFailed:
        return ""
    plain = isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum()
    return f" ({str(code)[:60]})" if plain else ""
