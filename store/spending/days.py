"""Takes the ledger's lines into the sums of days and months, and notes which routes it knows.

Lines are taken in the order of their ids, each once: up to which, ``ledgers`` says. Nobody posts
while the ledger is held, so no line of a lower id can come after one that was taken.
"""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import ColumnElement, Date, Table, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from spend.periods import Period
from store.breakdowns.booked_time import day_of, month_of
from store.spending.booked_lines import MONEY, TAKEN_IN, Lines, cut, summed_to, whole_months
from store.tables.days import known_routes
from store.tables.ledger import usage_lines
from store.tables.pools import ledgers

EVERY = (MONEY, TAKEN_IN)


def are_behind(session: Session, tenant: int) -> bool:
    """Whether there are lines to be taken in."""
    return any(_next(session, lines, tenant, 1)[1] for lines in EVERY)


def were_begun(session: Session, tenant: int) -> bool:
    """Whether lines of usage were ever taken in."""
    return summed_to(session, TAKEN_IN, tenant) > 0


def take_in(session: Session, tenant: int, lines: Lines, *, at_most: int) -> int:
    """Takes the next lines in, after lock_ledger; returns how many, 0 where none is left."""
    last, count = _next(session, lines, tenant, at_most)
    if not count:
        return 0
    rows = lines.rows
    new = (
        rows.c.tenant_id == tenant,
        rows.c.id > summed_to(session, lines, tenant),
        rows.c.id <= last,
    )
    # What is booked later is few, and read line by line.
    of_its_slot = (*new, rows.c.booked_slot.is_(None))
    for sums, time in ((lines.days, day_of), (lines.months, month_of)):
        _add(session, lines, of_its_slot, sums, time(rows.c.slot))
    if rows is usage_lines:
        first = select(rows.c.tenant_id, rows.c.route_id, func.min(rows.c.posted_at)).where(*new)
        noted = insert(known_routes).from_select(
            ["tenant_id", "route_id", "known_at"], first.group_by(rows.c.tenant_id, rows.c.route_id)
        )
        earlier = func.least(known_routes.c.known_at, noted.excluded.known_at)
        session.execute(
            noted.on_conflict_do_update(
                index_elements=list(known_routes.primary_key.columns), set_={"known_at": earlier}
            )
        )
    name = lines.summed_to.name
    session.execute(
        insert(ledgers)
        .values({"tenant_id": tenant, name: last})
        .on_conflict_do_update(index_elements=["tenant_id"], set_={name: last})
    )
    return count


def add_up_to_months(session: Session, tenant: int, period: Period) -> bool:
    """Whether sums of days come to those of their months, of the months read for a period."""
    whole, _edges = cut(period)
    months = None if whole is None else whole_months(whole)
    if months is None:
        return True
    return not any(_differs(session, lines, tenant, months) for lines in EVERY)


def _differs(session: Session, lines: Lines, tenant: int, months: Period) -> bool:
    first = cast(func.date_trunc("month", lines.days.c.day), Date)
    keys = [first, *(lines.days.c[name] for name in lines.keys)]
    sums = (func.sum(lines.days.c[name]) for name in lines.sums)
    of_days = select(*keys, *sums).group_by(*keys)
    names = ("day", *lines.keys, *lines.sums)
    of_months = select(*(lines.months.c[name] for name in names))
    days, held = (
        asked.where(
            table.c.tenant_id == tenant,
            table.c.day >= months.start.date(),
            table.c.day < months.end.date(),
        )
        for asked, table in ((of_days, lines.days), (of_months, lines.months))
    )
    return any(session.execute(each).first() for each in (days.except_(held), held.except_(days)))


def _add(
    session: Session,
    lines: Lines,
    which: Iterable[ColumnElement[bool]],
    sums: Table,
    day: ColumnElement[date],
) -> None:
    """Adds lines to the sums of their day, or of the first of their month."""
    values = {**lines.keys, **lines.sums}
    named = [value.label(name) for name, value in values.items()]
    each = select(lines.rows.c.tenant_id, day.label("day"), *named).where(*which).subquery("each")
    keys = [each.c[column.name] for column in sums.primary_key.columns]
    summed = select(*keys, *(func.sum(each.c[name]) for name in lines.sums)).group_by(*keys)
    added = insert(sums).from_select([*(key.name for key in keys), *lines.sums], summed)
    session.execute(
        added.on_conflict_do_update(
            index_elements=list(sums.primary_key.columns),
            set_={name: sums.c[name] + added.excluded[name] for name in lines.sums},
        )
    )


def _next(session: Session, lines: Lines, tenant: int, at_most: int) -> tuple[int, int]:
    """The last of the lines that come next, and how many they are."""
    rows = lines.rows
    coming = (
        select(rows.c.id)
        .where(rows.c.tenant_id == tenant, rows.c.id > summed_to(session, lines, tenant))
        .order_by(rows.c.id)
        .limit(at_most)
        .subquery("coming")
    )
    last, count = session.execute(select(func.max(coming.c.id), func.count())).one()
    return int(last or 0), int(count)
