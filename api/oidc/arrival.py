"""Redeems the code that a browser came back with: who it is, and in which groups."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from api.oidc.client import Asked, ProviderFailed
from api.oidc.journey import Journey
from api.oidc.provider import Provider, asked_for_json
from api.oidc.tokens import claims_of
from spend.access.group_roles import EVERYONE, roles_of
from spend.access.roles import Role
from spend.checked_fields import UNSTORABLE

LONGEST_NAME: Final = 200
LONGEST_CODE: Final = 4000
MOST_GROUPS: Final = 10_000
_OF_MAIL: Final = ("email", "email_verified")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody whom the provider knows."""

    issuer: str
    subject: str
    name: str
    email: str | None
    """Only where the provider made sure that it is theirs."""
    roles: frozenset[Role]
    """That their groups stand for."""


def answered(provider: Provider, said: Mapping[str, str]) -> str:
    """The code in what the browser came back with. Raises ProviderFailed."""
    issuer = said.get("iss")
    # Who answers must be who was asked (RFC 9207): else one provider could pass on another's code.
    if issuer != provider.client.issuer and (issuer or provider.metadata().names_itself):
        raise ProviderFailed("the answer is of another issuer")
    error, code = said.get("error", ""), said.get("code", "")
    if error or not 0 < len(code) <= LONGEST_CODE:
        known = error.isascii() and error.replace("_", "").isalnum()
        raise ProviderFailed(f"it says {error[:60] if known else 'no code'}")
    return code


def arrived(
    provider: Provider, journey: Journey, code: str, callback: str, now: datetime
) -> Arrival:
    """Whoever came back with this code. Raises ProviderFailed, TokenRefused."""
    client = provider.client
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback,
        "code_verifier": journey.verifier,
        "client_id": client.client_id,
    }
    headers: dict[str, str] = {"Accept": "application/json"}
    metadata = provider.metadata()
    if client.client_secret and metadata.posts_secret:
        form["client_secret"] = client.client_secret
    elif client.client_secret:
        del form["client_id"]
        headers["Authorization"] = _basic(client.client_id, client.client_secret)
    tokens = asked_for_json(client, Asked(metadata.token_endpoint, form, headers))
    said = tokens.get("access_token")
    # It goes into a header.
    written = isinstance(said, str) and said.isascii() and said.isprintable()
    access_token = str(said) if written else None
    claims = claims_of(
        tokens.get("id_token"), provider, nonce=journey.nonce, access_token=access_token, now=now
    )
    if access_token and metadata.userinfo_endpoint and _lacks(claims, provider):
        claims = _more(provider, metadata.userinfo_endpoint, access_token, claims)
    return _arrival(claims, provider)


def _arrival(claims: Mapping[str, Any], provider: Provider) -> Arrival:
    from_claims = groups_in(claims, provider.client.groups_claim)
    subject = str(claims["sub"])
    email = _text(claims.get("email")) if claims.get("email_verified") is True else None
    names = (claims.get(each) for each in ("name", "preferred_username", "email"))
    name = next(filter(None, map(_text, names)), subject)
    return Arrival(
        issuer=provider.client.issuer,
        subject=subject,
        name=name[:LONGEST_NAME],
        email=email[:LONGEST_NAME] if email else None,
        roles=roles_of(from_claims, provider.client.rules),
    )


def groups_in(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The groups that a claim names: a list, or one text.

    >>> groups_in({"realm_access": {"roles": ["a"]}}, "realm_access.roles")
    frozenset({'a'})
    """
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    values = [found] if isinstance(found, str) else found
    if not isinstance(values, list):
        return frozenset()
    # A provider cannot put anybody into everybody's place: that is ours to say.
    return frozenset(each for each in values[:MOST_GROUPS] if isinstance(each, str)) - {EVERYONE}


def _lacks(claims: Mapping[str, Any], provider: Provider) -> bool:
    """Whether the provider may tell elsewhere what its token does not."""
    wants_groups = any(group != EVERYONE for group, _ in provider.client.rules)
    groups = groups_in(claims, provider.client.groups_claim)
    return (wants_groups and not groups) or not (claims.get("email") and claims.get("name"))


def _more(
    provider: Provider, url: str, access_token: str, claims: dict[str, Any]
) -> dict[str, Any]:
    told = asked_for_json(
        provider.client, Asked(url, headers={"Authorization": f"Bearer {access_token}"})
    )
    # Whose it is, the token says: another's would be theirs.
    if told.get("sub") != claims["sub"]:
        raise ProviderFailed("its user info is of somebody else")
    # That it made sure of an address, it says of the one beside.
    of_mail = {} if "email" in claims else {name: told.get(name) for name in _OF_MAIL}
    return told | claims | of_mail


def _basic(client_id: str, secret: str) -> str:
    # RFC 6749, 2.3.1: each is written as in a form first.
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    plain = UNSTORABLE.sub("", value).strip()
    return plain if plain.isprintable() and plain else None
