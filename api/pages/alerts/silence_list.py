"""/alerts/silences: what is snoozed and muted, and forms that begin and end it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy.orm import Session

from api.auth import Budgeting
from api.dependencies import Reading, Tenant, Writing
from api.pages.alerts.alert_tabs import alert_tabs
from api.pages.asked import PageAsked
from api.pages.forms import Fields, Sent, one
from api.pages.links import elsewhere, go_to
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from spend.access.roles import Permission
from spend.channels.silences import KINDS, MUTE, Silence, SilenceTerms, silence_terms
from spend.checked_fields import TermsRefused
from store.alerts import silent_subjects
from store.alerts.silent_subjects import NoSuchSubject, Subject
from store.channels import silences

router = APIRouter(include_in_schema=False)

PAST: Final = 200
"""Silences that have ended are shown of so many latest ones."""
_DIGITS: Final = 18
_FIELDS: Final = ("subject", "hours", "until", "by", "reason")

Known = Mapping[tuple[int | None, int | None], Subject]


class SilencesAsked(PageAsked):
    """What the form begins with."""

    budget: int | None = Field(None, ge=1, le=2**63 - 1)
    rule: int | None = Field(None, ge=1, le=2**63 - 1)


@router.get("/alerts/silences")
def show(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    query: Annotated[SilencesAsked, Query()],
) -> Response:
    """Silences in force, and past ones."""
    typed = {}
    if query.budget is not None:
        typed = {"subject": f"budget:{query.budget}"}
    elif query.rule is not None:
        typed = {"subject": f"rule:{query.rule}"}
    return _shown(request, session, tenant, visitor, typed)


@router.post("/alerts/silences")
def begin(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    who: Budgeting,
    fields: Sent,
) -> Response:
    """Begins one, or shows the form again with what is wrong."""
    try:
        said = _said(session, tenant, visitor, fields, who.name)
    except (TermsRefused, NoSuchSubject) as refused:
        typed = {name: one(fields, name) for name in fields}
        why = refused.field, str(refused)
        return _shown(request, session, tenant, visitor, typed, why)
    silences.put(session, tenant, said)
    alert = one(fields, "alert")
    place = f"/alerts/{alert}" if alert.isascii() and alert.isdigit() else "/alerts/silences"
    done = "muted" if said.kind == MUTE else "snoozed"
    return go_to(request, place, done=done)


@router.post("/alerts/silences/{silence_id:number}/end")
def end(
    request: Request,
    session: Writing,
    tenant: Tenant,
    visitor: Visiting,
    _who: Budgeting,
    silence_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    _fields: Sent,
) -> Response:
    """Ends one early: what was snoozed and is still true is sent."""
    try:
        silent_subjects.end(session, tenant, silence_id, team=visitor.team, now=visitor.now)
    except silences.NoSuchSilence as missing:
        raise Problem(404, "No such silence", str(missing)) from None
    return go_to(request, "/alerts/silences", done="unmuted")


def _said(
    session: Session, tenant: int, visitor: Visitor, fields: Fields, name: str
) -> SilenceTerms:
    """What a form says. Raises TermsRefused, NoSuchSubject."""
    kind = one(fields, "kind")
    if kind not in KINDS:
        raise TermsRefused("kind", f"one of {', '.join(KINDS)}")
    what, _, number = one(fields, "subject").partition(":")
    if what not in {"budget", "rule"} or not number.isdecimal() or len(number) > _DIGITS:
        raise TermsRefused("subject", "choose a budget or an alert rule")
    its = int(number)
    now = visitor.now
    try:
        subject = silent_subjects.found(
            session,
            tenant,
            budget_id=its if what == "budget" else None,
            rule_id=its if what == "rule" else None,
            team=visitor.team,
            now=now,
        )
    except NoSuchSubject as missing:
        raise NoSuchSubject("subject", str(missing)) from None
    hours = one(fields, "hours")
    if hours and not (hours.isascii() and hours.isdigit() and len(hours) < _DIGITS // 2):
        raise TermsRefused("hours", "a whole number of hours")
    ends = subject.end_of(
        kind,
        until=_moment(one(fields, "until"), visitor.zone),
        hours=min(int(hours), 10**5) if hours else None,
        now=now,
    )
    return silence_terms(
        kind=kind,
        budget_id=subject.budget_id,
        rule_id=subject.rule_id,
        ends=ends,
        by=one(fields, "by") or name,
        reason=one(fields, "reason") or None,
        now=now,
    )


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """What a field of a date and a time says, by the clock of the page; UTC."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise TermsRefused("until", "a day and a time, such as 2026-12-01T08:00") from None


def _shown(
    request: Request,
    session: Session,
    tenant: int,
    visitor: Visitor,
    typed: Mapping[str, str],
    refused: tuple[str, str] | None = None,
) -> Response:
    now = visitor.now
    known = {
        key: each
        for key, each in silent_subjects.in_force(session, tenant, now).items()
        if visitor.team is None or each.teams == (visitor.team,)
    }
    latest = [
        each
        for each in silences.latest(session, tenant, at_most=PAST)
        if visitor.team is None or (each.budget_id, each.rule_id) in known
    ]
    # One may hold that began before all those.
    holding = [
        each
        for each in silences.in_force(session, tenant, now)
        if visitor.team is None or (each.budget_id, each.rule_id) in known
    ]
    past = [each for each in latest if not each.holds(now)]
    return page(
        request,
        visitor,
        "silences.html",
        title="Silences",
        status=200 if refused is None else 422,
        tables={
            "silences": _table(request, visitor, holding, known, "In force", ends=True),
            "past": _table(request, visitor, past, known, "Past", ends=False),
        },
        tabs=alert_tabs(request, "silences"),
        subjects=_choices(known),
        typed=dict.fromkeys(_FIELDS, "") | dict(typed),
        refused=refused,
    )


def _choices(known: Known) -> list[tuple[str, list[tuple[str, str]]]]:
    budgets = [(f"budget:{each.budget_id}", each.name) for each in known.values() if each.budget_id]
    rules = [(f"rule:{each.rule_id}", each.name) for each in known.values() if each.rule_id]
    both = (("Budgets", budgets), ("Alert rules", rules))
    return [(name, sorted(some, key=lambda each: each[1])) for name, some in both]


def _table(
    request: Request,
    visitor: Visitor,
    some: Sequence[Silence],
    known: Known,
    caption: str,
    *,
    ends: bool,
) -> Table:
    columns = [
        Column("of", "Of"),
        Column("kind", "Kind"),
        Column("until", "Until", "when"),
        Column("by", "By", narrow=False),
        Column("reason", "Why", narrow=False),
        Column("since", "Since", "when", narrow=False),
    ]
    buttons = ends and visitor.may(Permission.BUDGETS)
    if buttons:
        columns.append(Column("end", "", hint="End it", csv=False))
    rows: list[dict[str, Held | Cell]] = [
        _row(request, each, known.get((each.budget_id, each.rule_id))) for each in some
    ]
    nothing = "Nothing is silent." if ends else "None yet."
    return Table(columns, rows, caption, file="silences", empty=nothing)


def _row(request: Request, silence: Silence, subject: Subject | None) -> dict[str, Held | Cell]:
    path = (
        f"/budgets/{silence.budget_id}" if silence.budget_id else f"/alerts/rules/{silence.rule_id}"
    )
    what = "budget" if silence.budget_id else "alert rule"
    name = f"a closed {what}" if subject is None else subject.name
    href = None if subject is None else elsewhere(request, path)
    button = Markup(
        '<button class="plain" form="end" formaction="{}"'
        ' aria-label="End the silence of {}">End it</button>'
    )
    place = elsewhere(request, f"/alerts/silences/{silence.id}/end")
    row: dict[str, Any] = {
        "of": Cell(name, href=href, note=what),
        "kind": "muted" if silence.kind == MUTE else "snoozed",
        "until": silence.until,
        "by": silence.by,
        "reason": Cell(silence.reason, show=silence.reason or ""),
        "since": silence.starts,
        "end": Cell(silence.id, show=button.format(place, name)),
    }
    return row
