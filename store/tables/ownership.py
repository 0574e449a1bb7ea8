"""Who pays for what others used: versions of the rules, what they come to, and splits."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from store.tables.base import METADATA, content_key, tenant

# One row for each file of rules that was applied; the next one closes it, and nothing changes it.
ownership = Table(
    "ownership",
    METADATA,
    tenant(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("known_from", DateTime(timezone=True), nullable=False),
    Column("known_to", DateTime(timezone=True)),
    # What it was read from, and who applied it.
    Column("source", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    # spend/ownership.py: the whole file, in order.
    Column("rules", JSONB, nullable=False),
    # When payers and charges had followed it.
    Column("followed_at", DateTime(timezone=True)),
    Index(
        "uq_ownership_in_force",
        "tenant_id",
        unique=True,
        postgresql_where=text("known_to IS NULL"),
    ),
)

# Who pays for an owner's calls, where it is somebody else: what the rules come to. Changed in the
# transaction that moves the charges, so that usage and money change hands together.
payers = Table(
    "payers",
    METADATA,
    tenant(),
    Column("owner_id", BigInteger, primary_key=True, autoincrement=False),
    # Quarter hours of UTC, half-open; without a bound the first and the last moment that there is.
    Column("valid_from", DateTime(timezone=True), primary_key=True),
    Column("valid_to", DateTime(timezone=True), nullable=False),
    Column("payer_id", BigInteger, nullable=False),
    CheckConstraint("valid_to > valid_from", name="valid_is_a_range"),
    ExcludeConstraint(
        ("tenant_id", "="),
        ("owner_id", "="),
        (text("tstzrange(valid_from, valid_to)"), "&&"),
        name="ex_payers_one_at_a_time",
        using="gist",
    ),
)

# What the lines of a split were made by (charges.rule_id). The id is of the content.
splits = Table(
    "splits",
    METADATA,
    tenant(),
    content_key(),
    Column("name", Text, nullable=False),
    Column("terms", JSONB, nullable=False),
)

# Quarter hours (UTC) in which usage or charges changed: their days are to be split again.
split_waiting = Table(
    "split_waiting",
    METADATA,
    tenant(),
    Column("slot", DateTime(timezone=True), primary_key=True),
)
