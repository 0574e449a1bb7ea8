"""Reads discounts and uplifts, as they were known when."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Text, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from spend.prices.discounts import Discount
from store.tables.prices import discounts
from store.tenants import PUBLIC

FIELDS: Final = tuple(field.name for field in fields(Discount))


def discounts_of(session: Session, tenant: int, providers: Collection[str]) -> list[Discount]:
    """All of these providers', also those no longer believed, in the order of their ids."""
    wanted = literal(sorted(providers), ARRAY(Text))
    return _read(session, tenant, discounts.c.provider == func.any(wanted))


def every_discount(
    session: Session, tenant: int, *, known_at: datetime | None = None
) -> list[Discount]:
    """All that were known at a moment (None: now), in the order of their ids."""
    return [each for each in _read(session, tenant) if each.known(known_at)]


def discounts_by_id(session: Session, tenant: int, ids: Collection[int]) -> dict[int, Discount]:
    """Those with these ids, also those no longer believed."""
    if not ids:
        return {}
    wanted = literal(sorted(ids), ARRAY(BigInteger))
    found = _read(session, tenant, discounts.c.id == func.any(wanted))
    return {each.id: each for each in found if each.id is not None}


def _read(session: Session, tenant: int, *which: ColumnElement[bool]) -> list[Discount]:
    found = session.execute(
        select(*(discounts.c[name] for name in FIELDS))
        .where(discounts.c.tenant_id.in_((PUBLIC, tenant)), *which)
        .order_by(discounts.c.id)
    )
    return [_discount(row) for row in found]


def _discount(row: Sequence[Any]) -> Discount:
    return Discount(**dict(zip(FIELDS, row, strict=True)))
