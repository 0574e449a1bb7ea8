"""/v1/alert-rules: what is watched besides budgets, and where it stands."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from api.alerts.rule_shapes import (
    NewRule,
    RuleAnswer,
    RuleChange,
    RulesAnswer,
    StatesAnswer,
    rule_answer,
    state_answer,
)
from api.auth import Caller, Who, of_their_filter
from api.dependencies import Clock, Config, Reading, Tenant, Writing
from api.problems import Problem, answers
from api.settings import ApiSettings
from spend.alerts.alert_rules import Rule, RuleTerms
from spend.checked_fields import TermsRefused
from store.alerts import alert_rules, rule_states
from store.alerts.rule_fields import rule_said
from store.channel_names import channel_names

router = APIRouter(prefix="/v1/alert-rules", tags=["alert rules"])

RuleId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post(
    "", status_code=201, summary="Set an alert rule", responses=answers(401, 403, 409, 422, 503)
)
def create(
    session: Writing, tenant: Tenant, clock: Clock, config: Config, who: Who, body: NewRule
) -> RuleAnswer:
    """Tells, from now on, when what it measures passes a bound, and when it has recovered."""
    names = channel_names(session, tenant)
    wanted = terms_said(body.model_dump(exclude_unset=True), names, config)
    of_their_filter(who, wanted.filter)
    try:
        return rule_answer(alert_rules.create(session, tenant, wanted, clock()), names)
    except alert_rules.RuleNameTaken as taken:
        raise _taken(taken) from None


@router.get("", summary="All alert rules", responses=answers(401, 403, 503))
def list_all(session: Reading, tenant: Tenant, who: Who) -> RulesAnswer:
    """Rules in force, oldest first. A key of one team sees those on that team alone."""
    names = channel_names(session, tenant)
    found = [each for each in alert_rules.all_in_force(session, tenant) if visible(each.terms, who)]
    return RulesAnswer(rules=[rule_answer(each, names) for each in found])


@router.get("/{rule_id}", summary="An alert rule", responses=answers(401, 403, 404, 422, 503))
def show(session: Reading, tenant: Tenant, who: Who, rule_id: RuleId) -> RuleAnswer:
    """A rule as it holds now."""
    return rule_answer(_found(session, tenant, who, rule_id), channel_names(session, tenant))


@router.get(
    "/{rule_id}/states",
    summary="Where an alert rule stands",
    responses=answers(401, 403, 404, 422, 503),
)
def states(session: Reading, tenant: Tenant, who: Who, rule_id: RuleId) -> StatesAnswer:
    """Where each of its subjects stood when it was last measured."""
    rule = _found(session, tenant, who, rule_id)
    opened = rule_states.opened(session, tenant)
    kept = rule_states.states(session, tenant, rule_id).get(rule_id, [])
    return StatesAnswer(
        rule=rule_answer(rule, channel_names(session, tenant)),
        states=[state_answer(each, opened.get((rule_id, each.subject), [])) for each in kept],
    )


@router.patch(
    "/{rule_id}",
    summary="Change an alert rule",
    responses=answers(401, 403, 404, 409, 422, 503),
)
def change(
    session: Writing,
    tenant: Tenant,
    clock: Clock,
    config: Config,
    who: Who,
    rule_id: RuleId,
    body: RuleChange,
) -> RuleAnswer:
    """Makes a new version, in force at once.

    With other bounds what is open stays open; where it measures something else, it is closed
    without a word, and the rule begins anew.
    """
    current = _found(session, tenant, who, rule_id, lock=True)
    names = channel_names(session, tenant)
    said = body.model_dump(exclude_unset=True)
    wanted = terms_said(said, names, config, changes=current.terms)
    of_their_filter(who, wanted.filter)
    try:
        changed = alert_rules.change(session, tenant, rule_id, wanted, clock())
    except alert_rules.RuleNameTaken as taken:
        raise _taken(taken) from None
    return rule_answer(changed, names)


@router.delete(
    "/{rule_id}",
    status_code=204,
    summary="Close an alert rule",
    responses=answers(401, 403, 404, 422, 503),
)
def close(session: Writing, tenant: Tenant, clock: Clock, who: Who, rule_id: RuleId) -> None:
    """Ends it from now on, and what is open of it without a word. Its alerts stay in /v1/alerts."""
    _found(session, tenant, who, rule_id, lock=True)
    alert_rules.close(session, tenant, rule_id, clock())


def visible(terms: RuleTerms, who: Caller) -> bool:
    """Whether a caller may see a rule: a key of one team only those on that team alone."""
    return who.team is None or terms.filter.get("team") == (who.team,)


def terms_said(
    said: Mapping[str, Any],
    names: Mapping[int, str],
    config: ApiSettings,
    *,
    changes: RuleTerms | None = None,
) -> RuleTerms:
    """The terms that somebody said, or Problem 422; ``changes`` are those that they change."""
    try:
        usual = {"currency": config.currency, "timezone": config.timezone.key}
        return rule_said(said, names, usual=usual, changes=changes)
    except TermsRefused as refused:
        detail = f"{refused.field}: {refused}"
        raise Problem(422, "The rule makes no sense", detail, field=refused.field) from None


def _found(session: Session, tenant: int, who: Caller, rule_id: int, *, lock: bool = False) -> Rule:
    try:
        found = alert_rules.in_force(session, tenant, rule_id, lock=lock)
    except alert_rules.NoSuchRule as missing:
        raise Problem(404, "No such alert rule", str(missing), field="rule_id") from None
    if not visible(found.terms, who):
        # Not 403: that would tell which ids there are.
        detail = f"no alert rule {rule_id} is in force"
        raise Problem(404, "No such alert rule", detail, field="rule_id")
    return found


def _taken(taken: alert_rules.RuleNameTaken) -> Problem:
    return Problem(409, "The name is taken", str(taken), field="name")
