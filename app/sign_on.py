"""What the API is told of the identity provider: who we are there, and how it is asked."""

import time
from collections.abc import Mapping
from typing import Final, TypedDict
from urllib.parse import urlsplit

from api.oidc.client import MOST_READ, Answered, Ask, Asked, Client, ProviderFailed
from app.settings import Settings
from jobs.delivery import destinations
from spend.channels.destinations import DestinationRefused

_SECONDS: Final = 8.0
"""For an answer: somebody waits."""


class _How(TypedDict):
    headers: Mapping[str, str]
    allow_private: bool
    until: float
    most_read: int


def client_of(settings: Settings) -> Client | None:
    """The provider of these settings; None: people sign in with keys."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    return Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        ask=asking(settings.oidc_issuer, allow_private=settings.allow_private_destinations),
        client_secret=settings.oidc_client_secret,
        scopes=settings.oidc_scopes,
        rules=settings.oidc_roles,
        groups_claim=settings.oidc_groups_claim,
    )


def asking(issuer: str, *, allow_private: bool) -> Ask:
    """Asks the provider over https, at a public address or at the issuer's own host and port.

    The issuer stands in the settings, so whoever runs this machine chose it, inside or not; what
    its discovery names was chosen by whoever answers there.
    """
    own = urlsplit(issuer)

    def ask(asked: Asked) -> Answered:
        to = urlsplit(asked.url)
        if to.scheme != "https" and not allow_private:
            raise ProviderFailed("it is to be asked over https")
        inside = allow_private or (to.hostname, to.port) == (own.hostname, own.port)
        until = time.monotonic() + _SECONDS
        how = _How(headers=asked.headers, allow_private=inside, until=until, most_read=MOST_READ)
        try:
            if asked.form is None:
                found = destinations.get(asked.url, **how)
            else:
                found = destinations.post_form(asked.url, asked.form, **how)
        except DestinationRefused as refused:
            raise ProviderFailed(f"it may not be asked: {refused}") from None
        except destinations.Unreachable as away:
            raise ProviderFailed(f"it does not answer: {away}") from None
        return Answered(found.status, found.body)

    return ask
