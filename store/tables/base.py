"""What all tables share: names of constraints, the tenant, and how money is kept."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnClause,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    literal_column,
)
from sqlalchemy.types import TypeEngine

from spend.meters import METER_NAMES

METADATA = MetaData(
    # Named, so that a migration can drop them.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Integers of 1e-12 of the currency: tokens x price per million at 6 decimals has no more digits.
AMOUNT: TypeEngine[Decimal] = Numeric(38, 12)
# Per 1,000,000 units (tokens) or per hour, quantised once when it enters the book.
UNIT_PRICE: TypeEngine[Decimal] = Numeric(20, 6)

WHOSE: Final = "Whose row it is: 1, as there is one tenant."


def tenant() -> Column[int]:
    """The first column of every key: tenants never see, merge or delete each other's rows."""
    return Column("tenant_id", Integer, primary_key=True, autoincrement=False, doc=WHOSE)


def content_key() -> Column[int]:
    """An id computed from content (``spend/ids.py``)."""
    return Column(
        "id", BigInteger, primary_key=True, autoincrement=False, doc="A hash of what the row says."
    )


def meters(kind: type[TypeEngine[int]], says: str, *, nullable: bool = True) -> list[Column[int]]:
    """A column for each meter; ``says`` tells what of the meter it holds."""
    return [
        Column(name, kind, nullable=nullable, doc=says, info={"meter": True})
        for name in METER_NAMES
    ]


def valid() -> list[Column[datetime]]:
    """From when to when a term of an agreement holds."""
    return [
        Column(
            "valid_from",
            DateTime(timezone=True),
            nullable=False,
            doc="From when on it holds, UTC, inclusive.",
        ),
        Column(
            "valid_to",
            DateTime(timezone=True),
            doc="Until when it holds, UTC, exclusive; null: without an end.",
        ),
    ]


def known() -> list[Column[datetime]]:
    """From when to when it was believed: what was once known is never lost."""
    return [
        Column(
            "known_from",
            DateTime(timezone=True),
            nullable=False,
            doc="From when on it was known, UTC.",
        ),
        Column(
            "known_to",
            DateTime(timezone=True),
            doc="Until when it was known, UTC, exclusive; null: still.",
        ),
    ]


def no_nan(column: str) -> CheckConstraint:
    """Postgres takes 'NaN' as a NUMERIC, sums it into everything, and calls it the largest."""
    return CheckConstraint(f"{column} <> 'NaN'", name=f"{column}_is_a_number")


def period(name: str) -> ColumnClause[Any]:
    """The range of ``NAME_from`` and ``NAME_to``, for a constraint that no two overlap."""
    return literal_column(f"tstzrange({name}_from, {name}_to)")
