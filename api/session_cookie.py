"""The cookie of a browser that signed in: a key, sealed, for as long as the key is in force.

Sealed with the pepper (``store/secrets.py``), so any replica opens it and a stolen backup does not;
HttpOnly, so no script reads it; SameSite=Lax, so a link from Slack opens a page and a form of
somebody else's page comes without it. The key is looked up at each request: revoked, it is out.
"""

from typing import Final

from fastapi import Request, Response

from store.secrets import MARK, Seal, SealedElsewhere

COOKIE: Final = "spanledger_session"
SECONDS: Final = 30 * 86_400


def key_in_cookie(request: Request, seal: Seal) -> str | None:
    """The text of the key that a browser signed in with; None: it did not, or elsewhere."""
    kept = request.cookies.get(COOKIE)
    if kept is None:
        return None
    try:
        text = seal.opened(f"{MARK}:{kept}")
    except SealedElsewhere:
        return None
    return None if text.startswith(MARK) else text


def keep_key(answer: Response, text: str, seal: Seal, *, secure: bool) -> None:
    """Has a browser keep a key. ``secure``: over https only."""
    kept = seal.sealed(text, shown=0).removeprefix(f"{MARK}:")
    answer.set_cookie(COOKIE, kept, max_age=SECONDS, httponly=True, samesite="lax", secure=secure)


def forget_key(answer: Response) -> None:
    """Has a browser forget it."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
