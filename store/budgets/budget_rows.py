"""Rows of budgets: each is a version, with the terms that it had."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, insert, not_, or_, select, update
from sqlalchemy.orm import Session

from spend.budgets.budget_periods import FISCAL
from spend.budgets.budgets import Budget, OwnPeriod, Terms, with_arming
from spend.fiscal import CALENDAR_YEAR, FiscalYear
from store.free_names import unless_taken
from store.tables.budgets import budgets

_NAME_IN_FORCE: Final = "uq_budgets_name_in_force"


class NameTaken(ValueError):  # noqa: N818  # a conflict that the writer resolves
    """Another budget in force has that name: choose another, or change that one."""


def held(session: Session, tenant: int, wanted: ColumnElement[bool]) -> list[Budget]:
    """Versions that were not withdrawn, by id and version; of a budget all of them, or none."""
    rows = session.execute(
        select(budgets)
        .where(budgets.c.tenant_id == tenant, wanted)
        .order_by(budgets.c.id, budgets.c.version)
    )
    found: list[Budget] = []
    for _, each in groupby(map(_budget, rows), key=attrgetter("id")):
        found.extend(_armed(list(each)))
    return found


def versions(session: Session, tenant: int, budget_id: int) -> list[Budget]:
    """Every version of a budget, those to come and those withdrawn too, as they are kept.

    Of one that another is to follow, ``replaced_at`` may be still to come.
    """
    rows = session.execute(
        select(budgets).where(_is(tenant, budget_id)).order_by(budgets.c.version)
    )
    found = [_budget(row) for row in rows]
    armed = {each.version: each.armed for each in _armed(found)}
    return [replace(each, armed=armed.get(each.version, each.version)) for each in found]


def has_begun(moment: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Of rows of budgets: those that hold at a moment (UTC), or did; none that was withdrawn.

    One that was made at once has begun, whatever this machine's clock says.
    """
    later = budgets.c.effective_from
    never = budgets.c.replaced_at.is_not_distinct_from(later)
    return or_(later.is_(None), and_(later <= moment, not_(never)))


def withdrawn(version: Budget) -> bool:
    """Whether it was taken back before it began."""
    return version.effective_from is not None and version.replaced_at == version.effective_from


def _armed(all_versions: Iterable[Budget]) -> list[Budget]:
    """Those that were not withdrawn, each with the version that its crossings belong to."""
    left = [each for each in all_versions if not withdrawn(each)]
    armed = with_arming([(each.version, each.terms) for each in left])
    return [replace(each, armed=first) for each, first in zip(left, armed, strict=True)]


def _is(tenant: int, budget_id: int) -> ColumnElement[bool]:
    return (budgets.c.tenant_id == tenant) & (budgets.c.id == budget_id)


def end(session: Session, tenant: int, budget: Budget, at: datetime | None) -> None:
    """Has a version hold until a moment (UTC); None: until further notice."""
    session.execute(
        update(budgets)
        .where(_is(tenant, budget.id), budgets.c.version == budget.version)
        .values(replaced_at=at)
    )


def put(session: Session, tenant: int, budget: Budget) -> None:
    """Writes a new version. Raises NameTaken."""
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
        "own_period": _kept(terms.own_period),
        "rollover_cap": terms.rollover_cap,
        "parent_id": terms.parent_id,
        "owner": terms.owner,
        "forecast_thresholds": list(terms.forecast_thresholds),
        "pace_thresholds": list(terms.pace_thresholds),
        "channel_ids": list(terms.channel_ids),
        "remind_hours": terms.remind_hours,
        "created_at": budget.created_at,
        "effective_from": budget.effective_from,
    }
    taken = NameTaken(f"there is a budget named {terms.name!r}")
    with unless_taken(session, _NAME_IN_FORCE, taken):
        session.execute(insert(budgets).values(row))


def _budget(row: Row[Any]) -> Budget:
    unreadable, fiscal, own = None, CALENDAR_YEAR, None
    try:
        fiscal, own = fiscal_year(row.fiscal), own_period(row.own_period)
    except (KeyError, TypeError, ValueError) as error:
        # One budget that this version cannot read must not hide all others.
        unreadable = f"how its periods are cut cannot be read: {error}"
    terms = Terms(
        name=row.name,
        filter={name: tuple(values) for name, values in sorted(row.filter.items())},
        amount=row.amount,
        currency=row.currency,
        period=row.period,
        timezone=row.timezone,
        thresholds=tuple(row.thresholds),
        webhook_url=row.webhook_url,
        fiscal=fiscal,
        own_period=own,
        rollover_cap=row.rollover_cap,
        parent_id=row.parent_id,
        owner=row.owner,
        forecast_thresholds=tuple(row.forecast_thresholds),
        pace_thresholds=tuple(row.pace_thresholds),
        channel_ids=tuple(row.channel_ids),
        remind_hours=row.remind_hours,
    )
    return Budget(
        row.id,
        row.version,
        terms,
        row.created_at,
        row.replaced_at,
        armed=row.version,
        effective_from=row.effective_from,
        unreadable=unreadable,
    )


def own_period(kept: dict[str, Any] | None) -> OwnPeriod | None:
    """How custom periods are cut, from how a row says it."""
    if kept is None:
        return None
    ends_on = kept.get("ends_on")
    return OwnPeriod(
        date.fromisoformat(kept["starts_on"]),
        kept.get("days"),
        None if ends_on is None else date.fromisoformat(ends_on),
    )


def _kept(own: OwnPeriod | None) -> dict[str, Any] | None:
    if own is None:
        return None
    said = {"starts_on": str(own.starts_on), "days": own.days}
    return said | {"ends_on": None if own.ends_on is None else str(own.ends_on)}


def fiscal_year(kept: dict[str, Any] | None) -> FiscalYear:
    """How fiscal periods are cut, from how a row says it."""
    return CALENDAR_YEAR if kept is None else FiscalYear(**kept)
