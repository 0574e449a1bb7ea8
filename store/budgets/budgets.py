"""Remembers budgets: one row a version, of which at most one is in force.

A version holds from when it was made, or from a later moment that it names; until then the one
before it does, whose ``replaced_at`` is that moment. One that is withdrawn before it begins is
replaced when it would have begun: it never held.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import Session

from spend.budgets.budget_tree import check_placed
from spend.budgets.budgets import Budget, Terms
from spend.checked_fields import TermsRefused
from store import audit
from store.budgets.budget_rows import NameTaken, end, held, put, versions, withdrawn
from store.tables.budgets import BUDGET_IDS, budgets

__all__ = [
    "ChangeScheduled",
    "HasChildren",
    "NameTaken",
    "NoSuchBudget",
    "all_in_force",
    "change",
    "close",
    "create",
    "following",
    "held_at",
    "in_force",
    "live",
    "lock_all",
    "versions",
    "with_history",
    "withdraw",
    "withdrawn",
]

_INSTANT: Final = timedelta(microseconds=1)


class NoSuchBudget(LookupError):  # noqa: N818  # an answer, not a failure
    """No budget in force has that id."""


class ChangeScheduled(ValueError):  # noqa: N818  # a conflict that the writer resolves
    """A change is to come: it is withdrawn first."""


class HasChildren(ValueError):  # noqa: N818  # a conflict that the writer resolves
    """Other budgets are parts of this one: they are closed, or have another parent, first."""


def create(session: Session, tenant: int, terms: Terms, now: datetime) -> Budget:
    """Puts a new budget in force at ``now``. Raises NameTaken, TermsRefused."""
    lock_all(session, tenant)
    check_placed(None, terms, live(session, tenant, now))
    budget = Budget(session.execute(select(BUDGET_IDS.next_value())).scalar_one(), 1, terms, now)
    put(session, tenant, budget)
    audit.note(session, tenant, did="created", **_named(budget), after=terms)
    return budget


def change(
    session: Session,
    tenant: int,
    budget_id: int,
    terms: Terms,
    now: datetime,
    effective_from: datetime | None = None,
) -> Budget:
    """Puts a new version in force, at ``now`` or from a later moment on (UTC).

    The same terms again change nothing. Raises NoSuchBudget, ChangeScheduled, NameTaken,
    TermsRefused.
    """
    current = in_force(session, tenant, budget_id, now, lock=True)
    all_versions = versions(session, tenant, budget_id)
    if current.terms == terms:
        return current
    if effective_from is not None:
        _check_later(effective_from, current, terms, now)
    check_placed(budget_id, terms, live(session, tenant, now))
    version = following(all_versions, current, terms, now, effective_from)
    end(session, tenant, current, version.starts)
    put(session, tenant, version)
    audit.note(session, tenant, did="changed", **_named(version), before=current.terms, after=terms)
    return version


def following(
    all_versions: Iterable[Budget],
    current: Budget,
    terms: Terms,
    now: datetime,
    effective_from: datetime | None = None,
) -> Budget:
    """The version that is to replace the current one, not written yet.

    Raises ChangeScheduled.
    """
    last = current.version
    for each in all_versions:
        last = max(last, each.version)
        if _to_come(each, now):
            said = f"version {each.version} is to hold from {each.starts:%Y-%m-%d %H:%M} UTC on"
            raise ChangeScheduled(f"{current.terms.name}: {said}: withdraw it first")
    # Never before it began, whatever the clocks of two replicas say.
    now = max(now, current.created_at)
    if current.effective_from is not None:
        now = max(now, current.effective_from + _INSTANT)
    armed = current.armed if terms.measures_like(current.terms) else last + 1
    return Budget(current.id, last + 1, terms, now, armed=armed, effective_from=effective_from)


def withdraw(session: Session, tenant: int, budget_id: int, version: int, now: datetime) -> Budget:
    """Takes back a version that has not begun: the one before it goes on, and is answered.

    Raises NoSuchBudget: there is no such version; ChangeScheduled: it has begun.
    """
    current = in_force(session, tenant, budget_id, now, lock=True)
    found = {each.version: each for each in versions(session, tenant, budget_id)}
    if version not in found or withdrawn(found[version]):
        raise NoSuchBudget(f"budget {budget_id} has no version {version}")
    to_come = found[version]
    if to_come.starts <= now:
        raise ChangeScheduled(f"version {version} is in force since {to_come.starts:%Y-%m-%d}")
    end(session, tenant, to_come, to_come.starts)
    end(session, tenant, current, None)
    withdrew = {"version": version, "terms": to_come.terms}
    audit.note(session, tenant, did="withdrew a change of", **_named(current), before=withdrew)
    return current


def close(session: Session, tenant: int, budget_id: int, now: datetime) -> None:
    """Ends a budget: it is no longer compared with anything. Raises NoSuchBudget, HasChildren.

    A change that is to come is withdrawn.
    """
    current = in_force(session, tenant, budget_id, now, lock=True)
    others = live(session, tenant, now).values()
    names = [
        each[0].terms.name
        for each in others
        if any(version.terms.parent_id == budget_id for version in each)
    ]
    if names:
        raise HasChildren(f"it has children: {', '.join(map(repr, names[:10]))}")
    for each in versions(session, tenant, budget_id):
        if each.starts > now and each.version > current.version and not withdrawn(each):
            end(session, tenant, each, each.starts)
    end(session, tenant, current, max(now, current.starts))
    audit.note(session, tenant, did="closed", **_named(current), before=current.terms)


def _named(budget: Budget) -> audit.Subject:
    return {"noun": "budget", "noun_id": budget.id, "name": budget.terms.name}


def lock_all(session: Session, tenant: int) -> None:
    """Keeps others from changing any budget until the transaction ends.

    One lock for all: what a budget may say hangs on those above and below it.
    """
    # Not row locks: whoever waited for one would hold the version that was replaced.
    key = func.hashtext("spanledger budgets"), tenant
    session.execute(select(func.pg_advisory_xact_lock(*key)))


def in_force(
    session: Session, tenant: int, budget_id: int, now: datetime, *, lock: bool = False
) -> Budget:
    """The version of a budget that holds now. Raises NoSuchBudget.

    ``lock`` keeps others from changing budgets until the transaction ends.
    """
    if lock:
        lock_all(session, tenant)
    found = held(session, tenant, budgets.c.id == budget_id)
    begun = _begun(found, now)
    # Whoever waited for the lock asks as of before: what was closed meanwhile stays closed.
    is_closed = lock and bool(found) and found[-1].replaced_at is not None
    if is_closed or not begun or begun[-1].replaced_at is not None:
        raise NoSuchBudget(f"no budget {budget_id} is in force")
    return begun[-1]


def all_in_force(session: Session, tenant: int, now: datetime) -> list[Budget]:
    """Every budget that holds now, by id."""
    return [each for each in with_history(session, tenant, now) if each.replaced_at is None]


def with_history(
    session: Session, tenant: int, now: datetime, ids: Collection[int] | None = None
) -> list[Budget]:
    """Every version that has begun of every budget that holds now, by id and version.

    What is to come is not in it: the version in force is the one with no ``replaced_at``. ``ids``:
    of these budgets alone.
    """
    found: list[Budget] = []
    for each in _of_those_left(session, tenant, now, ids):
        begun = _begun(each, now)
        if begun and begun[-1].replaced_at is None:
            found.extend(begun)
    return found


def live(session: Session, tenant: int, now: datetime) -> dict[int, list[Budget]]:
    """By id of each budget in force: the version that holds, and the one to come, if there is."""
    found = {}
    for each in _of_those_left(session, tenant, now):
        begun = _begun(each, now)
        if begun and begun[-1].replaced_at is None:
            to_come = [later for later in each if _to_come(later, now)]
            found[begun[-1].id] = [begun[-1], *to_come]
    return found


def held_at(session: Session, tenant: int, moment: datetime) -> list[Budget]:
    """Every version that had begun, as it was known at a moment (UTC), of every budget held then.

    What was to come then is not in it.
    """
    then = budgets.c.tenant_id == tenant, budgets.c.created_at <= moment
    holding = select(budgets.c.id).where(
        *then, or_(budgets.c.replaced_at.is_(None), budgets.c.replaced_at > moment)
    )
    found = held(session, tenant, and_(*then, budgets.c.id.in_(holding)))
    kept: list[Budget] = []
    for _, each in groupby(found, key=attrgetter("id")):
        begun = _begun(list(each), moment)
        if begun and begun[-1].replaced_at is None:
            kept.extend(begun)
    return kept


def _check_later(starts: datetime, current: Budget, terms: Terms, now: datetime) -> None:
    if starts <= now:
        raise TermsRefused("effective_from", "it has passed: leave it out to change it at once")
    if terms.name != current.terms.name:
        reason = "a name changes at once: leave effective_from out, and change the rest after it"
        raise TermsRefused("name", reason)


def _begun(all_versions: Iterable[Budget], now: datetime) -> list[Budget]:
    """Versions that have begun; the last has no ``replaced_at`` if it holds.

    One that was made at once has begun, whatever this machine's clock says.
    """
    begun = [
        each for each in all_versions if each.effective_from is None or each.effective_from <= now
    ]
    if begun and (ended := begun[-1].replaced_at) is not None and ended > now:
        begun[-1] = replace(begun[-1], replaced_at=None)
    return begun


def _to_come(version: Budget, now: datetime) -> bool:
    starts = version.effective_from
    return starts is not None and starts > now and not withdrawn(version)


def _of_those_left(
    session: Session, tenant: int, now: datetime, ids: Collection[int] | None = None
) -> list[list[Budget]]:
    """By budget, all versions of those of which one is not replaced yet."""
    holding = select(budgets.c.id).where(
        budgets.c.tenant_id == tenant,
        or_(budgets.c.replaced_at.is_(None), budgets.c.replaced_at > now),
        budgets.c.id.in_(ids) if ids is not None else true(),
    )
    found = held(session, tenant, budgets.c.id.in_(holding))
    return [list(each) for _, each in groupby(found, key=attrgetter("id"))]
