"""Remembers where budgets stand in a period, as they were last compared.

A row is written only when something of it changed. As of when all of them are is said once, by
the run of the job ``budgets`` that compared them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Row,
    and_,
    cast,
    delete,
    func,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlalchemy.orm import Session

from spend.budgets.rollover import limit
from spend.money import ATOM_DIGITS, ROUNDING, plain
from spend.periods import Period
from store.completeness import dealt_with_by
from store.tables.budgets import budgets
from store.tables.budgets import standings as table

JOB: Final = "budgets"
"""Whose runs say as of when standings are."""

_ATOM: Final = Decimal(1).scaleb(-ATOM_DIGITS)
_WRITTEN: Final = ("period_end", "version", "spent", "rolled_in", "without_rate", "pace", "state")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a budget stands in a period. Amounts are in the budget's currency."""

    budget_id: int
    version: int
    """By whose terms it was compared."""
    period: Period
    spent: Decimal
    """With 12 decimals: what was converted is rounded to them once."""
    rolled_in: Decimal
    """What the period before left over, to its cap."""
    limit: Decimal
    """The version's amount, and what was rolled in."""
    state: str
    """ok, warning, over or recovered (spend/budgets/budget_states.py)."""
    pace: int | None = None
    """Percent of the even rate, cut; None: it was not measured."""
    without_rate: Mapping[str, Decimal] = field(default_factory=dict)
    """Currency -> what was spent in it and is not in ``spent``, as it has no rate."""
    as_of: datetime | None = None
    """Everything heard before (UTC) is in ``spent``; None: not known."""
    changed_at: datetime | None = None
    """When it was written (UTC); None: it is not yet."""


def standings(session: Session, tenant: int) -> list[Standing]:
    """Where each budget that is not closed stood when it was last compared, by id.

    Of its latest period: whoever asks at a moment after that one's end knows that it has not been
    compared since. One that cannot be compared has none of the present period.
    """
    latest = select(table).where(table.c.tenant_id == tenant).ext(distinct_on(table.c.budget_id))
    # By the version first: a year that is compared now began before the month that was.
    latest = latest.order_by(table.c.budget_id, table.c.version.desc(), table.c.period_start.desc())
    open_ = select(budgets.c.id).where(
        budgets.c.tenant_id == tenant, budgets.c.replaced_at.is_(None)
    )
    return _read(session, latest.where(table.c.budget_id.in_(open_)).subquery("latest"))


def of_periods(
    session: Session, tenant: int, since: Mapping[int, datetime]
) -> dict[tuple[int, datetime], Standing]:
    """Standings of budgets, each in periods that start at a moment or later, and the last before.

    That last one is settled: it was compared after its end. By budget and start of the period.
    """
    if not since:
        return {}
    pairs = func.unnest(
        cast(list(since), ARRAY(BigInteger)),
        cast(list(since.values()), ARRAY(DateTime(timezone=True))),
    )
    columns = Column("budget_id", BigInteger), Column("since", DateTime(timezone=True))
    asked = pairs.table_valued(*columns, name="asked").render_derived()
    of_it = (table.c.tenant_id == tenant) & (table.c.budget_id == asked.c.budget_id)
    settled = (
        select(table)
        .where(of_it, table.c.period_start < asked.c.since)
        .where(table.c.changed_at >= table.c.period_end)
        .order_by(table.c.period_start.desc())
        .limit(1)
        .lateral("settled")
    )
    wanted = union_all(
        select(table).join(asked, of_it & (table.c.period_start >= asked.c.since)),
        select(settled).join_from(asked, settled, true()),
    )
    found = _read(session, wanted.subquery("wanted"))
    return {(each.budget_id, each.period.start): each for each in found}


def put(session: Session, tenant: int, new: Collection[Standing], now: datetime) -> None:
    """Writes standings, of each budget and start one.

    Of whoever else wrote one of them meanwhile, the last one holds.
    """
    if not new:
        return
    rows = [
        {
            "tenant_id": tenant,
            "budget_id": each.budget_id,
            "period_start": each.period.start,
            "as_of": each.as_of,
            "changed_at": now,
            **_content(each),
        }
        for each in sorted(new, key=lambda each: (each.budget_id, each.period.start))
    ]
    for at in range(0, len(rows), _AT_ONCE):
        put_ = insert(table).values(rows[at : at + _AT_ONCE])
        names = (*_WRITTEN, "as_of", "changed_at")
        session.execute(
            put_.on_conflict_do_update(
                index_elements=list(table.primary_key.columns),
                set_={name: put_.excluded[name] for name in names},
            )
        )


_AT_ONCE: Final = 1000
"""Rows of one statement: Postgres takes 65,535 parameters."""


def changed(
    new: Iterable[Standing], held: Mapping[tuple[int, datetime], Standing], now: datetime
) -> list[Standing]:
    """Which of the new ones are not held already, as of whenever.

    Of a week and a day that begin alike, as versions may have them, the later version's holds.
    When a period has ended it is written once more, so that it shows that it is settled.
    """
    latest = {
        (each.budget_id, each.period.start): each
        for each in sorted(new, key=lambda each: each.version)
    }
    return [
        each
        for each in latest.values()
        if (before := held.get((each.budget_id, each.period.start))) is None
        or _content(before) != _content(each)
        or not (now < each.period.end or is_settled(before))
    ]


def is_settled(standing: Standing) -> bool:
    """Whether it was compared after its period had ended."""
    return standing.changed_at is not None and standing.changed_at >= standing.period.end


def forget(session: Session, tenant: int, budget_ids: Collection[int], now: datetime) -> None:
    """Drops where budgets stand that can no longer be compared: what is kept would be wrong."""
    if budget_ids:
        session.execute(
            delete(table).where(
                table.c.tenant_id == tenant,
                table.c.budget_id.in_(list(budget_ids)),
                table.c.period_end > now,
            )
        )


def rounded(spent: Decimal) -> Decimal:
    """As it is kept: what was converted may be finer than the ledger."""
    return spent.quantize(_ATOM, context=ROUNDING)


def _content(standing: Standing) -> dict[str, Any]:
    without = {code: plain(each) for code, each in sorted(standing.without_rate.items())}
    return {
        "period_end": standing.period.end,
        "version": standing.version,
        "spent": rounded(standing.spent),
        "rolled_in": rounded(standing.rolled_in),
        "without_rate": without or None,
        "pace": standing.pace,
        "state": standing.state,
    }


def _read(session: Session, wanted: Any) -> list[Standing]:
    its_version: ColumnElement[bool] = and_(
        budgets.c.tenant_id == wanted.c.tenant_id,
        budgets.c.id == wanted.c.budget_id,
        budgets.c.version == wanted.c.version,
    )
    compared = dealt_with_by(session, JOB)
    rows = session.execute(
        select(wanted, budgets.c.amount)
        .join_from(wanted, budgets, its_version)
        .order_by(wanted.c.budget_id, wanted.c.period_start)
    )
    return [_standing(row, compared) for row in rows]


def _standing(row: Row[Any], compared: datetime | None) -> Standing:
    known = [moment for moment in (row.as_of, compared) if moment is not None]
    return Standing(
        budget_id=row.budget_id,
        version=row.version,
        period=Period(row.period_start, row.period_end),
        spent=row.spent,
        rolled_in=row.rolled_in,
        limit=limit(row.amount, row.rolled_in),
        state=row.state,
        pace=row.pace,
        without_rate={code: Decimal(each) for code, each in (row.without_rate or {}).items()},
        as_of=max(known, default=None),
        changed_at=row.changed_at,
    )
