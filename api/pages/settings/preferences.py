"""How a browser is shown everything: its zone, its language of numbers, its look."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.origins import over_https
from api.pages.asked import PageAsked, Text
from api.pages.forms import Fields, Sent, one
from api.pages.shell import page
from api.pages.sign_in import ours
from api.pages.visitor import (
    LOCALE_COOKIE,
    LOCALES,
    THEME_COOKIE,
    THEMES,
    ZONE_COOKIE,
    Visiting,
    Visitor,
)
from api.pages.zone_choice import regions
from spend.zones import zone_names

router = APIRouter(include_in_schema=False)

PLACE: Final = "/settings/preferences"
SECONDS: Final = 365 * 86_400
SAMPLE: Final = Decimal("1234567.891")


class PreferencesAsked(PageAsked):
    """Where to go back to."""

    back: Text | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen; nothing: what goes without choosing."""

    zone: str
    locale: str
    theme: str

    def problems(self) -> dict[str, str]:
        """What is wrong, by field."""
        found = {}
        if self.zone and self.zone not in zone_names():
            found["zone"] = "There is no such time zone."
        if self.locale and self.locale not in LOCALES:
            found["locale"] = "There is no such language here."
        if self.theme not in THEMES:
            found["theme"] = "There is no such look."
        return found


@router.get(PLACE)
def show(
    request: Request, visitor: Visiting, query: Annotated[PreferencesAsked, Query()]
) -> Response:
    """The form, with what is chosen now."""
    kept = request.cookies
    chosen = Chosen(
        _known(kept.get(ZONE_COOKIE), zone_names()),
        _known(kept.get(LOCALE_COOKIE), LOCALES),
        visitor.theme,
    )
    return _form(request, visitor, chosen, {}, ours(query.back) if query.back else "")


@router.post(PLACE)
def save(request: Request, visitor: Visiting, fields: Sent) -> Response:
    """Keeps it in cookies, and goes back to where it was asked for."""
    chosen = _chosen(fields)
    back = one(fields, "back")
    problems = chosen.problems()
    if problems:
        return _form(request, visitor, chosen, problems, ours(back) if back else "")
    answer = RedirectResponse(
        without_zone(ours(back)) if back else f"{PLACE}?done=saved", status_code=303
    )
    said = {
        ZONE_COOKIE: chosen.zone,
        LOCALE_COOKIE: chosen.locale,
        THEME_COOKIE: "" if chosen.theme == THEMES[0] else chosen.theme,
    }
    for name, value in said.items():
        _keep(answer, name, value, secure=over_https(request))
    return answer


def without_zone(address: str) -> str:
    """An address of ours without the zone that was chosen before.

    >>> without_zone("/budgets?timezone=Asia%2FTokyo&team=a")
    '/budgets?team=a'
    """
    parts = urlsplit(address)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if _stays(pair[0])]
    return parts._replace(query=urlencode(kept)).geturl()


def _stays(name: str) -> bool:
    return name != "timezone"


def _keep(answer: Response, name: str, value: str, *, secure: bool) -> None:
    if not value:
        answer.delete_cookie(name, httponly=True, samesite="lax")
        return
    answer.set_cookie(name, value, max_age=SECONDS, httponly=True, samesite="lax", secure=secure)


def _chosen(fields: Fields) -> Chosen:
    return Chosen(one(fields, "zone"), one(fields, "locale"), one(fields, "theme") or THEMES[0])


def _known(value: str | None, known: Mapping[str, str] | frozenset[str]) -> str:
    return value if value is not None and value in known else ""


def _form(
    request: Request, visitor: Visitor, chosen: Chosen, problems: Mapping[str, str], back: str
) -> Response:
    return page(
        request,
        visitor,
        "preferences.html",
        title="Preferences",
        status=422 if problems else 200,
        chosen=chosen,
        problems={name: problems.get(name) for name in ("zone", "locale", "theme")},
        back=back,
        zones=regions(),
        locales=LOCALES,
        server_zone=visitor.settings.timezone.key,
        sample=SAMPLE,
    )
