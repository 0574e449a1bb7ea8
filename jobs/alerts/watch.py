"""Measures what alert rules watch, and writes what passed a bound or recovered, with its message.

A crossing and its message are written in one transaction, under an index that lets one be open for
each rule, subject and level: whoever comes second writes nothing. A rule that cannot be measured is
shown as failing and harms no other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.orm import Session

from jobs.context import Done, JobContext
from spend.alerts import rule_words
from spend.alerts.alert_rules import Measured, Rule
from spend.alerts.rule_kinds import KINDS
from spend.alerts.rule_states import FAILING, Open, State, Step, gone, step
from spend.channels.notices import Notice
from store.alerts import alert_rules, rule_states
from store.alerts.rule_states import Kept
from store.channels.notify import tell
from store.tenants import TENANT
from store.watched.attempts import Attempt, attempt, failed

log = structlog.get_logger(__name__)

TOLD_AFTER: Final = timedelta(hours=1)
"""So long a rule fails before somebody is told."""


def run(context: JobContext) -> Done:
    """One round over all rules in force, at ``context.now``."""
    with context.database.read() as session:
        rules = alert_rules.all_in_force(session, TENANT)
        before = rule_states.states(session, TENANT)
        found = [
            attempt(session, TENANT, rule, context.now)
            for rule in rules
            if context.by_hand or is_due(rule, before.get(rule.id, ()), context.now)
        ]
    if not rules:
        return Done("no rules")
    told = 0
    with context.database.write() as session:
        versions = alert_rules.held_still(session, TENANT)
        known = rule_states.states(session, TENANT)
        opened = rule_states.opened(session, TENANT)
        for each in found:
            if versions.get(each.rule.id) == each.rule.version:
                told += _settled(session, each, known.get(each.rule.id, ()), opened, context)
            # Else it was changed since it was measured: the next round measures it anew.
    failing = sum(each.error is not None for each in found)
    return Done(
        f"{len(rules)} rules, {told} messages" + (f", {failing} failing" if failing else "")
    )


def is_due(rule: Rule, known: Sequence[Kept], now: datetime) -> bool:
    """Whether a rule is to be measured: not again before its kind's time has passed."""
    last = max((kept.evaluated_at for kept in known), default=rule.created_at)
    # A round comes now and then some moments early.
    kind = KINDS.get(rule.terms.kind)
    every = timedelta(minutes=kind.every_minutes - 1) if kind else timedelta()
    return not every or last <= rule.created_at or now - last > every


def _settled(
    session: Session,
    found: Attempt,
    known: Sequence[Kept],
    opened: Mapping[tuple[int, str], list[Open]],
    context: JobContext,
) -> int:
    """Writes what follows for one rule; answers how many messages that are."""
    before = {kept.subject: kept.state for kept in known}
    try:
        with session.begin_nested():
            if found.error is None:
                return _follow(session, found, before, opened, context)
    except Exception as error:  # noqa: BLE001  # its words, for one: it is shown, and logged
        found = failed(found.rule, error)
    try:
        with session.begin_nested():
            return _fail(session, found, before.get(""), context)
    except Exception as error:  # that it fails could not be written either
        failed(found.rule, error)
        log.exception("an alert rule fails, and cannot be shown to", rule=found.rule.id)
        return 0


def _follow(
    session: Session,
    found: Attempt,
    before: Mapping[str, State],
    opened: Mapping[tuple[int, str], list[Open]],
    context: JobContext,
) -> int:
    rule, now = found.rule, context.now
    told = 0
    states: list[tuple[State, Measured]] = []
    forgotten: list[str] = []
    for measured in found.measured:
        open_ = opened.get((rule.id, measured.subject), [])
        next_ = step(rule.terms, before.get(measured.subject), open_, measured, now)
        told += _act(session, rule, measured, next_, context)
        if next_.state is None:
            forgotten.append(measured.subject)
        else:
            states.append((next_.state, measured))
    rule_states.put_states(session, TENANT, rule.id, states, now)
    seen = {measured.subject for measured in found.measured}
    unmeasured: dict[str, State] = {}
    for subject in before.keys() - seen:
        next_ = gone(before[subject], opened.get((rule.id, subject), []), now)
        _recover(session, next_.recovers, now)
        if next_.state is None:
            forgotten.append(subject)
        else:
            unmeasured[subject] = next_.state
    rule_states.put_known(session, TENANT, rule.id, unmeasured, now)
    rule_states.forget(session, TENANT, rule.id, forgotten)
    return told


def _act(session: Session, rule: Rule, measured: Measured, next_: Step, context: JobContext) -> int:
    now, api_url = context.now, context.settings.api_url
    recovered = _recover(session, next_.recovers, now)
    if recovered and next_.tells:
        notice = rule_words.recovered(rule, measured, recovered[0], now, api_url)
        return _tell(session, rule, notice, f"recovered:{recovered[0].id}", now)
    if next_.opens is not None:
        id_ = rule_states.open_crossing(session, TENANT, rule, measured, next_.opens, now)
        if id_ is not None:
            notice = rule_words.crossed(rule, measured, next_.opens, id_, api_url)
            return _tell(session, rule, notice, f"crossing:{id_}", now)
    if next_.reminds is not None and rule_states.remind(session, TENANT, next_.reminds, now):
        what = next_.reminds
        notice = rule_words.reminder(rule, measured, what, now, api_url)
        # Each is at another moment.
        return _tell(session, rule, notice, f"reminder:{what.id}:{now.timestamp():.0f}", now)
    return 0


def _recover(session: Session, crossings: Sequence[Open], now: datetime) -> list[Open]:
    return [each for each in crossings if rule_states.recover(session, TENANT, each.id, now)]


def _fail(session: Session, found: Attempt, before: State | None, context: JobContext) -> int:
    """Shows that a rule could not be measured; told once, if it has been so for a while."""
    error, now = found.error or "", context.now
    same = before is not None and before.state == FAILING
    if not same:
        # Once, not each minute.
        log.error("an alert rule fails", rule=found.rule.id, why=error, exc_info=found.cause)
    state = before if before is not None and same else State(FAILING, now)
    rule_states.put_failing(session, TENANT, found.rule.id, state, error, now)
    if now - state.since < TOLD_AFTER:
        return 0
    notice = rule_words.failing(found.rule, error, state.since, context.settings.api_url)
    key = f"rule-failing:{found.rule.id}:{state.since.timestamp():.0f}"
    return _tell(session, found.rule, notice, key, now)


def _tell(session: Session, rule: Rule, notice: Notice, key: str, now: datetime) -> int:
    return tell(session, TENANT, notice, key=key, channel_ids=rule.terms.channel_ids, now=now)
