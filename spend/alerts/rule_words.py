"""Puts what alert rules find into words: passed a bound, recovered, still so, not measured."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any

from spend import money
from spend.alerts.alert_rules import OVER, Measured, Rule, RuleTerms, level_of
from spend.alerts.rule_kinds import KINDS, Kind
from spend.alerts.rule_states import Open
from spend.budgets.budgets import filter_text, only_team
from spend.channels.notices import (
    FAILING,
    RECOVERED,
    REMINDER,
    SEE_AND_ACKNOWLEDGE,
    WHERE_IT_STANDS,
    Notice,
)
from spend.checked_fields import shortest
from spend.moments import moment_text

_MINUTES_AS_HOURS = 120


def crossed(
    rule: Rule, measured: Measured, level: str, alert_id: int, api_url: str | None
) -> Notice:
    """A bound was passed."""
    terms = rule.terms
    title = f"{terms.name}: {said(terms, measured)}"
    bound = terms.over if level == OVER else terms.warning
    told = "" if bound is None else shown(bound, measured.unit)
    return Notice(
        kind=terms.kind,
        level=level,
        title=title,
        summary=f"{title}, from {_time(measured)}. {level.capitalize()} from {told} on."
        f" Alert {alert_id}.",
        facts=(
            ("Measured", value_of(measured)),
            ("Bound", f"{told} ({level})"),
            ("Time", _time(measured)),
            *((("Counted", filter_text(terms.filter)),) if terms.filter else ()),
            *((("Owner", terms.owner),) if terms.owner else ()),
            *measured.facts,
        ),
        small=f"as of {measured.end:%Y-%m-%d %H:%M} UTC · alert {alert_id}",
        **_where(rule, measured),
        **_leads_to(SEE_AND_ACKNOWLEDGE, f"alerts/{alert_id}", api_url),
        alert_id=alert_id,
        data=_data(rule, measured) | {"bound": None if bound is None else shortest(bound)},
    )


def recovered(
    rule: Rule, measured: Measured, what: Open, now: datetime, api_url: str | None
) -> Notice:
    """It is good again."""
    terms = rule.terms
    title = f"{terms.name} has recovered: {said(terms, measured)}"
    lasted = duration((now - what.crossed_at).total_seconds() / 60)
    return Notice(
        kind=RECOVERED,
        level="ok",
        title=title,
        summary=f"{title}, from {_time(measured)}. It was {what.level} for {lasted}."
        f" Alert {what.id}.",
        facts=(
            ("Measured", value_of(measured)),
            ("Time", _time(measured)),
            ("It lasted", lasted),
        ),
        small=f"as of {measured.end:%Y-%m-%d %H:%M} UTC · alert {what.id}",
        **_where(rule, measured),
        **_leads_to(WHERE_IT_STANDS, _page(rule), api_url),
        alert_id=what.id,
        data=_data(rule, measured),
    )


def reminder(
    rule: Rule, measured: Measured, what: Open, now: datetime, api_url: str | None
) -> Notice:
    """It is still so."""
    # It may be less bad than what is open.
    level = level_of(rule.terms, measured)
    first = crossed(rule, measured, level, what.id, api_url)
    lasted = duration((now - what.crossed_at).total_seconds() / 60)
    return replace(
        first,
        kind=REMINDER,
        title=f"Still, for {lasted}: {first.title}",
        summary=f"Still, for {lasted}: {first.summary}",
        paragraphs=("Acknowledge the alert to be reminded no more.",),
    )


def failing(rule: Rule, why: str, since: datetime, api_url: str | None) -> Notice:
    """A rule could not be measured for a while."""
    title = f"The alert rule {rule.terms.name} is not measured"
    return Notice(
        kind=FAILING,
        level="warning",
        title=title,
        summary=f"{title}, since {since:%Y-%m-%d %H:%M} UTC: {why}",
        facts=(("Since", f"{since:%Y-%m-%d %H:%M} UTC"), ("Why", why)),
        paragraphs=("Until it is, it tells of nothing.",),
        **_leads_to(WHERE_IT_STANDS, _page(rule), api_url),
        rule_id=rule.id,
        team=only_team(rule.terms.filter),
        data={"rule": rule.terms.name, "since": moment_text(since), "why": why},
    )


def said(terms: RuleTerms, measured: Measured) -> str:
    """What was measured, as a sentence without its end."""
    of = f" of {_in_words(measured.subject)}" if measured.subject else ""
    if measured.value is None:
        return f"Too little is known{of}"
    settings = {name: str(value) for name, value in terms.settings.items()}
    text = _kind(terms).told.format(of=of, value=value_of(measured), **settings)
    return text[:1].upper() + text[1:]


def _in_words(subject: str) -> str:
    """``team=search, model=gpt-4o`` as people say it: team search, model gpt-4o."""
    return re.sub(r"(^|, )([a-z_]+)=", r"\1\2 ", subject)


def shown(value: Decimal, unit: str) -> str:
    """A value with its unit, for people.

    Per cents are cut, so that none reads as a bound that it has not reached.
    """
    if unit == "percent":
        return f"{shortest(value.quantize(Decimal('0.01'), ROUND_DOWN))} %"
    if unit == "minutes":
        return duration(value)
    if unit == "hours":
        return f"{shortest(value.quantize(Decimal('0.1'), ROUND_DOWN))} hours"
    if unit in ("ms", "calls", "tokens"):
        whole = value.quantize(Decimal(1), ROUND_HALF_EVEN)
        return f"{whole:,f} {unit[:-1] if whole == 1 and unit != 'ms' else unit}"
    return f"{money.shown(value, unit)} {unit}"


def duration(minutes: float | Decimal) -> str:
    """A time for people: 90 minutes, 3 h 20 min, 2 days 4 h."""
    whole = int(minutes)
    if whole < _MINUTES_AS_HOURS:
        return f"{whole} minute{'' if whole == 1 else 's'}"
    hours, rest = divmod(whole, 60)
    if hours < 48:  # noqa: PLR2004  # two days
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def _kind(terms: RuleTerms) -> Kind:
    return KINDS[terms.kind]


def value_of(measured: Measured) -> str:
    """What was measured, with its unit, for people."""
    return "too little" if measured.value is None else shown(measured.value, measured.unit)


def _time(measured: Measured) -> str:
    start, end = measured.start.astimezone(UTC), measured.end.astimezone(UTC)
    same_day = start.date() == end.date()
    return f"{start:%Y-%m-%d %H:%M} to {end:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} UTC"


def _where(rule: Rule, measured: Measured) -> dict[str, Any]:
    """What it is of, and whom it is for."""
    team = only_team(rule.terms.filter)
    return {"rule_id": rule.id, "team": measured.team if team is None else team}


def _leads_to(text: str, page: str, api_url: str | None) -> dict[str, Any]:
    """A link to a page, where the address of the API is known."""
    return {"link_text": text, "link": f"{api_url.rstrip('/')}/{page}"} if api_url else {}


def _page(rule: Rule) -> str:
    return f"alerts/rules/{rule.id}"


def _data(rule: Rule, measured: Measured) -> dict[str, Any]:
    return {
        "rule": rule.terms.name,
        "rule_kind": rule.terms.kind,
        "version": rule.version,
        "subject": measured.subject,
        "value": None if measured.value is None else format(measured.value, "f"),
        "unit": measured.unit,
        "start": moment_text(measured.start),
        "end": moment_text(measured.end),
        **measured.detail,
    }
