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

from store.tables.base import METADATA, tenant

RULE_IDS = Sequence("alert_rule_ids", metadata=METADATA)

alert_rules = Table(
    "alert_rules",
    METADATA,
    tenant(),
    Column(
        "id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Number of the rule, from the sequence `alert_rule_ids`.",
    ),
    Column("version", Integer, primary_key=True, autoincrement=False, doc="From 1."),
    Column(
        "name", Text, nullable=False, doc="What people call it; of those in force no two the same."
    ),
    Column(
        "kind",
        Text,
        nullable=False,
        doc="What it measures: a kind of `spend/alerts/rule_kinds.py`.",
    ),
    Column("filter", JSONB, nullable=False, doc="Dimension -> list of values; `{}` is everything."),
    Column("settings", JSONB, nullable=False, doc="Bounds, window and the like, by kind."),
    Column("owner", Text, doc="Whom to ask about it; null: nobody was named."),
    Column(
        "channel_ids",
        ARRAY(BigInteger),
        nullable=False,
        server_default="{}",
        doc="Where it is told: `channels.id`; empty: where its team's messages go.",
    ),
    Column(
        "remind_hours",
        Integer,
        doc="Who is still over is reminded after so many hours; null: never.",
    ),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        doc="Since when this version holds, UTC.",
    ),
    Column(
        "replaced_at", DateTime(timezone=True), doc="Until when it held, UTC; null: it is in force."
    ),
    Index(
        "uq_alert_rules_name_in_force",
        "tenant_id",
        "name",
        unique=True,
        postgresql_where=text("replaced_at IS NULL"),
    ),
    info={
        "doc": (
            "What is [watched besides budgets](../alert-rules.md). One row for "
            "each version: a change adds one and closes the one before."
        )
    },
)

rule_states = Table(
    "rule_states",
    METADATA,
    tenant(),
    Column("rule_id", BigInteger, primary_key=True, autoincrement=False, doc="`alert_rules.id`."),
    Column(
        "subject", Text, primary_key=True, doc="Such as `team=search`; empty: all that it looks at."
    ),
    Column("state", Text, nullable=False, doc="ok, warning, over, recovered, no data or failing."),
    Column("since", DateTime(timezone=True), nullable=False, doc="Since when it is so, UTC."),
    Column(
        "evaluated_at",
        DateTime(timezone=True),
        nullable=False,
        doc="When it was last measured, UTC.",
    ),
    Column(
        "detail",
        JSONB(none_as_null=True),
        doc="What was measured: value, unit, bound, and what it is made of.",
    ),
    Column("last_error", Text, doc="Why it could not be measured; null: it could."),
    info={"doc": "What an alert rule last found of each of its subjects."},
)

channels = Table(
    "channels",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the channel."),
    Column(
        "name", Text, nullable=False, doc="What people call it; of those in force no two the same."
    ),
    Column(
        "kind", Text, nullable=False, doc="slack-webhook, slack-bot, webhook, email or apprise."
    ),
    Column(
        "secret", Text, doc="A URL, token or key, sealed with the pepper; null: the kind has none."
    ),
    Column("last4", Text, doc="The last 4 characters of the secret, to tell channels apart."),
    Column(
        "settings",
        JSONB,
        nullable=False,
        doc="What is no secret: recipients, teams, quiet hours, digest.",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, doc="When it was made, UTC."),
    Column(
        "removed_at", DateTime(timezone=True), doc="When it was removed, UTC; null: it is in force."
    ),
    Column(
        "rests_until",
        DateTime(timezone=True),
        doc="Nothing is sent to it before, as it asked to wait, UTC.",
    ),
    Index(
        "uq_channels_name_in_force",
        "tenant_id",
        "name",
        unique=True,
        postgresql_where=text("removed_at IS NULL"),
    ),
    info={"doc": "[Places that alerts go to](../channels.md)."},
)

silences = Table(
    "silences",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the silence."),
    Column(
        "kind",
        Text,
        nullable=False,
        doc="snooze: messages wait for its end; mute: they are dropped.",
    ),
    Column("budget_id", BigInteger, doc="`budgets.id`; null: of a rule."),
    Column("rule_id", BigInteger, doc="`alert_rules.id`; null: of a budget."),
    Column("starts", DateTime(timezone=True), nullable=False, doc="When it begins, UTC."),
    Column("ends", DateTime(timezone=True), nullable=False, doc="When it ends, UTC."),
    Column("by", Text, nullable=False, doc="Who asked for it."),
    Column("reason", Text, doc="Why."),
    Column(
        "ended_at",
        DateTime(timezone=True),
        doc="When somebody ended it early, UTC; null: nobody did.",
    ),
    CheckConstraint("kind IN ('snooze', 'mute')", name="kind_is_known"),
    CheckConstraint("ends > starts", name="time_is_a_range"),
    info={
        "doc": ("Times in which a budget or an alert rule [tells nobody anything](../alerts.md).")
    },
)
