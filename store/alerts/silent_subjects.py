"""What can be silent: budgets and alert rules that hold."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Rule
from spend.budgets.budget_periods import period_of
from spend.budgets.budgets import Budget
from spend.called import called
from spend.channels.silences import MUTE, Silence
from spend.checked_fields import TermsRefused
from spend.periods import Period
from store.alerts import alert_rules
from store.budgets import budgets
from store.channels import silences


class NoSuchSubject(LookupError):  # noqa: N818  # an answer, not a failure
    """No such budget or alert rule holds: ``field`` says which of the two was asked for."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(said)
        self.field = field


@dataclass(frozen=True, slots=True)
class Subject:
    """A budget or a rule that holds."""

    budget_id: int | None
    rule_id: int | None
    name: str
    teams: tuple[str, ...]
    """That it is on; none: on all."""
    period: Period | None = None
    """Of a budget the present one, if there is one."""

    def end_of(
        self, kind: str, *, until: datetime | None, hours: int | None, now: datetime
    ) -> datetime:
        """When a silence of it ends; TermsRefused where that is not said."""
        if until is not None and hours is not None:
            raise TermsRefused("until", "say either until or hours")
        if until is not None:
            return until
        if hours is not None:
            return now + timedelta(hours=hours)
        if kind == MUTE and self.period is not None:
            return self.period.end
        raise TermsRefused("until", "say until when, or for how many hours")


def found(
    session: Session,
    tenant: int,
    *,
    budget_id: int | None,
    rule_id: int | None,
    team: str | None,
    now: datetime,
) -> Subject:
    """The one of these two that is said. Raises NoSuchSubject; TermsRefused for none and both.

    ``team`` is the only one that whoever asks acts for: what is not of it alone is not there.
    """
    if (budget_id is None) == (rule_id is None):
        raise TermsRefused("budget_id", "say either a budget or an alert rule")
    try:
        if budget_id is not None:
            subject = _budget(budgets.in_force(session, tenant, budget_id, now), now)
        else:
            subject = _rule(alert_rules.in_force(session, tenant, rule_id or 0))
    except budgets.NoSuchBudget as missing:
        raise NoSuchSubject("budget_id", str(missing)) from None
    except alert_rules.NoSuchRule as missing:
        raise NoSuchSubject("rule_id", str(missing)) from None
    if team is not None and subject.teams != (team,):
        field = "budget_id" if rule_id is None else "rule_id"
        raise NoSuchSubject(field, f"no such one of team {team!r} alone is in force")
    return subject


def end(
    session: Session, tenant: int, silence_id: int, *, team: str | None, now: datetime
) -> Silence:
    """Ends a silence early. Raises NoSuchSilence, also for one that is not of the team alone."""
    if team is not None:
        held = silences.one(session, tenant, silence_id)
        subject = in_force(session, tenant, now).get((held.budget_id, held.rule_id))
        if subject is None or subject.teams != (team,):
            raise silences.NoSuchSilence(f"there is no silence {silence_id}")
    return silences.end(session, tenant, silence_id, now)


def named(
    session: Session, tenant: int, *, budget: str | None, rule: str | None, now: datetime
) -> Subject:
    """The one of these two that is said, by its name or its id. Raises as ``found``."""
    if (budget is None) == (rule is None):
        raise TermsRefused("budget", "say either a budget or an alert rule")
    field, said = ("budget", budget) if budget is not None else ("rule", rule or "")
    there = in_force(session, tenant, now).values()
    its = [each for each in there if (each.budget_id is None) == (budget is None)]
    one = called(said, its, lambda each: (each.name, each.budget_id or each.rule_id))
    if one is not None:
        return one
    raise NoSuchSubject(field, f"no {field} {said!r} is in force: give its name or its id")


def in_force(
    session: Session, tenant: int, now: datetime
) -> dict[tuple[int | None, int | None], Subject]:
    """All of them, by budget_id and rule_id."""
    there = [
        *(_budget(each, now) for each in budgets.all_in_force(session, tenant, now)),
        *(_rule(each) for each in alert_rules.all_in_force(session, tenant)),
    ]
    return {(each.budget_id, each.rule_id): each for each in there}


def _budget(budget: Budget, now: datetime) -> Subject:
    said = budget.terms
    return Subject(budget.id, None, said.name, said.filter.get("team", ()), period_of(said, now))


def _rule(rule: Rule) -> Subject:
    return Subject(None, rule.id, rule.terms.name, rule.terms.filter.get("team", ()))
