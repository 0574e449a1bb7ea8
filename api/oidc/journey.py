"""The way of a browser to the provider and back: state, nonce and PKCE, sealed in its cookie.

Whoever comes back without the cookie did not begin here: an answer that somebody else was given
signs nobody in.
Sources: RFC 6749, 10.12; RFC 7636 (PKCE); RFC 9700 (best practices).
"""

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from api.oidc.provider import Provider
from store.access.secrets import MARK, Seal, SealedElsewhere

SECONDS: Final = 600
"""That somebody has to sign in there."""
_PURPOSE: Final = "signing in"


@dataclass(frozen=True, slots=True)
class Journey:
    """One attempt to sign in."""

    state: str
    nonce: str
    verifier: str
    back: str
    """Where to go afterwards: a path of ours."""
    until: float
    """Seconds since 1970."""
    purpose: str = _PURPOSE


def begun(back: str, now: datetime) -> Journey:
    """A new one."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Journey(state, nonce, verifier, back, now.timestamp() + SECONDS)


def sealed(journey: Journey, seal: Seal) -> str:
    """What the cookie holds."""
    return seal.sealed(json.dumps(asdict(journey)), shown=0).removeprefix(f"{MARK}:")


def opened(cookie: str | None, seal: Seal, now: datetime) -> Journey | None:
    """The journey that a browser is on; None: none, or it took too long."""
    if cookie is None:
        return None
    try:
        said = json.loads(seal.opened(f"{MARK}:{cookie}"))
        journey = Journey(**said)
    except (SealedElsewhere, ValueError, TypeError):
        return None
    # Secrets of channels are sealed with the same key: none of them is one of these.
    in_time = journey.purpose == _PURPOSE and now.timestamp() < journey.until
    return journey if in_time else None


def is_of(journey: Journey, state: str) -> bool:
    """Whether an answer is to this journey."""
    return hmac.compare_digest(journey.state.encode(), state.encode())


def address(journey: Journey, provider: Provider, callback: str) -> str:
    """Where to send the browser. Raises ProviderFailed."""
    client = provider.client
    return str(
        prepare_grant_uri(
            provider.metadata().authorization_endpoint,
            client.client_id,
            "code",
            redirect_uri=callback,
            scope=client.scopes,
            state=journey.state,
            nonce=journey.nonce,
            code_challenge=create_s256_code_challenge(journey.verifier),
            code_challenge_method="S256",
        )
    )
