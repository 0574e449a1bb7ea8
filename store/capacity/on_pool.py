"""Which cells ran on a pool, as a condition in SQL: ``Pool.fits``, asked of many."""

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from spend.calls import Route
from spend.capacity.pools import OWNER_DIMENSIONS, Pool
from store.tables.heard import owners


def ran_on(
    pool: Pool, pools: Sequence[Pool], routes: Mapping[int, Route], tenant: int, rows: FromClause
) -> ColumnElement[bool]:
    """Rows (slot, owner_id, route_id) that ran on ``pool``, one of ``pools``.

    ``routes`` are all that there are. Of several pools that fit a row the one declared first has
    it, as long as it is in force.
    """
    before = [
        each
        for each in pools
        if each.id < pool.id
        and (pool.valid_to is None or each.valid_from < pool.valid_to)
        and (each.valid_to is None or pool.valid_from < each.valid_to)
    ]
    fits = _fits(pool, routes, tenant, rows)
    return and_(fits, *(~_fits(each, routes, tenant, rows) for each in before))


def _fits(
    pool: Pool, routes: Mapping[int, Route], tenant: int, rows: FromClause
) -> ColumnElement[bool]:
    ids = [id_ for id_, route in routes.items() if pool.fits_route(route)]
    return and_(
        rows.c.route_id == func.any(literal(ids, ARRAY(BigInteger))),
        rows.c.slot >= pool.valid_from,
        rows.c.slot < pool.valid_to if pool.valid_to is not None else true(),
        _fits_owner(pool, tenant, rows),
    )


def _fits_owner(pool: Pool, tenant: int, rows: FromClause) -> ColumnElement[bool]:
    wanted = [
        or_(*(_fits_value(owners.c[name], pattern) for pattern in pool.match[name]))
        for name in OWNER_DIMENSIONS
        if name in pool.match
    ]
    if not wanted:
        return true()
    return rows.c.owner_id.in_(select(owners.c.id).where(owners.c.tenant_id == tenant, *wanted))


def _fits_value(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    if pattern.endswith("*"):
        return column.startswith(pattern[:-1], autoescape=True)
    return column == pattern
