"""Who comes in, keys, people and their sessions; and the record of who changed what."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.tables.base import METADATA, tenant

keys = Table(
    "keys",
    METADATA,
    tenant(),
    Column("id", Text, primary_key=True, doc="The readable part of the key, by which it is found."),
    Column("kind", Text, nullable=False, doc="ingest, read or admin."),
    Column("name", Text, nullable=False, doc="What people call it."),
    Column(
        "team",
        Text,
        doc=(
            "Of an ingest key the team of spans that say no other; of a read key the "
            "only team that it sees. Null: any."
        ),
    ),
    # Of 256 random bits, so a slow hash would add nothing.
    Column(
        "digest",
        LargeBinary,
        nullable=False,
        doc="HMAC-SHA256 of the secret, keyed with the pepper.",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, doc="When it was made, UTC."),
    Column(
        "revoked_at",
        DateTime(timezone=True),
        doc="Since when it opens nothing, UTC; null: it was not revoked.",
    ),
    Column(
        "expires_at",
        DateTime(timezone=True),
        doc="From when on it opens nothing, UTC; null: never.",
    ),
    Column(
        "last_used_at",
        DateTime(timezone=True),
        doc="When it was last used, to the day, UTC; null: never.",
    ),
    Column(
        "pepper_mark",
        Text,
        doc=(
            "Stands for the pepper that it was made with, and does not give it away; "
            "null: from before this was kept."
        ),
    ),
    CheckConstraint("kind IN ('ingest', 'read', 'admin')", name="kind_is_known"),
    info={
        "doc": (
            "[Keys](../access.md) that send, read or administer. The database "
            "cannot make one: it keeps a hash."
        )
    },
)

people = Table(
    "people",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the person."),
    Column("issuer", Text, nullable=False, doc="The identity provider."),
    Column("subject", Text, nullable=False, doc="What that calls them."),
    Column("email", Text, doc="Their address, where the provider says it is theirs."),
    Column("name", Text, nullable=False, doc="What people call them."),
    Column("created_at", DateTime(timezone=True), nullable=False, doc="When they came first, UTC."),
    Column(
        "last_seen_at",
        DateTime(timezone=True),
        nullable=False,
        doc="When they signed in last, UTC.",
    ),
    Column(
        "barred_at",
        DateTime(timezone=True),
        doc=("Since when they do not come in, whatever the provider says, UTC; null: they do."),
    ),
    UniqueConstraint("tenant_id", "issuer", "subject"),
    info={
        "doc": (
            "Who signed in through the organisation's [identity provider](../access.md#people)."
        )
    },
)

roles = Table(
    "roles",
    METADATA,
    tenant(),
    Column(
        "id", BigInteger, Identity(), primary_key=True, doc="Number of the role that somebody has."
    ),
    Column("person_id", BigInteger, nullable=False, doc="`people.id`."),
    Column("role", Text, nullable=False, doc="admin, finance, lead or viewer."),
    Column("team", Text, doc="The only team that they see; null: all."),
    Column(
        "source",
        Text,
        nullable=False,
        doc=(
            "claim: the provider's groups say so, at each signing in anew; grant: "
            "somebody here did."
        ),
    ),
    Column("given_at", DateTime(timezone=True), nullable=False, doc="When it was given, UTC."),
    CheckConstraint("source IN ('claim', 'grant')", name="source_is_known"),
    UniqueConstraint(
        "tenant_id", "person_id", "role", "team", "source", postgresql_nulls_not_distinct=True
    ),
    info={"doc": ("What somebody [may do](../access.md#roles). Who has no role sees nothing.")},
)

sessions = Table(
    "sessions",
    METADATA,
    tenant(),
    Column("digest", LargeBinary, primary_key=True, doc="HMAC-SHA256 of what is in the cookie."),
    Column("person_id", BigInteger, doc="`people.id`; null: a key's."),
    Column(
        "role_id",
        BigInteger,
        doc="Which of their roles they are here as: `roles.id`; null: none was chosen.",
    ),
    Column("key_id", Text, doc="`keys.id`; null: a person's."),
    Column("began_at", DateTime(timezone=True), nullable=False, doc="When it began, UTC."),
    Column(
        "last_used_at",
        DateTime(timezone=True),
        nullable=False,
        doc="When it was last used, to the minute, UTC.",
    ),
    Column("expires_at", DateTime(timezone=True), nullable=False, doc="When it ends, UTC."),
    Column(
        "ended_at", DateTime(timezone=True), doc="When somebody signed out, UTC; null: nobody did."
    ),
    CheckConstraint("(person_id IS NULL) <> (key_id IS NULL)", name="of_a_person_or_a_key"),
    info={
        "doc": (
            "Browsers that [signed in](../access.md#sessions), as a person or "
            "with a key. Ended ones stay for 30 days."
        )
    },
)

audit_log = Table(
    "audit_log",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the line."),
    Column("at", DateTime(timezone=True), nullable=False, doc="When, UTC."),
    Column(
        "actor_kind",
        Text,
        nullable=False,
        doc=("person, key, machine (anybody on this machine, without keys), command or job."),
    ),
    Column("actor_id", Text, doc="Of the person or the key."),
    Column("actor_name", Text, nullable=False, doc="As it was known then."),
    Column("address", Text, doc="Where the request came from; null: no request, or not known."),
    Column("did", Text, nullable=False, doc="A verb in the past: created, changed, closed, …"),
    Column("noun", Text, nullable=False, doc="What it was done to: budget, key, price, …"),
    Column("noun_id", Text, doc="Its id."),
    Column("name", Text, doc="What people call it."),
    Column(
        "before",
        JSONB(none_as_null=True),
        doc="How it was; where both are there, what changed alone. Never a secret.",
    ),
    Column("after", JSONB(none_as_null=True), doc="How it is."),
    Index("ix_audit_log_at", "tenant_id", "at"),
    Index("ix_audit_log_noun", "tenant_id", "noun", "noun_id"),
    info={
        "doc": (
            "[Who changed what](../access.md#the-record-of-changes): a line in "
            "the transaction of each change. Only ever added to."
        )
    },
)
