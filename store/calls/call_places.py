"""What the ledger and the cells say at the places of calls: read for a page of calls at once.

A place is a quarter hour, owner, route and size of prompt (``store.ledger.ledger.Place``).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    SmallInteger,
    and_,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.meters import METER_NAMES
from store.ledger.ledger import PLACE, Place
from store.tables.ledger import charges
from store.tables.prices import prices
from store.tables.rollups import cells

__all__ = ["Place", "pool_amounts", "posted", "steps_at", "usage_at"]


def posted(
    session: Session, tenant: int, wanted: Collection[tuple[Place, int]]
) -> set[tuple[Place, int]]:
    """Of places with an outcome those whose charges are posted."""
    given = _rows((place for place, _outcome in wanted), outcome=[each[1] for each in wanted])
    found = session.execute(
        select(*(cells.c[name] for name in (*PLACE, "outcome")))
        .join_from(
            cells,
            given,
            and_(_at(cells, given), cells.c.outcome == given.c.outcome, cells.c.charged),
        )
        .where(cells.c.tenant_id == tenant)
    )
    return {((row[0], row[1], row[2], row[3]), row[4]) for row in found}


def steps_at(
    session: Session, tenant: int, places: Collection[Place]
) -> Mapping[tuple[Place, str], Mapping[int, int]]:
    """Place and meter -> from how much a month a price holds -> units that are charged by it."""
    given = _rows(places)
    key = [*(charges.c[name] for name in PLACE), charges.c.meter, prices.c.above_monthly]
    found = session.execute(
        select(*key, func.sum(charges.c.quantity))
        .join_from(charges, given, _at(charges, given))
        .join(prices, charges.c.price_id == prices.c.id)
        .where(charges.c.tenant_id == tenant)
        .group_by(*key)
    )
    stands: dict[tuple[Place, str], dict[int, int]] = defaultdict(dict)
    for row in found:
        stands[(row[0], row[1], row[2], row[3]), row[4]][row[5]] = int(row[6])
    return stands


def pool_amounts(
    session: Session, tenant: int, wanted: Collection[tuple[Place, int]]
) -> Mapping[tuple[Place, int], Decimal]:
    """Place and pool -> what the ledger charges it, exact; absent where it has no line."""
    given = _rows((place for place, _pool in wanted), pool_id=[each[1] for each in wanted])
    key = [*(charges.c[name] for name in PLACE), charges.c.pool_id]
    found = session.execute(
        select(*key, func.sum(charges.c.amount))
        .join_from(charges, given, and_(_at(charges, given), charges.c.pool_id == given.c.pool_id))
        .where(charges.c.tenant_id == tenant)
        .group_by(*key)
    )
    return {((row[0], row[1], row[2], row[3]), row[4]): row[5] for row in found}


def usage_at(
    session: Session, tenant: int, places: Collection[Place]
) -> Mapping[Place, Mapping[str, int]]:
    """What all calls at places used, by meter, however they ended."""
    given = _rows(places)
    key = [cells.c[name] for name in PLACE]
    found = session.execute(
        select(*key, *(func.sum(cells.c[name]) for name in METER_NAMES))
        .join_from(cells, given, _at(cells, given))
        .where(cells.c.tenant_id == tenant)
        .group_by(*key)
    )
    return {
        (row[0], row[1], row[2], row[3]): {
            name: int(count or 0) for name, count in zip(METER_NAMES, row[4:], strict=True)
        }
        for row in found
    }


def _rows(places: Iterable[Place], **others: list[int]) -> FromClause:
    """Places as rows, each once; of any number, in one statement of as many parameters."""
    each = list(places) if others else list(dict.fromkeys(places))
    arrays: list[ColumnElement[Any]] = [
        literal([place[0] for place in each], ARRAY(DateTime(timezone=True))),
        literal([place[1] for place in each], ARRAY(BigInteger)),
        literal([place[2] for place in each], ARRAY(BigInteger)),
        literal([place[3] for place in each], ARRAY(SmallInteger)),
        *(literal(values, ARRAY(BigInteger)) for values in others.values()),
    ]
    return (
        func.unnest(*arrays)
        .table_valued(*(column(name) for name in (*PLACE, *others)))
        .render_derived("given")
    )


def _at(rows: FromClause, given: FromClause) -> ColumnElement[bool]:
    return and_(*(rows.c[name] == given.c[name] for name in PLACE))
