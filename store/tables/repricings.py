"""Re-pricings: which time is to be priced by what is known when, and how far that has come."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Integer,
    Table,
    Text,
)

from store.tables.base import AMOUNT, METADATA, no_nan

# One act of somebody's. What has been passed (slots before done_until) is priced by what was known
# at known_at, also what is still to come of it: spend/knowledge.py. A dry run changes nothing.
repricings = Table(
    "repricings",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    # UTC, half-open, quarter hours.
    Column("starts", DateTime(timezone=True), nullable=False),
    Column("ends", DateTime(timezone=True), nullable=False),
    Column("known_at", DateTime(timezone=True), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("requested_by", Text),
    Column("note", Text),
    # Moved in the transaction that posts the corrections of what it passes.
    Column("done_until", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    # So far: cells looked at, those whose cost changed, and lines posted (or, dry, to be posted).
    Column("cells", BigInteger, nullable=False, server_default="0"),
    Column("changed_cells", BigInteger, nullable=False, server_default="0"),
    Column("lines", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("ends > starts", name="time_is_a_range"),
    CheckConstraint("done_until BETWEEN starts AND ends", name="done_is_in_it"),
    CheckConstraint("finished_at IS NULL OR done_until = ends", name="all_is_done"),
)

# What a re-pricing has made different so far, by who pays and route. Adds up.
repricing_differences = Table(
    "repricing_differences",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("repricing_id", BigInteger, primary_key=True, autoincrement=False),
    Column("payer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("route_id", BigInteger, primary_key=True, autoincrement=False),
    # Effective amounts by the price book, of every cell of the time.
    Column("before", AMOUNT, nullable=False),
    Column("after", AMOUNT, nullable=False),
    Column("unpriced_before", BigInteger, nullable=False),
    Column("unpriced_after", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    no_nan("before"),
    no_nan("after"),
)
