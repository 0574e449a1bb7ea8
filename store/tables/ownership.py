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

ownership = Table(
    "ownership",
    METADATA,
    tenant(),
    Column("version", Integer, primary_key=True, autoincrement=False, doc="From 1."),
    Column(
        "known_from",
        DateTime(timezone=True),
        nullable=False,
        doc="From when on it was in force, UTC.",
    ),
    Column("known_to", DateTime(timezone=True), doc="Until when, UTC; null: it is in force."),
    Column(
        "source",
        Text,
        nullable=False,
        doc="What it was entered from: a file's name, `PUT /v1/ownership`.",
    ),
    Column("entered_by", Text, nullable=False, doc="Who applied it."),
    Column("rules", JSONB, nullable=False, doc="The whole file, in order."),
    Column(
        "followed_at",
        DateTime(timezone=True),
        doc="When payers and charges had followed it, UTC; null: they have not yet.",
    ),
    Index(
        "uq_ownership_in_force",
        "tenant_id",
        unique=True,
        postgresql_where=text("known_to IS NULL"),
    ),
    info={
        "doc": (
            "[Who pays for whose calls](../ownership.md): a version for each file"
            " of rules that was applied. The next one closes it, nothing changes "
            "it."
        )
    },
)

payers = Table(
    "payers",
    METADATA,
    tenant(),
    Column(
        "owner_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Who was heard: `owners.id`.",
    ),
    Column(
        "valid_from",
        DateTime(timezone=True),
        primary_key=True,
        doc="From when on, UTC, a quarter hour.",
    ),
    Column("valid_to", DateTime(timezone=True), nullable=False, doc="Until when, UTC, exclusive."),
    Column("payer_id", BigInteger, nullable=False, doc="Who pays: `owners.id`."),
    CheckConstraint("valid_to > valid_from", name="valid_is_a_range"),
    ExcludeConstraint(
        ("tenant_id", "="),
        ("owner_id", "="),
        (text("tstzrange(valid_from, valid_to)"), "&&"),
        name="ex_payers_one_at_a_time",
        using="gist",
    ),
    info={
        "doc": (
            "Who pays for an owner's calls, where it is somebody else: what the "
            "rules come to. Changed in the transaction that moves the charges."
        )
    },
)

splits = Table(
    "splits",
    METADATA,
    tenant(),
    content_key(),
    Column("name", Text, nullable=False, doc="What the split is called."),
    Column("terms", JSONB, nullable=False, doc="Source, targets, and by what it goes."),
    info={
        "doc": (
            "By which terms lines of [shared costs](../ownership.md) were made "
            "(`charges.rule_id`). Written once."
        )
    },
)

split_waiting = Table(
    "split_waiting",
    METADATA,
    tenant(),
    Column(
        "slot", DateTime(timezone=True), primary_key=True, doc="Start of the quarter hour, UTC."
    ),
    info={
        "doc": (
            "Quarter hours in which usage or charges changed: their days are to be split again."
        )
    },
)
