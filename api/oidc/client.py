"""What we are to an identity provider, and how it is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from spend.access.group_roles import GroupRoles

MOST_READ: Final = 512 * 1024
"""Bytes of an answer: a key set of hundreds of keys, or a token of thousands of groups."""


class ProviderFailed(Exception):  # noqa: N818 - told to whoever signs in
    """The provider did not answer as it should: its text is for the log, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a provider. A form is posted, otherwise it is got."""

    url: str
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """What it answered: the beginning, at most MOST_READ bytes."""

    status: int
    body: bytes


Ask = Callable[[Asked], Answered]
"""Asks a provider, within seconds, and no address but its own. Raises ProviderFailed."""


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to the provider."""

    issuer: str
    """Its address, exactly as it stands in its tokens."""
    client_id: str
    ask: Ask = field(repr=False)
    client_secret: str | None = field(default=None, repr=False)
    """None: a public client, which proves itself by PKCE alone."""
    scopes: str = "openid email profile"
    rules: GroupRoles = ()
    groups_claim: str = "groups"
    """Whose values are groups; with points where it lies deeper."""
