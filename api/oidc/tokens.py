"""Takes an ID token apart, and believes it only where everything about it is right.

Sources: OpenID Connect Core 1.0, 3.1.3.7; RFC 8725 (best practices for JWTs).
"""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from api.oidc.client import ProviderFailed
from api.oidc.provider import Provider

ALGORITHMS: Final = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
"""By kind of key, so a public key is never taken for the secret of an HMAC. Never ``none``."""
LEEWAY: Final = 60
"""Seconds that two clocks may differ."""
OLDEST: Final = 600
"""Seconds ago that a token may have been made: it is fetched as soon as it is."""
LONGEST: Final = 64 * 1024
LONGEST_SUBJECT: Final = 255
LAST: Final = 1e12
"""Seconds since 1970: whole numbers of hundreds of digits cannot even be compared with a time."""
_PARTS: Final = 3

Claims = dict[str, Any]


class TokenRefused(ProviderFailed):
    """A token that is not to be believed: its text says why, for the log."""


def claims_of(
    token: object, provider: Provider, *, nonce: str, access_token: str | None, now: datetime
) -> Claims:
    """What an ID token says, checked. Raises TokenRefused, ProviderFailed."""
    if not isinstance(token, str) or len(token) > LONGEST:
        raise TokenRefused("there is no ID token in the answer")
    header = _header(token)
    claims = _verified(token, header, provider)
    _check(claims, provider, nonce=nonce, now=now)
    client_id = provider.client.client_id
    params = {"client_id": client_id, "nonce": nonce, "access_token": access_token}
    try:
        CodeIDToken(claims, header, params=params).validate(int(now.timestamp()), LEEWAY)
    except JoseError as error:
        raise TokenRefused(f"its claims are not right: {type(error).__name__}") from None
    return claims


def _header(token: str) -> Claims:
    parts = token.split(".")
    try:
        first = base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))
        header = json.loads(first)
    except (ValueError, RecursionError):
        header = None
    if len(parts) != _PARTS or not isinstance(header, dict):
        raise TokenRefused("the ID token is none")
    return header


def _verified(token: str, header: Mapping[str, Any], provider: Provider) -> Claims:
    alg, kid = header.get("alg"), header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise TokenRefused("its key has no name")
    if not any(alg in known for known in ALGORITHMS.values()):
        raise TokenRefused("it is not signed in a way that we take")
    for each in provider.keys(kid):
        fits = alg in ALGORITHMS[each["kty"]] and each.get("alg", alg) == alg
        if not fits:
            continue
        try:
            public = {name: value for name, value in each.items() if name != "key_ops"}
            claims = jwt.decode(token, import_key(public), algorithms=[str(alg)]).claims
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        return dict(claims)
    raise TokenRefused("none of the provider's keys has signed it")


def _check(claims: Claims, provider: Provider, *, nonce: str, now: datetime) -> None:
    """What the standard asks, in the types that it asks for."""
    client = provider.client
    audience, moment = claims.get("aud"), now.timestamp()
    audiences = [audience] if isinstance(audience, str) else audience
    wrong = {
        "iss": claims.get("iss") != client.issuer,
        "aud": not isinstance(audiences, list) or client.client_id not in audiences,
        "azp": claims.get("azp", client.client_id) != client.client_id
        or (isinstance(audiences, list) and len(audiences) > 1 and "azp" not in claims),
        "exp": not _time(claims.get("exp")) or claims["exp"] + LEEWAY <= moment,
        "iat": not _time(claims.get("iat"))
        or not moment - OLDEST - LEEWAY <= claims["iat"] <= moment + LEEWAY,
        "nbf": "nbf" in claims and (not _time(claims["nbf"]) or claims["nbf"] > moment + LEEWAY),
        "nonce": not _same(claims.get("nonce"), nonce),
        "sub": not isinstance(claims.get("sub"), str)
        or not (0 < len(claims["sub"]) <= LONGEST_SUBJECT and claims["sub"].isprintable()),
    }
    names = [name for name, is_wrong in wrong.items() if is_wrong]
    if names:
        raise TokenRefused(f"its claims are not right: {', '.join(names)}")


def _time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LAST


def _same(value: object, expected: str) -> bool:
    # Ours are of ASCII.
    known = isinstance(value, str) and value.isascii()
    return known and hmac.compare_digest(str(value), expected)
