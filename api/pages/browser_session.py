"""A browser is signed in, and out: the session in the database and the cookie go together."""

from datetime import datetime, timedelta
from typing import Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from api.session_cookie import forget_token, keep_token, token_in_cookie
from api.settings import ApiSettings
from store.access import sign_ins

KEY_LASTS: Final = timedelta(days=30)
"""How long a browser stays signed in with a key, while that is in force."""


def sign_in(
    request: Request,
    answer: Response,
    session: Session,
    tenant: int,
    config: ApiSettings,
    now: datetime,
    *,
    key_id: str | None = None,
    person_id: int | None = None,
) -> None:
    """Signs the browser in anew, whatever it kept before: that opens nothing any more."""
    sign_out(request, answer, session, tenant, config, now)
    lasts = KEY_LASTS if key_id else config.session_lasts
    token = sign_ins.begin(
        session,
        tenant,
        key_id=key_id,
        person_id=person_id,
        pepper=config.key_pepper,
        lasts=lasts,
        now=now,
    )
    keep_token(request, answer, token, lasts=lasts)


def sign_out(
    request: Request,
    answer: Response,
    session: Session,
    tenant: int,
    config: ApiSettings,
    now: datetime,
) -> None:
    """Ends the session of the browser, here and there."""
    token = token_in_cookie(request)
    if token is not None:
        sign_ins.end(session, tenant, token, pepper=config.key_pepper, now=now)
        forget_token(request, answer)
