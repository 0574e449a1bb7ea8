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

from store.tables.base import AMOUNT, METADATA, no_nan, tenant

BUDGET_IDS = Sequence("budget_ids", metadata=METADATA)

budgets = Table(
    "budgets",
    METADATA,
    tenant(),
    Column(
        "id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="Number of the budget, from the sequence `budget_ids`.",
    ),
    Column("version", Integer, primary_key=True, autoincrement=False, doc="From 1."),
    Column(
        "name", Text, nullable=False, doc="What people call it; of those in force no two the same."
    ),
    Column("filter", JSONB, nullable=False, doc="Dimension -> list of values; `{}` is everything."),
    Column("amount", AMOUNT, nullable=False, doc="What may be spent in a period."),
    Column("currency", Text, nullable=False, doc="ISO 4217 code."),
    Column(
        "period",
        Text,
        nullable=False,
        doc="Day, week, month, quarter, year, one of the fiscal calendar, or custom.",
    ),
    Column("timezone", Text, nullable=False, doc="Whose days and months (IANA)."),
    Column(
        "fiscal",
        JSONB(none_as_null=True),
        doc="How its fiscal periods are cut; null: its period is none of them.",
    ),
    Column(
        "thresholds",
        ARRAY(Integer),
        nullable=False,
        doc="Per cent of the amount, ascending, at which somebody is told.",
    ),
    Column(
        "webhook_url",
        Text,
        doc="A Slack webhook of its own, sealed; null: its channels, or the default.",
    ),
    Column(
        "created_at", DateTime(timezone=True), nullable=False, doc="When the version was made, UTC."
    ),
    Column(
        "effective_from",
        DateTime(timezone=True),
        doc="From when it holds, UTC; null: from when it was made.",
    ),
    Column(
        "replaced_at", DateTime(timezone=True), doc="Until when it held, UTC; null: it is in force."
    ),
    Column("own_period", JSONB(none_as_null=True), doc="Of the period custom: how it is cut."),
    Column(
        "rollover_cap",
        AMOUNT,
        doc=("At most so much of what is left over goes into the next period; null: nothing does."),
    ),
    Column(
        "parent_id",
        BigInteger,
        doc="The budget that this one is a part of: `budgets.id`; null: of none.",
    ),
    Column("owner", Text, doc="Whom to ask about it; null: nobody was named."),
    Column(
        "forecast_thresholds",
        ARRAY(Integer),
        nullable=False,
        server_default="{}",
        doc="Per cent of the amount that the forecast of the period's end may reach.",
    ),
    Column(
        "pace_thresholds",
        ARRAY(Integer),
        nullable=False,
        server_default="{}",
        doc="Per cent of the even rate at which it may be spent: 200 is twice as fast.",
    ),
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
    info={
        "doc": (
            "[Amounts that spend should not exceed](../budgets.md). One row for "
            "each version: a change adds one and closes the one before."
        )
    },
)

crossings = Table(
    "crossings",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the alert."),
    Column("budget_id", BigInteger, doc="`budgets.id`; null: of a rule."),
    Column("rule_id", BigInteger, doc="`alert_rules.id`; null: of a budget."),
    Column("version", Integer, nullable=False, doc="Of the budget or the rule."),
    Column(
        "period_start",
        DateTime(timezone=True),
        nullable=False,
        doc="Start of the period, UTC; of a rule when what was measured began.",
    ),
    Column(
        "kind",
        Text,
        nullable=False,
        server_default="actual",
        doc="Of a budget: actual, forecast or pace; of a rule: its kind.",
    ),
    Column("threshold", Integer, nullable=False, doc="Of a budget: per cent; of a rule: 0."),
    Column(
        "subject",
        Text,
        nullable=False,
        server_default="",
        doc=("Of a rule: which of what it looks at, such as `team=search`; empty: all of it."),
    ),
    Column("level", Text, doc="warning or over."),
    Column("crossed_at", DateTime(timezone=True), nullable=False, doc="When that was found, UTC."),
    Column("spent", AMOUNT, doc="Of a budget: what was spent, or forecast; null: of a rule."),
    Column("amount", AMOUNT, doc="Of a budget: its limit then; null: of a rule."),
    Column(
        "detail",
        JSONB(none_as_null=True),
        doc="Of a rule: what was measured. Of a budget: what was told since.",
    ),
    Column(
        "as_of",
        DateTime(timezone=True),
        doc="Everything heard before was in it, UTC; null: not known.",
    ),
    Column(
        "recovered_at",
        DateTime(timezone=True),
        doc="When spend was below it again, UTC; null: it is not.",
    ),
    Column(
        "acknowledged_at",
        DateTime(timezone=True),
        doc="When somebody said that they know of it, UTC.",
    ),
    Column("acknowledged_by", Text, doc="Who said so."),
    Column("reminded_at", DateTime(timezone=True), doc="When somebody was last reminded, UTC."),
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
    info={
        "doc": (
            "Bounds that were passed, of a budget in a period or of an alert "
            "rule: what people know as [alerts](../alerts.md). Each is written "
            "once, with its messages, in one transaction."
        )
    },
)

outbox = Table(
    "outbox",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the message."),
    Column("key", Text, doc="What it tells, to whom: no two messages have the same."),
    Column(
        "crossing_id", BigInteger, doc="The alert that it is of: `crossings.id`; null: of none."
    ),
    Column(
        "channel_id",
        BigInteger,
        doc="`channels.id`; null: the budget's own webhook, else that of the settings.",
    ),
    Column(
        "destination", Text, doc="Of messages before revision 0022: a webhook of its own, sealed."
    ),
    Column(
        "body",
        JSONB,
        nullable=False,
        doc="The notice (`spend/channels/notices.py`), and what its senders know of it.",
    ),
    Column(
        "status",
        Text,
        nullable=False,
        server_default="pending",
        doc=(
            "pending, sent, dead (undelivered) or dropped (deliberately not sent: "
            "`last_error` says why)."
        ),
    ),
    Column("attempts", Integer, nullable=False, server_default="0", doc="How often it was tried."),
    Column("created_at", DateTime(timezone=True), nullable=False, doc="When it was made, UTC."),
    Column("next_at", DateTime(timezone=True), nullable=False, doc="It is not tried before, UTC."),
    Column(
        "leased_to",
        DateTime(timezone=True),
        doc="Until when somebody is sending it, UTC; null: nobody is.",
    ),
    Column("sent_at", DateTime(timezone=True), doc="When it was sent, UTC; null: it is not."),
    Column("last_error", Text, doc="Why the last try failed, or why it was dropped."),
    CheckConstraint("status IN ('pending', 'sent', 'dead', 'dropped')", name="status_is_known"),
    UniqueConstraint("tenant_id", "key", name="uq_outbox_key"),
    Index("ix_outbox_pending", "next_at", postgresql_where=text("status = 'pending'")),
    Index("ix_outbox_crossing", "tenant_id", "crossing_id"),
    info={
        "doc": (
            "Messages that wait to be sent, or were: one row a message and "
            "channel. [Delivery](../delivery.md)"
        )
    },
)

standings = Table(
    "standings",
    METADATA,
    tenant(),
    Column("budget_id", BigInteger, primary_key=True, autoincrement=False, doc="`budgets.id`."),
    Column(
        "period_start",
        DateTime(timezone=True),
        primary_key=True,
        doc="When the period begins, UTC.",
    ),
    Column(
        "period_end", DateTime(timezone=True), nullable=False, doc="When it ends, UTC, exclusive."
    ),
    Column(
        "version", Integer, nullable=False, doc="Of the budget: by whose terms it was compared."
    ),
    Column(
        "spent",
        AMOUNT,
        nullable=False,
        doc="What was spent in the period, in the budget's currency.",
    ),
    Column(
        "rolled_in",
        AMOUNT,
        nullable=False,
        doc=("What the period before left over, to its cap: the limit is the amount and this."),
    ),
    Column(
        "without_rate",
        JSONB(none_as_null=True),
        doc="Currency -> what was spent in it and has no exchange rate; null: nothing.",
    ),
    Column("pace", Integer, doc="Per cent of the even rate; null: it was not measured."),
    Column("state", Text, nullable=False, doc="ok, warning, over or recovered."),
    Column(
        "as_of",
        DateTime(timezone=True),
        doc="Everything heard before is in `spent`, UTC; null: not known.",
    ),
    Column(
        "changed_at",
        DateTime(timezone=True),
        nullable=False,
        doc="When anything of it but `as_of` last changed, UTC.",
    ),
    no_nan("spent"),
    no_nan("rolled_in"),
    info={
        "doc": (
            "Where a budget stood in a period when it was last compared: of the "
            "present one, and of the last."
        )
    },
)

forecasts = Table(
    "forecasts",
    METADATA,
    tenant(),
    Column("budget_id", BigInteger, primary_key=True, autoincrement=False, doc="`budgets.id`."),
    Column(
        "period_start",
        DateTime(timezone=True),
        primary_key=True,
        doc="When the period begins, UTC.",
    ),
    Column("version", Integer, nullable=False, doc="Of the budget, that it was made for."),
    Column("made_at", DateTime(timezone=True), nullable=False, doc="When it was made, UTC."),
    Column(
        "through",
        DateTime(timezone=True),
        nullable=False,
        doc=("What was spent before is in it as it was; what comes after, as it is expected. UTC."),
    ),
    Column(
        "expected",
        AMOUNT,
        nullable=False,
        doc="Of the whole period, what is spent included, in the budget's currency.",
    ),
    Column(
        "low",
        AMOUNT,
        nullable=False,
        doc="Lower end of its band, that 8 of 10 such periods end in.",
    ),
    Column("high", AMOUNT, nullable=False, doc="Upper end of its band."),
    Column(
        "past_error",
        Numeric(12, 2),
        doc=(
            "By how many per cent forecasts of this age were wrong before, in the "
            "middle; null: not known."
        ),
    ),
    Column("days", Integer, nullable=False, doc="How many days of the past it is from."),
    Column("method", Text, nullable=False, doc="By name and version: `seasonal-1`."),
    CheckConstraint(
        "low <= expected AND expected <= high AND high < 'NaN'",
        name="band_holds_what_is_expected",
    ),
    info={
        "doc": (
            "What a period of a budget is [expected to come to](../forecasts.md):"
            " the latest forecast of each."
        )
    },
)
