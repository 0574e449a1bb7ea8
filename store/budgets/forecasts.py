"""Remembers what periods of budgets are expected to come to: the latest forecast of each."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.budgets.budgets import Budget
from spend.forecasts.forecast import Forecast
from spend.periods import Period
from store.tables.budgets import forecasts as kept

Key = tuple[int, datetime]
"""Of a forecast: the budget's id, and the start (UTC) of its period."""

_KEYS = ("tenant_id", "budget_id", "period_start")


def forecasts(session: Session, tenant: int) -> dict[Key, Forecast]:
    """The latest forecast of each period that has one."""
    rows = session.execute(select(kept).where(kept.c.tenant_id == tenant)).mappings()
    return {
        (row["budget_id"], row["period_start"]): Forecast(
            **{name: row[name] for name in Forecast.__dataclass_fields__}
        )
        for row in rows
    }


def forecast_among(
    held: Mapping[Key, Forecast], budget: Budget, period: Period | None
) -> Forecast | None:
    """That of a budget's period, if it was made for terms that measure the same."""
    found = None if period is None else held.get((budget.id, period.start))
    return found if found is not None and found.version >= budget.armed else None


def put(session: Session, tenant: int, made: Mapping[Key, Forecast]) -> None:
    """Puts forecasts in the place of earlier ones of the same periods."""
    if not made:
        return
    rows = [
        {"tenant_id": tenant, "budget_id": budget_id, "period_start": start} | _values(forecast)
        for (budget_id, start), forecast in sorted(made.items())
    ]
    new = insert(kept)
    changed = {name: new.excluded[name] for name in Forecast.__dataclass_fields__}
    session.execute(new.on_conflict_do_update(index_elements=_KEYS, set_=changed), rows)


def keep_only(session: Session, tenant: int, keys: Collection[Key]) -> None:
    """Forgets forecasts of all other periods: they have ended, or nothing is known of them."""
    others = tuple_(kept.c.budget_id, kept.c.period_start).not_in(sorted(keys))
    session.execute(delete(kept).where(kept.c.tenant_id == tenant, others))


def _values(forecast: Forecast) -> dict[str, Any]:
    return {name: getattr(forecast, name) for name in Forecast.__dataclass_fields__}
