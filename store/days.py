"""Takes lines of the ledger into the sums of their days, and notes which routes the ledger knows.

Lines are taken in the order of their ids, each once: up to which, ``ledgers`` says. Nobody posts
while the ledger is held, so no line of a lower id can come after one that was taken.
"""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from store.booked_lines import MONEY, TAKEN_IN, Lines, summed_to
from store.booked_time import day_of
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
    rows, days = lines.rows, lines.days
    new = (
        rows.c.tenant_id == tenant,
        rows.c.id > summed_to(session, lines, tenant),
        rows.c.id <= last,
    )
    each = (
        select(
            rows.c.tenant_id,
            day_of(rows.c.slot).label("day"),
            *(value.label(name) for name, value in {**lines.keys, **lines.sums}.items()),
        )
        # What is booked later is few, and read line by line.
        .where(*new, rows.c.booked_slot.is_(None))
        .subquery("each")
    )
    keys = [each.c[column.name] for column in days.primary_key.columns]
    summed = select(*keys, *(func.sum(each.c[name]) for name in lines.sums)).group_by(*keys)
    added = insert(days).from_select([*(key.name for key in keys), *lines.sums], summed)
    session.execute(
        added.on_conflict_do_update(
            index_elements=list(days.primary_key.columns),
            set_={name: days.c[name] + added.excluded[name] for name in lines.sums},
        )
    )
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
