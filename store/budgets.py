"""Remembers budgets: one row a version, of which at most one is in force."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import psycopg.errors
from sqlalchemy import ColumnElement, Row, and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from spend.budget_periods import FISCAL
from spend.budgets import Budget, Terms, with_arming
from spend.fiscal import CALENDAR_YEAR, FiscalYear
from store.tables.budgets import BUDGET_IDS, budgets

_NAME_IN_FORCE: Final = "uq_budgets_name_in_force"


class NameTaken(ValueError):  # noqa: N818  # a conflict that the writer resolves
    """Another budget in force has that name: choose another, or change that one."""


class NoSuchBudget(LookupError):  # noqa: N818  # an answer, not a failure
    """No budget in force has that id."""


def create(session: Session, tenant: int, terms: Terms, now: datetime) -> Budget:
    """Puts a new budget in force at ``now``. Raises NameTaken."""
    budget = Budget(session.execute(select(BUDGET_IDS.next_value())).scalar_one(), 1, terms, now)
    _put(session, tenant, budget)
    return budget


def change(session: Session, tenant: int, budget_id: int, terms: Terms, now: datetime) -> Budget:
    """Puts a new version in force at ``now``; the same terms again change nothing.

    Raises NoSuchBudget, NameTaken.
    """
    current = in_force(session, tenant, budget_id, lock=True)
    if current.terms == terms:
        return current
    # Never before it began, whatever the clocks of two replicas say.
    now = max(now, current.created_at)
    _end(session, tenant, current, now)
    armed = current.armed if terms.measures_like(current.terms) else current.version + 1
    budget = replace(current, version=current.version + 1, terms=terms, created_at=now, armed=armed)
    _put(session, tenant, budget)
    return budget


def close(session: Session, tenant: int, budget_id: int, now: datetime) -> None:
    """Ends a budget: it is no longer compared with anything. Raises NoSuchBudget."""
    current = in_force(session, tenant, budget_id, lock=True)
    _end(session, tenant, current, max(now, current.created_at))


def in_force(session: Session, tenant: int, budget_id: int, *, lock: bool = False) -> Budget:
    """The version of a budget that holds now. Raises NoSuchBudget.

    ``lock`` keeps others from changing it until the transaction ends.
    """
    if lock:
        # Not a row lock: whoever waited for one would hold the version that was replaced.
        key = func.hashtext("spanledger budget"), func.hashtext(str(budget_id))
        session.execute(select(func.pg_advisory_xact_lock(*key)))
    found = _versions(session, tenant, budgets.c.id == budget_id)
    if not found or found[-1].replaced_at is not None:
        raise NoSuchBudget(f"no budget {budget_id} is in force")
    return found[-1]


def all_in_force(session: Session, tenant: int) -> list[Budget]:
    """Every budget that holds now, by id."""
    return [each for each in with_history(session, tenant) if each.replaced_at is None]


def with_history(session: Session, tenant: int) -> list[Budget]:
    """Every version of every budget that holds now, by id and version."""
    holding = select(budgets.c.id).where(
        budgets.c.tenant_id == tenant, budgets.c.replaced_at.is_(None)
    )
    return _versions(session, tenant, budgets.c.id.in_(holding))


def held_at(session: Session, tenant: int, moment: datetime) -> list[Budget]:
    """Every version, as it was known at a moment (UTC), of every budget that held then."""
    then = budgets.c.tenant_id == tenant, budgets.c.created_at <= moment
    holding = select(budgets.c.id).where(
        *then, or_(budgets.c.replaced_at.is_(None), budgets.c.replaced_at > moment)
    )
    found = _versions(session, tenant, and_(*then, budgets.c.id.in_(holding)))
    return [
        replace(each, replaced_at=None)
        if each.replaced_at is not None and each.replaced_at > moment
        else each
        for each in found
    ]


def _versions(session: Session, tenant: int, wanted: ColumnElement[bool]) -> list[Budget]:
    rows = session.execute(
        select(budgets)
        .where(budgets.c.tenant_id == tenant, wanted)
        .order_by(budgets.c.id, budgets.c.version)
    )
    found: list[Budget] = []
    for _, versions in groupby(map(_budget, rows), key=lambda each: each.id):
        found.extend(_armed(list(versions)))
    return found


def _armed(versions: Sequence[Budget]) -> list[Budget]:
    armed = with_arming([(each.version, each.terms) for each in versions])
    return [replace(each, armed=first) for each, first in zip(versions, armed, strict=True)]


def _is(tenant: int, budget_id: int) -> ColumnElement[bool]:
    return (budgets.c.tenant_id == tenant) & (budgets.c.id == budget_id)


def _end(session: Session, tenant: int, budget: Budget, now: datetime) -> None:
    session.execute(
        update(budgets)
        .where(_is(tenant, budget.id), budgets.c.version == budget.version)
        .values(replaced_at=now)
    )


def _put(session: Session, tenant: int, budget: Budget) -> None:
    terms = budget.terms
    row = {
        "tenant_id": tenant,
        "id": budget.id,
        "version": budget.version,
        "name": terms.name,
        "filter": {name: list(values) for name, values in terms.filter.items()},
        "amount": terms.amount,
        "currency": terms.currency,
        "period": terms.period,
        "timezone": terms.timezone,
        "fiscal": asdict(terms.fiscal) if terms.period in FISCAL else None,
        "thresholds": list(terms.thresholds),
        "webhook_url": terms.webhook_url,
        "created_at": budget.created_at,
    }
    try:
        # A savepoint, so that the caller's transaction survives a taken name.
        with session.begin_nested():
            session.execute(insert(budgets).values(row))
    except IntegrityError as error:
        cause = error.orig
        if (
            isinstance(cause, psycopg.errors.UniqueViolation)
            and cause.diag.constraint_name == _NAME_IN_FORCE
        ):
            raise NameTaken(f"there is a budget named {terms.name!r}") from None
        raise


def _budget(row: Row[Any]) -> Budget:
    terms = Terms(
        name=row.name,
        filter={name: tuple(values) for name, values in sorted(row.filter.items())},
        amount=row.amount,
        currency=row.currency,
        period=row.period,
        timezone=row.timezone,
        thresholds=tuple(row.thresholds),
        webhook_url=row.webhook_url,
        fiscal=fiscal_year(row.fiscal),
    )
    return Budget(row.id, row.version, terms, row.created_at, row.replaced_at)


def fiscal_year(kept: dict[str, Any] | None) -> FiscalYear:
    """How fiscal periods are cut, from how a row says it."""
    return CALENDAR_YEAR if kept is None else FiscalYear(**kept)
