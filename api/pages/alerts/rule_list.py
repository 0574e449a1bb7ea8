"""/alerts/rules: what is watched besides budgets, where it stands, and what it last found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy.orm import Session

from api.alerts.alert_rules import RuleId, visible
from api.dependencies import Reading, Tenant
from api.pages.alerts.alert_rows import alerts_table
from api.pages.alerts.alert_tabs import alert_tabs
from api.pages.asked import PageAsked
from api.pages.formats import shortened
from api.pages.links import elsewhere
from api.pages.shell import page
from api.pages.tables import Cell, Column, Held, Table
from api.pages.visitor import Visiting, Visitor
from api.problems import Problem
from spend.alerts.alert_rules import Rule, level_of
from spend.alerts.rule_kinds import KINDS, unit_of
from spend.alerts.rule_states import LEVELS, Open
from spend.alerts.rule_words import said, shown, value_of
from spend.budgets.budgets import filter_text
from store.alerts import alert_rules, alerts, rule_states
from store.alerts.rule_states import Kept
from store.channel_names import channel_names
from store.watched.attempts import attempt

router = APIRouter(include_in_schema=False)

FAILING: Final = "failing"
NOT_MEASURED: Final = "not measured"
SHOWN_ALERTS: Final = 20
MOST_SUBJECTS: Final = 200
_ORDER: Final = (FAILING, "over", "warning", "recovered", "no data", "ok", NOT_MEASURED)
_TONES: Final = {
    FAILING: "bad",
    "over": "bad",
    "warning": "warn",
    "recovered": "good",
    "ok": "good",
}


class RuleAsked(PageAsked):
    """Whether to try it."""

    try_: Annotated[Literal["now"] | None, Field(alias="try")] = None


@router.get("/alerts/rules")
def show(request: Request, session: Reading, tenant: Tenant, visitor: Visiting) -> Response:
    """Rules in force; what needs a look first is on top."""
    there = alert_rules.all_in_force(session, tenant)
    rules = [each for each in there if visible(each.terms, visitor.caller)]
    kept = rule_states.states(session, tenant)
    opened = rule_states.opened(session, tenant)
    rules.sort(key=lambda each: (_ORDER.index(_worst(kept.get(each.id, ()))), each.terms.name))
    rows = [_row(request, each, kept.get(each.id, ()), opened) for each in rules]
    columns = (
        Column("rule", "Rule"),
        Column("state", "State"),
        Column("found", "Last found"),
        Column("bounds", "Bounds", narrow=False),
        Column("measured", "Measured", "when", narrow=False),
        Column("open", "Open alerts", "number", narrow=False),
    )
    table = Table(columns, rows, "Rules in force", file="alert-rules")
    return page(
        request,
        visitor,
        "alert_rules.html",
        title="Alert rules",
        tables={"rules": table},
        tabs=alert_tabs(request, "rules"),
        kinds=KINDS,
        server=str(request.base_url).rstrip("/"),
    )


@router.get("/alerts/rules/{rule_id:number}")
def show_one(
    request: Request,
    session: Reading,
    tenant: Tenant,
    visitor: Visiting,
    rule_id: RuleId,
    query: Annotated[RuleAsked, Query()],
) -> Response:
    """A rule, its subjects, and what it would find now where it is tried."""
    rule = _found(session, tenant, visitor, rule_id)
    kept = rule_states.states(session, tenant, rule_id).get(rule_id, [])
    alone = () if visitor.team is None else (visitor.team,)
    wanted = alerts.Wanted(rule_id=rule_id, teams_alone=alone)
    told = alerts.alerts(session, tenant, wanted, now=visitor.now, at_most=SHOWN_ALERTS)
    tables = {
        "subjects": _subjects(kept),
        "alerts": alerts_table(
            request, visitor, told, caption="Its alerts", empty="It has told nothing yet."
        ),
    }
    error = None
    if query.try_:
        tables["tried"], error = _tried(session, tenant, visitor, rule)
    return page(
        request,
        visitor,
        "alert_rule.html",
        title=rule.terms.name,
        tables=tables,
        tabs=alert_tabs(request, "rules"),
        rule=rule,
        says=KINDS[rule.terms.kind].says if rule.terms.kind in KINDS else "",
        counts=shortened(filter_text(rule.terms.filter), 400),
        bounds=_bounds(rule),
        badge=rule_badge(_worst(kept)),
        failing=next((each.last_error for each in kept if each.last_error), None),
        channels=_channels(session, tenant, rule),
        tried=query.try_ is not None,
        error=error,
        more=len(kept) > MOST_SUBJECTS,
    )


def _found(session: Session, tenant: int, visitor: Visitor, rule_id: int) -> Rule:
    try:
        found = alert_rules.in_force(session, tenant, rule_id)
    except alert_rules.NoSuchRule as missing:
        raise Problem(404, "No such alert rule", str(missing)) from None
    if not visible(found.terms, visitor.caller):
        raise Problem(404, "No such alert rule", f"no alert rule {rule_id} is in force")
    return found


def _worst(kept: Sequence[Kept]) -> str:
    states = {FAILING if each.last_error else each.state.state for each in kept}
    return next((each for each in _ORDER if each in states), NOT_MEASURED)


def _row(
    request: Request,
    rule: Rule,
    kept: Sequence[Kept],
    opened: Mapping[tuple[int, str], Sequence[Open]],
) -> dict[str, Held | Cell]:
    terms = rule.terms
    worst = _worst(kept)
    counts = Counter(each.state.state for each in kept if each.subject or len(kept) == 1)
    several = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    split = f", by {', '.join(terms.by)}" if terms.by else ""
    number = sum(len(some) for (of, _), some in opened.items() if of == rule.id)
    asked = elsewhere(request, "/alerts", rule_id=rule.id)
    return {
        "rule": Cell(
            terms.name,
            href=elsewhere(request, f"/alerts/rules/{rule.id}"),
            note=f"{terms.kind} of {shortened(filter_text(terms.filter))}{split}",
        ),
        "state": Cell(worst, show=rule_badge(worst), note=several if len(kept) > 1 else None),
        "found": _last_found(rule, kept, worst),
        "bounds": _bounds(rule),
        "measured": max((each.evaluated_at for each in kept), default=None),
        "open": Cell(number, href=asked if number else None),
    }


def _last_found(rule: Rule, kept: Sequence[Kept], worst: str) -> Cell:
    """What was found of the subject that stands worst, or why nothing was."""
    failing = next((each.last_error for each in kept if each.last_error), None)
    if failing is not None:
        return Cell(failing, tone="bad")
    its = [each for each in kept if each.state.state == worst and each.found is not None]
    if not its:
        return Cell(None)
    found = [each.found for each in its if each.found is not None]
    most = max(found, key=lambda each: (each.value is not None, each.value or 0))
    return Cell(said(rule.terms, most))


def _bounds(rule: Rule) -> str:
    unit = unit_of(rule.terms.kind, rule.terms.settings)
    bounds = (("warning", rule.terms.warning), ("over", rule.terms.over))
    told = [f"{name} from {shown(bound, unit)}" for name, bound in bounds if bound is not None]
    return ", ".join(told)


def _subjects(kept: Sequence[Kept]) -> Table:
    ordered = sorted(kept, key=lambda each: (_ORDER.index(_worst([each])), each.subject))
    rows: list[dict[str, Held | Cell]] = [
        {
            "subject": each.subject or "all it looks at",
            "state": Cell(_worst([each]), show=rule_badge(_worst([each]))),
            "found": Cell(None)
            if each.found is None
            else Cell(each.found.value, show=value_of(each.found)),
            "since": each.state.since,
            "measured": each.evaluated_at,
            "error": Cell(each.last_error, show=each.last_error or ""),
        }
        for each in ordered[:MOST_SUBJECTS]
    ]
    columns = [
        Column("subject", "Subject"),
        Column("state", "State"),
        Column("found", "Last found"),
        Column("since", "Since", "when", narrow=False),
        Column("measured", "Measured", "when", narrow=False),
    ]
    if any(each.last_error for each in kept):
        columns.append(Column("error", "Why not"))
    empty = "It was not measured yet: the job watch does so every minute."
    return Table(columns, rows, "Where it stands", file="subjects", empty=empty)


def _tried(session: Session, tenant: int, visitor: Visitor, rule: Rule) -> tuple[Table, str | None]:
    """What it finds now, what is worst first; and why it could not be measured."""
    found = attempt(session, tenant, rule, visitor.now)
    levelled = [(level_of(rule.terms, each), each) for each in found.measured]
    levelled.sort(key=lambda each: (LEVELS.index(each[0]), each[1].subject))
    rows: list[dict[str, Held | Cell]] = [
        {
            "subject": each.subject or "all it looks at",
            "level": Cell(level, show=rule_badge(level)),
            "says": said(rule.terms, each),
        }
        for level, each in levelled[:MOST_SUBJECTS]
    ]
    columns = (Column("subject", "Subject"), Column("level", "Level"), Column("says", "Finds"))
    return Table(columns, rows, "What it finds now", file="tried", empty="Nothing."), found.error


def _channels(session: Session, tenant: int, rule: Rule) -> list[str]:
    names = channel_names(session, tenant)
    return [names[each] for each in rule.terms.channel_ids if each in names]


def rule_badge(state: str) -> Markup:
    """How a rule, or one of its subjects, stands."""
    return Markup('<span class="badge {}">{}</span>').format(_TONES.get(state, ""), state)
