"""What the ledger says of volumes: units charged by price lines whose steps depend on the month."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from store.ledger.ledger import PLACE, TRUE_UP, Rows
from store.tables.ledger import charges

USED: Final = ("slot", "route_id", "band", "meter", "price_id", "quantity")
"""What is read of a month, in this order."""


def units_between(
    session: Session, tenant: int, price_ids: Collection[int], start: datetime, end: datetime
) -> Rows:
    """Units charged by these price lines in a time (UTC, half-open), as USED, over all owners."""
    return _units(session, tenant, price_ids, start, end, USED[:-1])


def units_in_slot(
    session: Session, tenant: int, price_ids: Collection[int], slot: datetime
) -> Rows:
    """The same of one slot by place: PLACE, meter, price_id, quantity."""
    key = (*PLACE, "meter", "price_id")
    return _units(session, tenant, price_ids, slot, slot, key)


def _units(
    session: Session,
    tenant: int,
    price_ids: Collection[int],
    start: datetime,
    end: datetime,
    key: Collection[str],
) -> Rows:
    until: ColumnElement[Any] = charges.c.slot < end if start < end else charges.c.slot == start
    columns = [charges.c[name] for name in key]
    total = func.sum(charges.c.quantity)
    return session.execute(
        select(*columns, total.label("quantity"))
        .where(
            charges.c.tenant_id == tenant,
            charges.c.slot >= start,
            until,
            charges.c.price_id == func.any(literal(sorted(price_ids), ARRAY(BigInteger))),
            charges.c.kind != TRUE_UP,
        )
        .group_by(*columns)
        .having(total != 0)
    ).all()
