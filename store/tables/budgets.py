"""Budgets, where they stand, what was crossed, and the messages that wait to be sent."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Numeric,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.tables.base import AMOUNT, METADATA, no_nan

BUDGET_IDS = Sequence("budget_ids", metadata=METADATA)

# One row for each version: a change adds one and closes the one before (replaced_at).
budgets = Table(
    "budgets",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    # dimension -> list of values (spend/budgets.py); {} is everything.
    Column("filter", JSONB, nullable=False),
    Column("amount", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    # How its fiscal periods are cut (spend/fiscal.py); NULL: its period is none of them.
    Column("fiscal", JSONB(none_as_null=True)),
    # Percent of the amount, ascending.
    Column("thresholds", ARRAY(Integer), nullable=False),
    # A Slack webhook of its own, sealed (store/secrets.py); NULL: its channels, or the default.
    Column("webhook_url", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    # From when the version holds; NULL: from when it was made.
    Column("effective_from", DateTime(timezone=True)),
    Column("replaced_at", DateTime(timezone=True)),
    # Of the period "custom": how it is cut (spend/budget_periods.py).
    Column("own_period", JSONB(none_as_null=True)),
    # At most so much of what is left over goes into the next period; NULL: nothing does.
    Column("rollover_cap", AMOUNT),
    # The budget that this one is a part of.
    Column("parent_id", BigInteger),
    # Whom to ask about it.
    Column("owner", Text),
    # Percent of the amount that the forecast of the period's end may reach.
    Column("forecast_thresholds", ARRAY(Integer), nullable=False, server_default="{}"),
    # Percent of the even rate at which it may be spent: 200 is twice as fast.
    Column("pace_thresholds", ARRAY(Integer), nullable=False, server_default="{}"),
    Column("channel_ids", ARRAY(BigInteger), nullable=False, server_default="{}"),
    # Who is still over is reminded after so many hours; NULL: never.
    Column("remind_hours", Integer),
    no_nan("amount"),
    no_nan("rollover_cap"),
    CheckConstraint("amount >= 0", name="amount_not_negative"),
    Index(
        "uq_budgets_name_in_force",
        "tenant_id",
        "name",
        unique=True,
        postgresql_where=text("replaced_at IS NULL"),
    ),
)

# A bound that was passed, of a budget in a period or of an alert rule: written once, with its
# messages, in one transaction.
crossings = Table(
    "crossings",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("budget_id", BigInteger),
    Column("rule_id", BigInteger),
    Column("version", Integer, nullable=False),
    # Of a rule: when what was measured began.
    Column("period_start", DateTime(timezone=True), nullable=False),
    # Of a budget: actual | forecast | pace; of a rule: its kind.
    Column("kind", Text, nullable=False, server_default="actual"),
    # Of a budget: percent; of a rule: 0.
    Column("threshold", Integer, nullable=False),
    # Of a rule: which of what it looks at, such as team=search; '': all of it.
    Column("subject", Text, nullable=False, server_default=""),
    # warning | over
    Column("level", Text),
    Column("crossed_at", DateTime(timezone=True), nullable=False),
    # Of a budget: what was spent, or forecast; of a rule its numbers are in detail.
    Column("spent", AMOUNT),
    Column("amount", AMOUNT),
    Column("detail", JSONB(none_as_null=True)),
    # Everything heard before was in it.
    Column("as_of", DateTime(timezone=True)),
    Column("recovered_at", DateTime(timezone=True)),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("acknowledged_by", Text),
    Column("reminded_at", DateTime(timezone=True)),
    no_nan("spent"),
    CheckConstraint("(budget_id IS NULL) <> (rule_id IS NULL)", name="of_a_budget_or_a_rule"),
    CheckConstraint("level IN ('warning', 'over')", name="level_is_known"),
    UniqueConstraint(
        "tenant_id",
        "budget_id",
        "version",
        "period_start",
        "kind",
        "threshold",
        name="uq_crossings_once",
    ),
    Index(
        "uq_crossings_open_of_a_rule",
        "tenant_id",
        "rule_id",
        "subject",
        "level",
        unique=True,
        postgresql_where=text("rule_id IS NOT NULL AND recovered_at IS NULL"),
    ),
)

# One row a message and channel.
outbox = Table(
    "outbox",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("id", BigInteger, Identity(), primary_key=True),
    # What it tells, to whom: no two messages have the same (store/notify.py).
    Column("key", Text),
    Column("crossing_id", BigInteger),
    # NULL: the budget's own webhook, else that of the settings.
    Column("channel_id", BigInteger),
    # Of before revision 0022: a webhook of its own, sealed (store/secrets.py).
    Column("destination", Text),
    # A notice (spend/notices.py); of before revision 0022 a message of Slack.
    Column("body", JSONB, nullable=False),
    # pending | sent | dead | dropped (deliberately not sent: last_error says why)
    Column("status", Text, nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("leased_to", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("last_error", Text),
    CheckConstraint("status IN ('pending', 'sent', 'dead', 'dropped')", name="status_is_known"),
    UniqueConstraint("tenant_id", "key", name="uq_outbox_key"),
    Index("ix_outbox_pending", "next_at", postgresql_where=text("status = 'pending'")),
    Index("ix_outbox_crossing", "tenant_id", "crossing_id"),
)

# Where a budget stood in a period when it was last compared: of the present one, and of the last.
standings = Table(
    "standings",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("budget_id", BigInteger, primary_key=True, autoincrement=False),
    Column("period_start", DateTime(timezone=True), primary_key=True),
    Column("period_end", DateTime(timezone=True), nullable=False),
    Column("version", Integer, nullable=False),
    Column("spent", AMOUNT, nullable=False),
    # What the period before left over, to its cap: the limit is the amount and this.
    Column("rolled_in", AMOUNT, nullable=False),
    # Currency -> what was spent in it and has no rate.
    Column("without_rate", JSONB(none_as_null=True)),
    # Percent of the even rate; NULL: it was not measured.
    Column("pace", Integer),
    # ok | warning | over | recovered
    Column("state", Text, nullable=False),
    # Everything heard before is in spent; NULL: not known.
    Column("as_of", DateTime(timezone=True)),
    # When anything of it but as_of last changed.
    Column("changed_at", DateTime(timezone=True), nullable=False),
    no_nan("spent"),
    no_nan("rolled_in"),
)

# What a period is expected to come to: the latest forecast of each budget's period.
forecasts = Table(
    "forecasts",
    METADATA,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("budget_id", BigInteger, primary_key=True, autoincrement=False),
    Column("period_start", DateTime(timezone=True), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    # What was spent before is in it as it was.
    Column("through", DateTime(timezone=True), nullable=False),
    # Of the whole period, what is spent included; low and high: its band.
    Column("expected", AMOUNT, nullable=False),
    Column("low", AMOUNT, nullable=False),
    Column("high", AMOUNT, nullable=False),
    # By how many per cent forecasts of this age were wrong before, in the middle; NULL: not known.
    Column("past_error", Numeric(12, 2)),
    # How many days of the past it is from.
    Column("days", Integer, nullable=False),
    Column("method", Text, nullable=False),
    CheckConstraint(
        "low <= expected AND expected <= high AND high < 'NaN'",
        name="band_holds_what_is_expected",
    ),
)
