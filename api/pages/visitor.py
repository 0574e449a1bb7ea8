"""Who looks at a page: what they may see and change, and how they want it told.

Zone, language and look are chosen under /settings and kept in cookies. A zone that is not the
server's goes into the address, so that whoever is sent it reads the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Final, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, negotiate_locale
from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import Asker, Caller, of_their_team, whole_ledger
from api.dependencies import Clock, Config
from api.grouping import zone_named
from api.pages.formats import Formats
from api.pages.links import path_of
from api.settings import ApiSettings
from spend import zones
from spend.access.roles import Permission, Role
from spend.periods import Period
from store.breakdowns.dimensions import Question
from store.conversion import Conversion

ZONE_COOKIE: Final = "spanledger_zone"
LOCALE_COOKIE: Final = "spanledger_locale"
THEME_COOKIE: Final = "spanledger_theme"
THEMES: Final = ("auto", "light", "dark")
LOCALES: Final = {
    "en-US": "1,234.56 (English)",
    "en-GB": "1,234.56 (English, UK)",
    "de-DE": "1.234,56 (Deutsch)",
    "fr-FR": "1 234,56 (français)",
    "es-ES": "1.234,56 (español)",
    "it-IT": "1.234,56 (italiano)",
    "nl-NL": "1.234,56 (Nederlands)",
    "pl-PL": "1 234,56 (polski)",
    "pt-BR": "1.234,56 (português)",
    "de-CH": "1’234.56 (Schweiz)",  # noqa: RUF001 - the mark that is used there
    "en-IN": "12,34,567.89 (India)",
    "ja-JP": "1,234.56 (日本語)",
}
"""How numbers, money and dates are written. Words are English."""
_DEFAULT_LOCALE: Final = "en-US"


class ZoneInAddress(Exception):  # noqa: N818 - not a failure: says where the same page is
    """The visitor's own zone belongs into the address: go ``to`` there."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


def to_the_zone(_request: Request, found: Exception) -> Response:
    """What ``ZoneInAddress`` is answered with."""
    return RedirectResponse(cast("ZoneInAddress", found).to, status_code=303)


@dataclass(frozen=True)
class Visitor:
    """Whoever looks, and how."""

    caller: Caller
    zone: ZoneInfo
    """What days are cut by and times are told in on the page."""
    locale: Locale
    theme: str
    now: datetime
    """UTC."""
    settings: ApiSettings

    def may(self, permission: str) -> bool:
        """Whether to show them what takes this permission (``spend.access.roles.Permission``)."""
        return Permission(permission) in self.caller.may

    @property
    def choices(self) -> tuple[tuple[int, Role], ...]:
        """The roles that they may act as, each once, with an id of it."""
        signed_in = self.caller.signed_in
        once = {role: role_id for role_id, role in signed_in.roles} if signed_in else {}
        return tuple((role_id, role) for role, role_id in once.items())

    @property
    def team(self) -> str | None:
        """The only team that they may see; None: all of them."""
        return self.caller.team

    @property
    def currency(self) -> str:
        """ISO 4217, of every amount on a page that names no other."""
        return self.settings.currency

    @property
    def conversion(self) -> Conversion:
        """How amounts are told in that currency."""
        return Conversion(
            to=self.currency, policy=self.settings.rate_policy, zone=self.zone, now=self.now
        )

    def question(
        self,
        period: Period,
        *group_by: str,
        filters: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Question:
        """A question about what they may see: of their team alone, where they see one only.

        Problem 403 for a filter on another team.
        """
        asked = dict(filters or {})
        if self.team is not None:
            of_their_team(self.caller, *asked.get("team", ()))
            asked["team"] = (self.team,)
        return Question(period=period, zone=self.zone, group_by=group_by, filters=asked)

    def whole_ledger(self) -> None:
        """Keeps keys of one team away from what is not told apart by team. Problem 403."""
        whole_ledger(self.caller)

    @cached_property
    def formats(self) -> Formats:
        """Writes numbers, money and times as they read them."""
        return Formats(self.locale, self.zone)


def visitor_of(request: Request, caller: Asker, config: Config, clock: Clock) -> Visitor:
    """Whoever asks for a page. Problem 401 or 403 as everywhere; 422 for an unknown zone."""
    return Visitor(
        caller=caller,
        zone=_zone(request, config.timezone),
        locale=locale_of(request),
        theme=theme_of(request),
        now=clock(),
        settings=config,
    )


Visiting = Annotated[Visitor, Depends(visitor_of)]


def theme_of(request: Request) -> str:
    """One of THEMES."""
    chosen = request.cookies.get(THEME_COOKIE, "auto")
    return chosen if chosen in THEMES else "auto"


def locale_of(request: Request) -> Locale:
    """The language chosen, else the first that the browser prefers and we know."""
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen not in LOCALES:
        header = request.headers.get("accept-language", "")[:200]
        wanted = [part.partition(";")[0].strip() for part in header.split(",")]
        chosen = negotiate_locale(wanted, list(LOCALES), sep="-") or _DEFAULT_LOCALE
    try:
        return Locale.parse(chosen, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_DEFAULT_LOCALE, sep="-")


def _zone(request: Request, default: ZoneInfo) -> ZoneInfo:
    said = request.query_params.get("timezone")
    if said:
        return zone_named(said)
    chosen = request.cookies.get(ZONE_COOKIE)
    if chosen is None or chosen == default.key or request.method != "GET":
        return default
    try:
        zones.zone_named(chosen)
    except ValueError:
        return default
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "timezone"]
    raise ZoneInAddress(f"{path_of(request)}?{urlencode([*asked, ('timezone', chosen)])}")
