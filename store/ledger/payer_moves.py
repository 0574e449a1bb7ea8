"""Charges and usage pass to who pays, where the table ``payers`` says somebody else does."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    case,
    column,
    func,
    insert,
    literal,
    or_,
    select,
    values,
)
from sqlalchemy.orm import Session

from store import closing
from store.closing import Posting
from store.ledger.ledger import CORRECTION, ENGINE, NOT_USAGE
from store.ledger.usage_lines import COUNTS, KEY
from store.ownership.payers import pays
from store.tables.ledger import charges, usage_lines
from store.tables.ownership import payers

_SUMS: Final = ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount")
_COPIED: Final = (
    "currency",
    "slot",
    "owner_id",
    "route_id",
    "band",
    "meter",
    "price_id",
    "pool_id",
    "commitment_id",
    "bill_id",
    "uplift_id",
    "discount_id",
    "list_unit_price",
    "unit_price",
    "method",
)


def move(session: Session, tenant: int, start: datetime, end: datetime, *, now: datetime) -> int:
    """Corrects charges and usage of a time (UTC) that somebody else is to pay for.

    Taken back where they stand and put to who pays, by the table ``payers``. What is right
    already is left alone, so doing it twice does nothing. Lines of splits follow by themselves.
    Returns the charges posted. After lock_ledger.
    """
    posting = closing.posting(session, tenant, now)
    within = (start, end)
    _move(session, tenant, usage_lines, posting, within, copied=KEY, sums=COUNTS)
    # What is no usage keeps its kind: the charge job must not take it for usage.
    kept = charges.c.kind.in_(NOT_USAGE)
    return _move(
        session,
        tenant,
        charges,
        posting,
        within,
        copied=_COPIED,
        sums=_SUMS,
        said={"kind": case((kept, charges.c.kind), else_=CORRECTION), "engine": literal(ENGINE)},
        which=charges.c.rule_id.is_(None),
    )


def _move(
    session: Session,
    tenant: int,
    lines: Table,
    posting: Posting,
    within: tuple[datetime, datetime],
    *,
    copied: Sequence[str],
    sums: Sequence[str],
    said: Mapping[str, ColumnElement[Any]] | None = None,
    which: ColumnElement[bool] | None = None,
) -> int:
    to = func.coalesce(payers.c.payer_id, lines.c.owner_id)
    key = {
        **{name: lines.c[name] for name in copied},
        "booked_slot": posting.booked(lines.c.slot, lines.c.booked_slot),
        **(said or {}),
    }
    by = [each.label(name) for name, each in key.items()]
    by += [lines.c.payer_id.label("taken_from"), to.label("put_to")]
    wrong = (
        select(*by, *(func.sum(lines.c[name]).label(name) for name in sums))
        .select_from(lines.outerjoin(payers, pays(lines, tenant, lines.c.slot)))
        .where(
            lines.c.tenant_id == tenant,
            lines.c.slot >= within[0],
            lines.c.slot < within[1],
            lines.c.payer_id != to,
            *(() if which is None else (which,)),
        )
        .group_by(*by)
        .having(or_(*(func.sum(lines.c[name]) != 0 for name in sums)))
        .subquery("wrong")
    )
    both = values(column("sign", BigInteger), name="both").data([(-1,), (1,)])
    moved = {
        "tenant_id": literal(tenant),
        "posted_at": literal(posting.at, lines.c.posted_at.type),
        "payer_id": case((both.c.sign < 0, wrong.c.taken_from), else_=wrong.c.put_to),
        **{name: wrong.c[name] for name in key},
        **{name: both.c.sign * wrong.c[name] for name in sums},
    }
    ordered = (
        select(*moved.values())
        .join_from(wrong, both, literal(value=True))
        .order_by(wrong.c.slot, wrong.c.owner_id, both.c.sign)
    )
    done = session.execute(
        insert(lines).from_select(list(moved), ordered),
        execution_options={"preserve_rowcount": True},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]  # an INSERT's result has one


def stretches(
    session: Session, tenant: int, start: datetime, end: datetime, *, at_most: int
) -> list[datetime]:
    """Days (UTC) that cut a time into stretches of not too many charges each, ascending."""
    day = func.date_trunc("day", charges.c.slot, "UTC")
    rows = session.execute(
        select(day, func.count())
        .where(charges.c.tenant_id == tenant, charges.c.slot >= start, charges.c.slot < end)
        .group_by(day)
        .order_by(day)
    )
    cuts: list[datetime] = []
    held = 0
    for first, count in rows:
        if held and held + count > at_most:
            cuts.append(first)
            held = 0
        held += count
    return cuts
