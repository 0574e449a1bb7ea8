"""Alert rules and their states, the channels that alerts go to, and silences."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import METADATA

RULE_IDS = Sequence("alert_rule_ids", metadata=METADATA)

# One row for each version, as of budgets.
alert_rules = Table(
    "alert_rules",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    # What it measures: spend/alert_rules.py.
    Column("kind", Text, nullable=False),
    # dimension -> list of values; {} is everything.
    Column("filter", JSONB, nullable=False),
    # Bounds and the like, by kind.
    Column("settings", JSONB, nullable=False),
    Column("owner", Text),
    Column("channel_ids", ARRAY(BigInteger), nullable=False, server_default="{}"),
    Column("remind_hours", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("replaced_at", DateTime(timezone=True)),
    Index(
        "uq_alert_rules_name_in_force",
        "tenant_id",
        "name",
        unique=True,
        postgresql_where=text("replaced_at IS NULL"),
    ),
)

# What a rule last found of each of its subjects.
rule_states = Table(
    "rule_states",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("rule_id", BigInteger, primary_key=True, autoincrement=False),
    # Such as team=search; '': all that it looks at.
    Column("subject", Text, primary_key=True),
    # ok | warning | over | recovered | no data | failing
    Column("state", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("evaluated_at", DateTime(timezone=True), nullable=False),
    Column("detail", JSONB(none_as_null=True)),
    # Why it could not be measured.
    Column("last_error", Text),
)

channels = Table(
    "channels",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    # slack-webhook | slack-bot | webhook | email | apprise
    Column("kind", Text, nullable=False),
    # A URL, token or key, sealed (store/secrets.py); NULL: the kind has none.
    Column("secret", Text),
    # Of the secret, to tell channels apart.
    Column("last4", Text),
    # What is no secret: recipients, teams, quiet hours (spend/channels.py).
    Column("settings", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("removed_at", DateTime(timezone=True)),
    # Nothing is sent to it before.
    Column("rests_until", DateTime(timezone=True)),
    Index(
        "uq_channels_name_in_force",
        "tenant_id",
        "name",
        unique=True,
        postgresql_where=text("removed_at IS NULL"),
    ),
)

# A time in which a budget or a rule tells nobody anything.
silences = Table(
    "silences",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    # snooze: messages wait for its end; mute: they are dropped.
    Column("kind", Text, nullable=False),
    Column("budget_id", BigInteger),
    Column("rule_id", BigInteger),
    Column("starts", DateTime(timezone=True), nullable=False),
    Column("ends", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text),
    # When somebody ended it early.
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('snooze', 'mute')", name="kind_is_known"),
    CheckConstraint("ends > starts", name="time_is_a_range"),
)
