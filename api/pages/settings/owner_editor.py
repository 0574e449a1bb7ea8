"""Changes who pays: the rules as a text, what they would move, and only then in force.

What was previewed is what is applied: a text that was changed since is previewed again, and rules
that somebody else applied meanwhile are not overwritten unseen.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.auth import Booking
from api.dependencies import Reading, Tenant, Writing
from api.pages.asked import PageAsked
from api.pages.forms import Fields, Sent, one
from api.pages.links import go_to
from api.pages.settings.owner_moves import moves, rules_that_decide, team_changes
from api.pages.settings.owner_rules import PLACE
from api.pages.shell import page
from api.pages.visitor import Visiting, Visitor
from spend.ownership.ownership_files import Ownership, OwnershipRefusedError, ownership_of_file
from spend.ownership.ownership_text import line_of, toml_of
from spend.periods import Period, day_start, local_day
from store import waiting
from store.breakdowns.grouping import TooManyRowsError
from store.ledger.ownership_preview import ClosedError, Preview, preview
from store.ownership import ownership

router = APIRouter(include_in_schema=False)

SOURCE: Final = "the page of ownership"
MOST_DAYS: Final = 400
AROUND: Final = 2
"""Lines that are shown on each side of a wrong one."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    text: str
    first: str
    """The first day of the preview, ISO."""
    last: str
    """The last one."""
    version: int
    """In force when the form was opened; 0: none."""
    previewed: str = ""
    """The mark of the text that was previewed last."""

    @property
    def mark(self) -> str:
        """Changes with the text."""
        return hashlib.sha256(self.text.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a text is refused, and where."""

    said: str
    line: int | None = None
    around: tuple[tuple[int, str], ...] = ()
    """Lines near it, by their numbers."""


@router.get(PLACE + "/edit")
def ask(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    _query: Annotated[PageAsked, Query()],
) -> Response:
    """The rules in force as a text."""
    visitor.whole_ledger()
    held = ownership.in_force(session, tenant)
    said = held.said if held else Ownership(visitor.settings.timezone.key)
    today = local_day(visitor.now, visitor.zone)
    number = held.version if held else 0
    typed = Typed(toml_of(said), f"{today.replace(day=1)}", f"{today}", number)
    return _editor(request, visitor, typed)


@router.post(PLACE + "/preview")
def look(
    request: Request, session: Reading, tenant: Tenant, visitor: Visiting, fields: Sent
) -> Response:
    """What they would move. Nothing is written, so a read key will do."""
    visitor.whole_ledger()
    return _previewed(request, session, tenant, visitor, _typed(fields))


@router.post(PLACE)
def apply(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Booking,
    fields: Sent,
) -> Response:
    """Puts them in force as they were previewed; else they are previewed first."""
    typed = _typed(fields)
    if typed.previewed == typed.mark:
        # Of two who apply at once, the second one is told of the first.
        waiting.lock_ledger(session)
    held = ownership.in_force(session, tenant)
    number = held.version if held else 0
    note = None
    if typed.version != number:
        note = f"Meanwhile {held.entered_by if held else 'somebody'} put version {number} in force."
        typed = replace(typed, version=number)
    elif typed.previewed != typed.mark:
        note = "The text was changed since the preview. This is what it would move now."
    if note is not None:
        return _previewed(request, session, tenant, visitor, typed, note=note, status=409)
    try:
        said = _read(typed.text, visitor)
    except OwnershipRefusedError as refused:
        return _editor(request, visitor, typed, wrong=_wrong(typed.text, refused))
    ownership.apply(session, tenant, said, source=SOURCE, entered_by=who.name, now=visitor.now)
    return go_to(request, PLACE, done="saved")


def _typed(fields: Fields) -> Typed:
    number = one(fields, "version")
    return Typed(
        text=fields.get("text", [""])[0].replace("\r\n", "\n"),
        first=one(fields, "first"),
        last=one(fields, "last"),
        version=int(number) if number.isdecimal() and len(number) < 10 else 0,  # noqa: PLR2004 - as the column holds
        previewed=one(fields, "previewed"),
    )


def _read(text: str, visitor: Visitor) -> Ownership:
    toml = not text.lstrip().startswith("{")
    return ownership_of_file(text, toml=toml, timezone=visitor.settings.timezone.key)


def _wrong(text: str, refused: OwnershipRefusedError) -> Wrong:
    said = f"{refused.where}: {refused.reason}."
    line = line_of(text, refused)
    lines = text.split("\n")
    if line is None or line > len(lines):
        return Wrong(said)
    near = range(max(1, line - AROUND), min(len(lines), line + AROUND) + 1)
    return Wrong(said, line, tuple((each, lines[each - 1]) for each in near))


def _previewed(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    typed: Typed,
    *,
    note: str | None = None,
    status: int = 200,
) -> Response:
    try:
        said = _read(typed.text, visitor)
    except OwnershipRefusedError as refused:
        return _editor(request, visitor, typed, wrong=_wrong(typed.text, refused))
    try:
        found = preview(
            session,
            tenant,
            said,
            _period(typed, visitor),
            currency=visitor.currency,
            now=visitor.now,
        )
    except (ClosedError, ValueError) as refused:
        return _editor(request, visitor, typed, days=f"{refused}."[:1].upper() + f"{refused}."[1:])
    except TooManyRowsError:
        return _editor(request, visitor, typed, days="There is too much to look at: ask for less.")
    held = ownership.in_force(session, tenant)
    ended = held.said.names - said.names if held else set()
    typed = replace(typed, previewed=typed.mark)
    return _editor(
        request, visitor, typed, found=found, ended=sorted(ended), note=note, status=status
    )


def _period(typed: Typed, visitor: Visitor) -> Period:
    try:
        first, last = date.fromisoformat(typed.first), date.fromisoformat(typed.last)
    except ValueError:
        raise ValueError("a first and a last day, such as 2026-10-17") from None
    if not first <= last < first + timedelta(days=MOST_DAYS):
        raise ValueError(f"the last day is not before the first, and within {MOST_DAYS} days")
    try:
        after = last + timedelta(days=1)
        return Period(day_start(first, visitor.zone), day_start(after, visitor.zone))
    except OverflowError:
        raise ValueError("days of this century") from None


def _editor(
    request: Request,
    visitor: Visitor,
    typed: Typed,
    *,
    wrong: Wrong | None = None,
    days: str | None = None,
    found: Preview | None = None,
    ended: list[str] | None = None,
    note: str | None = None,
    status: int = 200,
) -> Response:
    tables = {}
    if found is not None:
        tables = {
            "moves": moves(found, visitor),
            "teams": team_changes(found, visitor),
            "decided": rules_that_decide(found, visitor),
        }
    return page(
        request,
        visitor,
        "owner_editor.html",
        title="Change who pays",
        tables=tables,
        status=422 if wrong or days else status,
        typed=typed,
        wrong=wrong,
        days=days,
        found=found,
        ended=ended or [],
        note=note,
    )
