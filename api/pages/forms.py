"""Forms: what a page sends, and the proof that a page of ours sent it.

A form carries a token that only we can make for the browser's own cookie, and the browser must say
that the page is of this origin (``api/origins.py``). Either does against most; both cost little.
The token differs on every page, so that compression tells nothing of it (BREACH).
Source: OWASP, "Cross-Site Request Forgery Prevention", signed double submit.
"""

import hashlib
import hmac
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response

from api.dependencies import Config
from api.no_secrets import refuse_secrets
from api.origins import from_our_page, over_https
from api.problems import Problem
from api.session_cookie import bound_name

COOKIE: Final = "spanledger_form"
FIELD: Final = "form_token"
MOST_FIELDS: Final = 1000
MEDIA_TYPE: Final = "application/x-www-form-urlencoded"

Fields = dict[str, list[str]]
"""What was filled in: each field's values, as they came. The token is not among them."""


@dataclass(frozen=True, slots=True)
class NewCookie:
    """The browser's own random text, set when it has none."""

    value: str

    def set_on(self, request: Request, answer: Response) -> None:
        """Has the browser keep it until it is closed."""
        name, secure = bound_name(request, COOKIE), over_https(request)
        answer.set_cookie(name, self.value, httponly=True, samesite="strict", secure=secure)


def form_token(request: Request, pepper: bytes) -> tuple[NewCookie | None, str]:
    """A token for the forms of a page, and the cookie that it is for where there is none yet."""
    known = request.cookies.get(bound_name(request, COOKIE))
    own = known or token_urlsafe(24)
    salt = token_urlsafe(9)
    return (None if known else NewCookie(own)), f"{salt}.{_signed(own, salt, pepper)}"


async def _sent(request: Request, config: Config) -> Fields:
    if not from_our_page(request):
        raise Problem(403, "Not from this page", "A page of spanledger sends this.", field="Origin")
    if request.headers.get("content-type", "").partition(";")[0].strip() != MEDIA_TYPE:
        raise Problem(415, "Not a form", f"A form is sent as {MEDIA_TYPE}.", field="Content-Type")
    try:
        pairs = parse_qsl(
            (await request.body()).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise Problem(400, "The form cannot be read", "It is no UTF-8, or too long.") from None
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    token = fields.pop(FIELD, [""])[0]
    salt, _, signed = token.partition(".")
    own = request.cookies.get(bound_name(request, COOKIE), "")
    expected = _signed(own, salt, config.key_pepper)
    if not own or not hmac.compare_digest(signed.encode(), expected.encode()):
        detail = "The page was open for long, or in another browser: load it again."
        raise Problem(403, "The form is out of date", detail, field=FIELD)
    refuse_secrets(fields)
    return fields


Sent = Annotated[Fields, Depends(_sent)]
"""The fields of a form that a page of ours sent. Problem 400, 403, 415."""


def one(fields: Fields, name: str) -> str:
    """A field that stands once, without blanks around; nothing where it is missing."""
    return fields.get(name, [""])[0].strip()


def _signed(own: str, salt: str, pepper: bytes) -> str:
    # A machine without keys may have no pepper either: the cookie alone is the secret then.
    message = f"form:{own}:{salt}".encode()
    return hmac.digest(pepper or own.encode(), message, hashlib.sha256).hex()
