"""Remembers bills: what providers invoiced, and what of it was said before."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from sqlalchemy import ColumnElement, Row, and_, case, func, insert, or_, select, update
from sqlalchemy.orm import Session

from spend.periods import Period
from spend.reconciliation.bill_assembly import Assembled
from spend.reconciliation.bills import Bill, BillLine, BillSum
from store import audit, waiting
from store.columns import driver
from store.tables.bills import bill_lines, bills

_BILL: Final = tuple(each.name for each in fields(Bill))
_LINE: Final = tuple(each.name for each in fields(BillLine))


class BillHeldError(ValueError):
    """The bill is there already. Whoever means to correct it says that it replaces the one held."""

    def __init__(self, held: Bill, *, same_file: bool) -> None:
        self.held = held
        what = "the same file" if same_file else "of the same account, period and invoice"
        super().__init__(
            f"bill {held.id} is {what}: {held.file_name}, imported"
            f" {held.imported_at:%Y-%m-%dT%H:%MZ}"
        )


def _bill(row: Row[Any]) -> Bill:
    return Bill(**{name: getattr(row, name) for name in _BILL})


def _line(row: Row[Any]) -> BillLine:
    return BillLine(**{name: getattr(row, name) for name in _LINE})


def add(
    session: Session,
    tenant: int,
    said: Sequence[Assembled],
    *,
    replaces: bool,
    clock: Callable[[], datetime],
) -> list[Bill]:
    """Keeps bills with their lines; raises BillHeldError where one is there already.

    With ``replaces`` they are the next versions of what is there, which is superseded and stays
    readable. They are imported when the ledger is locked, by ``clock`` (UTC): none at a moment that
    somebody has asked about already, and none is superseded while it is trued up.
    """
    waiting.lock_ledger(session)
    at = clock()
    there = {id(each): _held_like(session, tenant, each.bill) for each in said}
    for each in said:
        for old in there[id(each)]:
            if not replaces:
                raise BillHeldError(old, same_file=old.sha256 == each.bill.sha256)
            session.execute(
                update(bills)
                .where(bills.c.tenant_id == tenant, bills.c.id == old.id)
                .values(superseded_at=at)
            )
    made = [_insert(session, tenant, each, there[id(each)], at) for each in said]
    for each, bill in zip(said, made, strict=True):
        replaced = [old.id for old in there[id(each)]]
        audit.note(
            session,
            tenant,
            did="imported",
            noun="bill",
            noun_id=bill.id,
            before={"bills": replaced} if replaced else None,
            after=bill,
        )
    return made


def check(session: Session, tenant: int, said: Sequence[Assembled]) -> None:
    """Raises BillHeldError as ``add`` would."""
    for each in said:
        for old in _held_like(session, tenant, each.bill):
            raise BillHeldError(old, same_file=old.sha256 == each.bill.sha256)


def _insert(
    session: Session, tenant: int, said: Assembled, there: Sequence[Bill], at: datetime
) -> Bill:
    bill = replace(said.bill, imported_at=at)
    version = 1 + max((old.version for old in there), default=0)
    values = {name: getattr(bill, name) for name in _BILL if name not in {"id", "version"}}
    id_ = session.execute(
        insert(bills).values(tenant_id=tenant, version=version, **values).returning(bills.c.id)
    ).scalar_one()
    _copy(session, tenant, id_, said.lines)
    return replace(bill, id=id_, version=version)


def _held_like(session: Session, tenant: int, said: Bill) -> list[Bill]:
    """Bills that hold and are the same file, or of the same account, period and invoice."""
    there = _found(
        session,
        tenant,
        bills.c.superseded_at.is_(None),
        or_(bills.c.sha256 == said.sha256, bills.c.provider == said.provider),
    )
    return [each for each in there if each.sha256 == said.sha256 or each.same_as(said)]


def held(session: Session, tenant: int, period: Period | None = None) -> list[Bill]:
    """Bills that hold; with a period (UTC) those whose own touches it. By issuer and time."""
    asked: list[ColumnElement[bool]] = [bills.c.superseded_at.is_(None)]
    if period is not None:
        asked += [bills.c.starts < period.end, bills.c.ends > period.start]
    found = _found(session, tenant, *asked)
    return sorted(found, key=lambda each: (each.provider, each.account or "", each.starts, each.id))


def page(
    session: Session, tenant: int, *, before: int | None, at_most: int, superseded: bool = True
) -> list[Bill]:
    """Bills with an id below ``before``, the last one imported first."""
    asked = select(bills).where(bills.c.tenant_id == tenant)
    if before is not None:
        asked = asked.where(bills.c.id < before)
    if not superseded:
        asked = asked.where(bills.c.superseded_at.is_(None))
    return [_bill(row) for row in session.execute(asked.order_by(bills.c.id.desc()).limit(at_most))]


def one(session: Session, tenant: int, bill_id: int) -> Bill | None:
    """A bill by its id, superseded or not; None: there is none."""
    return next(iter(_found(session, tenant, bills.c.id == bill_id)), None)


def _found(session: Session, tenant: int, *asked: ColumnElement[bool]) -> list[Bill]:
    rows = session.execute(
        select(bills).where(bills.c.tenant_id == tenant, *asked).order_by(bills.c.id)
    )
    return [_bill(row) for row in rows]


def lines(session: Session, tenant: int, bill_ids: Iterable[int]) -> Iterable[tuple[int, BillLine]]:
    """The lines of some bills with their bill's id, in order; read as they are asked for."""
    rows = session.execute(
        select(bill_lines)
        .where(bill_lines.c.tenant_id == tenant, bill_lines.c.bill_id.in_(list(bill_ids)))
        .order_by(bill_lines.c.bill_id, bill_lines.c.line)
        .execution_options(yield_per=5000)
    )
    return ((row.bill_id, _line(row)) for row in rows)


def sums(session: Session, tenant: int, bill_id: int) -> list[BillSum]:
    """The lines of a bill by kind, model and meter, the largest amount first."""
    quantity = func.sum(bill_lines.c.quantity).label("quantity")
    told = and_(bill_lines.c.meter.is_not(None), func.count(bill_lines.c.quantity) == func.count())
    key = (bill_lines.c.kind, bill_lines.c.model, bill_lines.c.meter)
    rows = session.execute(
        select(
            *key,
            func.count().label("lines"),
            case((told, quantity)).label("quantity"),
            func.sum(bill_lines.c.amount).label("amount"),
        )
        .where(bill_lines.c.tenant_id == tenant, bill_lines.c.bill_id == bill_id)
        .group_by(*key)
    )
    found = [BillSum(**row._asdict()) for row in rows]
    return sorted(
        found, key=lambda each: (-abs(each.amount), each.kind, each.model or "", str(each.meter))
    )


def line_page(
    session: Session, tenant: int, bill_id: int, *, after: int, at_most: int
) -> list[BillLine]:
    """Lines of a bill whose number is above ``after``, in order."""
    rows = session.execute(
        select(bill_lines)
        .where(
            bill_lines.c.tenant_id == tenant,
            bill_lines.c.bill_id == bill_id,
            bill_lines.c.line > after,
        )
        .order_by(bill_lines.c.line)
        .limit(at_most)
    )
    return [_line(row) for row in rows]


def _copy(session: Session, tenant: int, bill_id: int, said: Sequence[BillLine]) -> None:
    columns = ("tenant_id", "bill_id", *_LINE)
    statement = sql.SQL("COPY bill_lines ({}) FROM STDIN").format(
        sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver(session).cursor() as cursor, cursor.copy(statement) as copy:
        for each in said:
            values = [getattr(each, name) for name in _LINE[:-1]]
            copy.write_row((tenant, bill_id, *values, json.dumps(each.raw, ensure_ascii=False)))
