"""The ledger: lines that say what usage cost. They are added, never changed or deleted.

A cell's charges are looked at again as long as it waits (``store/waiting.py``). What is read here
is read in the transaction that posts, after ``lock_ledger``.

Lines are dated in the order in which they are committed: the moment is taken once the ledger is
locked, and never before that of the last line (``closing.posting``). So lines up to a moment are
what was known at it, where nobody posts any more (``waiting.until_nobody_posts``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from operator import attrgetter
from typing import Any, Final

from psycopg import sql
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Row,
    SmallInteger,
    and_,
    column,
    false,
    func,
    literal,
    not_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.meters import METER_NAMES
from store import closing, columns
from store.ledger import split_days, usage_lines
from store.ownership import payers
from store.ownership.payers import Paying
from store.tables.ledger import charges
from store.tables.rollups import cells

ORIGINAL: Final = "original"
CORRECTION: Final = "correction"
ALLOCATION: Final = "allocation"
TRUE_UP: Final = "true-up"
CREDIT: Final = "credit"
TAX: Final = "tax"
NOT_USAGE: Final = (TRUE_UP, CREDIT, TAX)
"""Kinds of charges that are told apart from usage."""

Rows = Sequence[Row[*tuple[Any, ...]]]

Place = tuple[datetime, int, int, int]
"""Slot, owner, route, band: where charges are posted, whatever the calls' outcome."""

CellKey = tuple[datetime, int, int, int, int]
"""Slot, owner, route, outcome, band."""

Unpriced = tuple[int, int]
"""Calls and tokens whose cost is unknown."""

PLACE: Final = ("slot", "owner_id", "route_id", "band")
CELL_KEY: Final = ("slot", "owner_id", "route_id", "outcome", "band")
_KEY_KINDS: Final = (DateTime(timezone=True), BigInteger, BigInteger, SmallInteger, SmallInteger)
CONCLUDED: Final = ("unpriced_calls", "unpriced_tokens")
"""What is known of a cell once it is charged."""
CELL: Final = (*PLACE, "outcome", "calls", "unmetered_calls", *METER_NAMES)
"""What is read of a cell, in this order."""

_SAID: Final = (
    *PLACE,
    "meter",
    "payer_id",
    "price_id",
    "unit_price",
    "list_unit_price",
    "uplift_id",
    "discount_id",
)
_SUMS: Final = ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount")
POSTED: Final = (*_SAID, *_SUMS)
"""What is read of charges by the price book, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCharge:
    """A line to post. Exactly one of the five sources says where its amount is from."""

    kind: str
    slot: datetime
    owner_id: int
    """Of the cell."""
    route_id: int
    band: int
    meter: str
    price_id: int | None = None
    pool_id: int | None = None
    commitment_id: int | None = None
    rule_id: int | None = None
    bill_id: int | None = None
    currency: str
    """Of its amounts: that of the source."""
    quantity: Decimal
    list_unit_price: Decimal | None = None
    """Per 1,000,000 units, as the next; None: unknown, or it is not priced by the book."""
    unit_price: Decimal | None = None
    uplift_id: int | None = None
    discount_id: int | None = None
    list_amount: Decimal | None = None
    """None: unknown."""
    contracted_amount: Decimal | None = None
    """None: the effective amount; so is ``billed_amount``."""
    amount: Decimal
    """Effective."""
    billed_amount: Decimal | None = None
    method: str
    payer_id: int | None = None
    """None: whoever pays for the cell's owner, by the ownership rules."""
    booked_slot: datetime | None = None
    """In whose books it is. None: in those of its slot, or the first that are open."""

    @property
    def payer(self) -> int:
        """Who pays: an owner's id."""
        return self.owner_id if self.payer_id is None else self.payer_id

    @property
    def contracted(self) -> Decimal:
        """What it cost as contracted."""
        return self.amount if self.contracted_amount is None else self.contracted_amount

    @property
    def billed(self) -> Decimal:
        """What somebody bills for it."""
        return self.amount if self.billed_amount is None else self.billed_amount


ENGINE: Final = version("spanledger")
"""Written on every charge: the version that posted it."""

_FROM: Final = {
    **{
        field.name: field.name
        for field in fields(NewCharge)
        if field.name not in {"payer_id", "contracted_amount", "billed_amount", "booked_slot"}
    },
    "payer_id": "payer",
    "contracted_amount": "contracted",
    "billed_amount": "billed",
}
"""Column -> what of a NewCharge is put there."""
_VALUES: Final = attrgetter(*_FROM.values())
_COPY: Final = sql.SQL("COPY charges ({}) FROM STDIN").format(
    sql.SQL(", ").join(
        map(
            sql.Identifier,
            ("tenant_id", "posted_at", "engine", "repricing_id", "booked_slot", *_FROM),
        )
    )
)


def post(
    session: Session,
    tenant: int,
    lines: Iterable[NewCharge],
    *,
    now: datetime,
    repricing_id: int | None = None,
) -> int:
    """Adds lines to the ledger, each at who pays for it; returns how many.

    Also notes who pays for owners that are new, and that the days of the lines are to be split
    again. After lock_ledger. Raises BooksClosedError (store/closing.py) where a line says that it
    is booked in a month that is closed for good.
    """
    posted = list(lines)
    posting = closing.posting(session, tenant, now)
    of_usage = [line for line in posted if line.rule_id is None]
    paying = payers.remember_new(session, tenant, {line.owner_id for line in of_usage})
    split_days.mark(session, tenant, {line.slot for line in of_usage})
    with columns.driver(session).cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in posted:
            values = _VALUES(line if line.payer_id is not None else _paid(line, paying))
            booked_slot = posting.booked_slot(line.slot, line.booked_slot)
            copy.write_row((tenant, posting.at, ENGINE, repricing_id, booked_slot, *values))
    return len(posted)


def _paid(line: NewCharge, paying: Paying) -> NewCharge:
    payer_id = paying.payer_of(line.owner_id, line.slot)
    return line if payer_id == line.owner_id else replace(line, payer_id=payer_id)


def last_id(session: Session, tenant: int) -> int:
    """The id of the ledger's last line; 0: it has none."""
    found = session.scalar(select(func.max(charges.c.id)).where(charges.c.tenant_id == tenant))
    return int(found or 0)


def waiting_hours(session: Session, tenant: int) -> list[tuple[datetime, int]]:
    """UTC hours with cells that wait, ascending, and how many."""
    hour = func.date_trunc("hour", cells.c.slot, "UTC")
    found = session.execute(
        select(hour, func.count())
        .where(cells.c.tenant_id == tenant, not_(cells.c.charged))
        .group_by(hour)
        .order_by(hour)
    )
    return [(row[0], row[1]) for row in found]


def claim_waiting(session: Session, tenant: int, start: datetime, end: datetime) -> Rows:
    """The waiting cells of a time (columns CELL), locked: they cannot change until we commit."""
    return session.execute(
        select(*(cells.c[name] for name in CELL))
        .where(
            cells.c.tenant_id == tenant,
            cells.c.slot >= start,
            cells.c.slot < end,
            not_(cells.c.charged),
        )
        .order_by(*cells.primary_key.columns)
        .with_for_update()
    ).all()


def charged_beside(session: Session, tenant: int, places: Sequence[Place]) -> Rows:
    """Cells (columns CELL) that do not wait, but share their charges with ones that do."""
    wanted = _places(places)
    # Written so that Postgres does not guess how many are charged: where almost all waited when it
    # looked last, it would begin with "the few" that are not, and go through them for each place.
    charged = func.coalesce(cells.c.charged, false())
    return session.execute(
        select(*(cells.c[name] for name in CELL)).join_from(
            cells, wanted, and_(_at(cells, wanted), cells.c.tenant_id == tenant, charged)
        )
    ).all()


def posted_at_prices(session: Session, tenant: int, places: Sequence[Place]) -> Rows:
    """What stands in the ledger at these places by the price book (columns POSTED), summed."""
    wanted = _places(places)
    key = [charges.c[name] for name in _SAID]
    return session.execute(
        select(*key, *(func.sum(charges.c[name]).label(name) for name in _SUMS))
        .join_from(charges, wanted, and_(_at(charges, wanted), charges.c.tenant_id == tenant))
        .where(charges.c.price_id.is_not(None), charges.c.kind != TRUE_UP)
        .group_by(*key)
    ).all()


def settle(
    session: Session,
    tenant: int,
    concluded: Sequence[tuple[CellKey, Unpriced]],
    *,
    now: datetime,
) -> None:
    """Says of claimed cells that their charges are posted, and how much has no price.

    Takes what is new of their usage in the journal of usage. After lock_ledger.
    """
    if not concluded:
        return
    payers.remember_new(session, tenant, {key[1] for key, _unpriced in concluded})
    split_days.mark(session, tenant, {key[0] for key, _unpriced in concluded})
    done = rows_of_cells(
        [key for key, _unpriced in concluded],
        unpriced_calls=[unpriced[0] for _key, unpriced in concluded],
        unpriced_tokens=[unpriced[1] for _key, unpriced in concluded],
    )
    settled = (
        update(cells)
        .values(charged=True, **{name: done.c[name] for name in CONCLUDED})
        .where(cells.c.tenant_id == tenant, *at_cells(done))
        .returning(*(cells.c[name] for name in (*usage_lines.KEY, *usage_lines.COUNTS)))
        .cte("settled")
    )
    usage_lines.take_in(session, tenant, settled, now)


def key_of(row: Row[*tuple[Any, ...]]) -> CellKey:
    """The key of a row of CELL."""
    return row.slot, row.owner_id, row.route_id, row.outcome, row.band


def place_of(row: Row[*tuple[Any, ...]]) -> Place:
    """The place of a row of CELL."""
    return row.slot, row.owner_id, row.route_id, row.band


def rows_of_cells(keys: Sequence[CellKey], **others: Sequence[int]) -> FromClause:
    """Keys of cells as rows: the columns of CELL_KEY, and ``others``, whole numbers."""
    arrays: list[ColumnElement[Any]] = [
        literal([key[place] for key in keys], ARRAY(kind))  # type: ignore[arg-type]  # its stub wants one kind
        for place, kind in enumerate(_KEY_KINDS)
    ]
    arrays += [literal(list(each), ARRAY(BigInteger)) for each in others.values()]
    return (
        func.unnest(*arrays)
        .table_valued(*(column(name) for name in (*CELL_KEY, *others)))
        .render_derived("given")
    )


def at_cells(given: FromClause) -> list[ColumnElement[bool]]:
    """Cells that have the keys of ``rows_of_cells``."""
    return [cells.c[name] == given.c[name] for name in CELL_KEY]


def _places(places: Sequence[Place]) -> FromClause:
    return (
        func.unnest(
            literal([place[0] for place in places], ARRAY(DateTime(timezone=True))),
            literal([place[1] for place in places], ARRAY(BigInteger)),
            literal([place[2] for place in places], ARRAY(BigInteger)),
            literal([place[3] for place in places], ARRAY(SmallInteger)),
        )
        .table_valued(*(column(name) for name in PLACE))
        .render_derived("wanted")
    )


def _at(rows: FromClause, wanted: FromClause) -> ColumnElement[bool]:
    return and_(*(rows.c[name] == wanted.c[name] for name in PLACE))
