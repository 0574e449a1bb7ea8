"""Who comes in, keys, people and their sessions; and the record of who changed what."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
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
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    # The readable part of the key, by which it is found.
    Column("id", Text, primary_key=True),
    # ingest | read | admin
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The team that spans sent with this key belong to unless they say otherwise; for a read key,
    # the only team it may see.
    Column("team", Text),
    # HMAC-SHA256 of the secret: it is 256 random bits, so a slow hash would add nothing.
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    # From when on it opens nothing; NULL: never.
    Column("expires_at", DateTime(timezone=True)),
    # To the day, or it would be written with every request.
    Column("last_used_at", DateTime(timezone=True)),
    # Stands for the pepper that it was made with, and does not give it away; NULL: from before.
    Column("pepper_mark", Text),
    CheckConstraint("kind IN ('ingest', 'read', 'admin')", name="kind_is_known"),
)

# Who signed in through the organisation's identity provider, by what it calls them.
people = Table(
    "people",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("issuer", Text, nullable=False),
    # What the issuer calls them; an address of mail may go to somebody else one day.
    Column("subject", Text, nullable=False),
    Column("email", Text),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    # From then on they do not come in, whatever the provider says.
    Column("barred_at", DateTime(timezone=True)),
    UniqueConstraint("tenant_id", "issuer", "subject"),
)

# What somebody is; who is nothing sees nothing.
roles = Table(
    "roles",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person_id", BigInteger, nullable=False),
    # spend.roles.ROLES
    Column("role", Text, nullable=False),
    # The only team that they see; NULL: all.
    Column("team", Text),
    # 'claim': the provider's groups say so, at each signing in anew. 'grant': somebody here did.
    Column("source", Text, nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("source IN ('claim', 'grant')", name="source_is_known"),
    UniqueConstraint(
        "tenant_id", "person_id", "role", "team", "source", postgresql_nulls_not_distinct=True
    ),
)

# A browser that signed in, as a person or with a key. Ended ones stay for a while.
sessions = Table(
    "sessions",
    METADATA,
    tenant(),
    # HMAC-SHA256 of what is in the cookie.
    Column("digest", LargeBinary, primary_key=True),
    Column("person_id", BigInteger),
    # Which of their roles they are here as.
    Column("role_id", BigInteger),
    Column("key_id", Text),
    Column("began_at", DateTime(timezone=True), nullable=False),
    # To the minute, or it would be written with every request.
    Column("last_used_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("(person_id IS NULL) <> (key_id IS NULL)", name="of_a_person_or_a_key"),
)

# Who changed what. Only ever added to.
audit_log = Table(
    "audit_log",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    # spend.actors.Actor, as it was known then.
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text),
    Column("actor_name", Text, nullable=False),
    Column("address", Text),
    # created | changed | closed ...: a verb in the past.
    Column("did", Text, nullable=False),
    # What it was done to: budget, key, price ...
    Column("noun", Text, nullable=False),
    Column("noun_id", Text),
    # What people call it.
    Column("name", Text),
    # How it was, and how it is: what changed alone, where both are there. Never a secret.
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Index("ix_audit_log_at", "tenant_id", "at"),
    Index("ix_audit_log_noun", "tenant_id", "noun", "noun_id"),
)
