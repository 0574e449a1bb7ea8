"""Lines of the ledger, latest usage first, a page at a time: what a cell of a report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, func, select, tuple_
from sqlalchemy.orm import Session

from spend.calls import Owner
from spend.owners import UNALLOCATED
from store.breakdowns.dimensions import ROUTED, Question, conditions
from store.breakdowns.shown_routes import shown_routes
from store.spending.spend_by import MONEY
from store.tables.commitments import commitments
from store.tables.heard import owners
from store.tables.ledger import charges
from store.tables.ownership import splits
from store.tables.pools import pools

_LINE: Final = tuple(column for column in charges.c if column.name != "tenant_id")
_OWNER: Final = Owner.__slots__
_NAMED: Final[Mapping[str, Any]] = {
    "pool": (pools, charges.c.pool_id),
    "commitment": (commitments, charges.c.commitment_id),
    "rule": (splits, charges.c.rule_id),
}
"""What a line can come from, beside a price: its name here -> where it is, and which it is."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends: the next one holds what comes after this line."""

    slot: datetime
    id: int


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """A line with who pays, what was called, and the names of what it comes from."""

    row: Row[Any]
    """Its columns, as stored."""
    payer: Owner
    route: Mapping[str, str | None]
    """Dimensions of ``ROUTED``, as reports show them."""
    names: Mapping[str, str | None]
    """``pool``, ``commitment``, ``rule``: where the line comes from one."""

    @property
    def position(self) -> Position:
        """Where it stands among all lines."""
        return Position(self.row.slot, self.row.id)


def page(
    session: Session,
    question: Question,
    tenant: int,
    *,
    currency: str,
    after: Position | None,
    at_most: int,
) -> list[ChargeLine]:
    """The next lines of the question's period in ``currency`` after a position."""
    asked = _with_names(question, tenant).where(
        *_asked(question, tenant), charges.c.currency == currency
    )
    if after is not None:
        asked = asked.where(tuple_(charges.c.slot, charges.c.id) < (after.slot, after.id))
    found = session.execute(
        asked.order_by(charges.c.slot.desc(), charges.c.id.desc()).limit(at_most)
    )
    return [_line(row) for row in found]


def sums(
    session: Session, question: Question, tenant: int
) -> dict[str, Mapping[str, Decimal | None]]:
    """What all lines of the question come to in each currency: names of ``MONEY``, ``lines``."""
    found = session.execute(
        select(
            charges.c.currency,
            *(value.label(name) for name, value in MONEY.items()),
            func.count().label("lines"),
        )
        .where(*_asked(question, tenant))
        .group_by(charges.c.currency)
        .order_by(charges.c.currency)
    )
    return {row.currency: row._asdict() for row in found}


def _asked(question: Question, tenant: int) -> list[ColumnElement[bool]]:
    return conditions(question, tenant, charges, charges.c.slot, charges.c.payer_id)


def _with_names(question: Question, tenant: int) -> Select[Any]:
    # Outer joins: a line whose owner is not in the dictionary is counted, and so it is shown.
    routes = shown_routes(tenant, question.as_known_at)
    found = charges.outerjoin(
        owners, and_(owners.c.tenant_id == tenant, owners.c.id == charges.c.payer_id)
    ).outerjoin(routes, and_(routes.c.tenant_id == tenant, routes.c.id == charges.c.route_id))
    for table, column in _NAMED.values():
        found = found.outerjoin(table, and_(table.c.tenant_id == tenant, table.c.id == column))
    return select(
        *_LINE,
        *(owners.c[name].label(f"payer_{name}") for name in _OWNER),
        *(routes.c[name].label(f"route_{name}") for name in ROUTED),
        *(table.c.name.label(f"{what}_name") for what, (table, _column) in _NAMED.items()),
    ).select_from(found)


def _line(row: Row[Any]) -> ChargeLine:
    payer = {name: getattr(row, f"payer_{name}") for name in _OWNER}
    return ChargeLine(
        row=row,
        payer=Owner(**payer) if payer["team"] is not None else Owner(UNALLOCATED),
        route={name: getattr(row, f"route_{name}") for name in ROUTED},
        names={what: getattr(row, f"{what}_name") for what in _NAMED},
    )
