"""The cookie of a browser that signed in: a random text, which ``store/access/sign_ins.py`` knows.

HttpOnly, so no script reads it; SameSite=Lax, so a link from Slack opens a page and a form of
somebody else's page comes without it. Over https its name begins with ``__Host-``: then browsers
take it from this very host over https alone, and no neighbour's page plants one.
Source: RFC 6265bis, "Cookie Name Prefixes".
"""

from datetime import timedelta
from typing import Final

from fastapi import Request, Response

from api.origins import over_https

COOKIE: Final = "spanledger_session"


def bound_name(request: Request, name: str) -> str:
    """What a cookie of ours is called where a request comes from."""
    return f"__Host-{name}" if over_https(request) else name


def token_in_cookie(request: Request) -> str | None:
    """What a browser was given when it signed in; None: it did not."""
    return request.cookies.get(bound_name(request, COOKIE))


def keep_token(request: Request, answer: Response, token: str, *, lasts: timedelta) -> None:
    """Has a browser keep it, over https only where it came so."""
    answer.set_cookie(
        bound_name(request, COOKIE),
        token,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=over_https(request),
    )


def forget_token(request: Request, answer: Response) -> None:
    """Has a browser forget it."""
    answer.delete_cookie(
        bound_name(request, COOKIE), httponly=True, samesite="lax", secure=over_https(request)
    )
