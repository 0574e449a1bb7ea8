"""Makes the budgets and alert rules of a ledger what a file says, all of it or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from spend.budgets.budget_files import BudgetFile, BudgetFileRefusedError, Written
from spend.budgets.budget_tree import check_placed
from spend.budgets.budgets import Budget, Terms
from spend.checked_fields import TermsRefused
from store import audit
from store.alerts import alert_rules
from store.alerts.rule_fields import rule_fields, rule_said
from store.budgets import budgets
from store.budgets.budget_names import Names, Usual, names, terms_said
from store.budgets.budget_rows import end, put
from store.tables.budgets import BUDGET_IDS

CREATED: Final = "created"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a budget or a rule."""

    kind: Literal["budget", "alert rule"]
    name: str
    what: str
    """CREATED, CHANGED, UNCHANGED or CLOSED."""
    changes: tuple[tuple[str, Any, Any], ...] = ()
    """Field, before and after, of what was changed."""


def exported(session: Session, tenant: int, now: datetime) -> tuple[list[Any], list[Any]]:
    """The fields of all budgets and of all rules in force; of secrets what is shown of them."""
    there = names(session, tenant, now)
    rules = alert_rules.all_in_force(session, tenant)
    return (
        [there.fields(each[0].terms) for each in there.live.values()],
        [rule_fields(each.terms, there.channels) for each in rules],
    )


def take(
    session: Session,
    tenant: int,
    file: BudgetFile,
    usual: Usual,
    now: datetime,
    *,
    close_missing: bool,
) -> list[Taken]:
    """Makes budgets and rules what the file says, found by their names.

    ``close_missing`` closes those that a section of the file does not name. Raises
    BudgetFileRefusedError, and budgets.ChangeScheduled of one that is to change later anyway.
    """
    budgets.lock_all(session, tenant)
    there = names(session, tenant, now)
    taken = [
        *_budgets(session, tenant, file.budgets, there, usual, now, close_missing),
        *_rules(session, tenant, file.alert_rules, there, usual, now, close_missing),
    ]
    for each in taken:
        if each.what != UNCHANGED:
            audit.note(
                session,
                tenant,
                did=f"{each.what} by a file",
                noun=each.kind,
                name=each.name,
                before={field: was for field, was, _ in each.changes} or None,
                after={field: now for field, _, now in each.changes} or None,
            )
    return taken


def _budgets(
    session: Session,
    tenant: int,
    said: Sequence[Written] | None,
    there: Names,
    usual: Usual,
    now: datetime,
    close_missing: bool,
) -> list[Taken]:
    if said is None:
        return []
    held = {each[0].terms.name: each[0] for each in there.live.values()}
    missing = held.keys() - {each.name for each in said} if close_missing else set()
    left = {name: each for name, each in held.items() if name not in missing}
    new = [each.name for each in said if each.name not in held]
    ids = {name: session.execute(select(BUDGET_IDS.next_value())).scalar_one() for name in new}
    known = replace(there, budgets={name: each.id for name, each in left.items()} | ids)
    wanted = {each.name: _terms(each, known, usual, held) for each in said}
    made = {
        name: budgets.following(
            budgets.versions(session, tenant, left[name].id), left[name], terms, now
        )
        if name in left
        else Budget(ids[name], 1, terms, now)
        for name, terms in wanted.items()
        if name not in left or left[name].terms != terms
    }
    _check(made, left, there, said)
    for name in missing:
        for each in there.live[held[name].id]:
            end(session, tenant, each, max(now, each.starts))
    # All end before any begins: two may change their names with each other.
    for name, each in made.items():
        if name in left:
            end(session, tenant, left[name], each.starts)
    for each in made.values():
        put(session, tenant, each)
    after = names(session, tenant, now)
    taken = []
    for name, terms in wanted.items():
        what = UNCHANGED if name not in made else CHANGED if name in left else CREATED
        was = there.fields(left[name].terms) if name in left else {}
        changes = _changes(was, after.fields(terms)) if what == CHANGED else ()
        taken.append(Taken("budget", name, what, changes))
    return [*taken, *(Taken("budget", name, CLOSED) for name in sorted(missing))]


def _terms(said: Written, there: Names, usual: Usual, held: Mapping[str, Budget]) -> Terms:
    current = held.get(said.name)
    try:
        return terms_said(
            said.fields, there, usual, kept=current.terms.webhook_url if current else None
        )
    except TermsRefused as refused:
        raise BudgetFileRefusedError(said.place, refused.field, str(refused)) from None


def _check(
    made: Mapping[str, Budget], left: Mapping[str, Budget], there: Names, said: Iterable[Written]
) -> None:
    """Refuses what could not stand together, whatever stands in the file in whichever order."""
    live = {each.id: there.live[each.id] for each in left.values()}
    live |= {each.id: [each] for each in made.values()}
    closed = there.live.keys() - live.keys()
    places = {each.name: each.place for each in said}
    for versions in live.values():
        name, terms = versions[0].terms.name, versions[0].terms
        if name not in made and terms.parent_id not in closed:
            continue
        try:
            check_placed(versions[0].id, terms, live)
        except TermsRefused as refused:
            place = places.get(name, f"budget {name!r}, which is not in the file")
            raise BudgetFileRefusedError(place, refused.field, str(refused)) from None


def _rules(
    session: Session,
    tenant: int,
    said: Sequence[Written] | None,
    there: Names,
    usual: Usual,
    now: datetime,
    close_missing: bool,
) -> list[Taken]:
    if said is None:
        return []
    held = {each.terms.name: each for each in alert_rules.all_in_force(session, tenant)}
    taken: list[Taken] = []
    for each in said:
        try:
            terms = rule_said(
                each.fields,
                there.channels,
                usual={"currency": usual.currency, "timezone": usual.timezone},
            )
        except TermsRefused as refused:
            raise BudgetFileRefusedError(each.place, refused.field, str(refused)) from None
        if terms.name not in held:
            alert_rules.create(session, tenant, terms, now)
            taken.append(Taken("alert rule", terms.name, CREATED))
            continue
        current = held.pop(terms.name)
        made = alert_rules.change(session, tenant, current.id, terms, now)
        was, becomes = (rule_fields(one, there.channels) for one in (current.terms, terms))
        what = UNCHANGED if made.version == current.version else CHANGED
        taken.append(Taken("alert rule", terms.name, what, _changes(was, becomes)))
    for name, rule in sorted(held.items()) if close_missing else ():
        alert_rules.close(session, tenant, rule.id, now)
        taken.append(Taken("alert rule", name, CLOSED))
    return taken


def _changes(
    was: Mapping[str, Any], becomes: Mapping[str, Any]
) -> tuple[tuple[str, Any, Any], ...]:
    return tuple(
        (field, was[field], value) for field, value in becomes.items() if was[field] != value
    )
