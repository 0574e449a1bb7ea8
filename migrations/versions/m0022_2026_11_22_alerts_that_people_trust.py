"""Budgets that say more, alert rules, channels, silences, and where budgets stand.

Revision: 0022, after 0021.
Expand: old code writes crossings and messages as before: what it leaves out means what it meant.
It does not judge budgets that it cannot read (a period of their own): it logs each. It knows no
channels: what it sends meanwhile goes where all went before, and what is sealed waits for the new
code. After a downgrade webhooks that were sealed are to be entered again, and a change of a budget
that was to come holds at once.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_AMOUNT = sa.Numeric(38, 12)
_NUMBERS = postgresql.ARRAY(sa.Integer)
_IDS = postgresql.ARRAY(sa.BigInteger)
_JSON = postgresql.JSONB(none_as_null=True)
_KINDS = ["tenant_id", "budget_id", "version", "period_start"]


def upgrade() -> None:
    _budgets()
    _crossings()
    _outbox()
    _standings()
    _rules()
    _channels()


def _budgets() -> None:
    for column in (
        sa.Column("effective_from", _MOMENT),
        sa.Column("own_period", _JSON),
        sa.Column("rollover_cap", _AMOUNT),
        sa.Column("parent_id", sa.BigInteger),
        sa.Column("owner", sa.Text),
        sa.Column("forecast_thresholds", _NUMBERS, nullable=False, server_default="{}"),
        sa.Column("pace_thresholds", _NUMBERS, nullable=False, server_default="{}"),
        sa.Column("channel_ids", _IDS, nullable=False, server_default="{}"),
        sa.Column("remind_hours", sa.Integer),
    ):
        op.add_column("budgets", column)
    op.create_check_constraint(
        op.f("ck_budgets_rollover_cap_is_a_number"), "budgets", "rollover_cap <> 'NaN'"
    )


def _crossings() -> None:
    for column in (
        sa.Column("rule_id", sa.BigInteger),
        sa.Column("kind", sa.Text, nullable=False, server_default="actual"),
        sa.Column("subject", sa.Text, nullable=False, server_default=""),
        sa.Column("level", sa.Text),
        sa.Column("detail", _JSON),
        sa.Column("as_of", _MOMENT),
        sa.Column("recovered_at", _MOMENT),
        sa.Column("acknowledged_at", _MOMENT),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("reminded_at", _MOMENT),
    ):
        op.add_column("crossings", column)
    for name in ("budget_id", "spent", "amount"):
        op.alter_column("crossings", name, nullable=True)
    op.drop_constraint(
        op.f("uq_crossings_tenant_id_budget_id_version_period_start_threshold"), "crossings"
    )
    op.create_unique_constraint("uq_crossings_once", "crossings", [*_KINDS, "kind", "threshold"])
    op.create_check_constraint(
        op.f("ck_crossings_of_a_budget_or_a_rule"),
        "crossings",
        "(budget_id IS NULL) <> (rule_id IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_crossings_level_is_known"), "crossings", "level IN ('warning', 'over')"
    )
    op.create_index(
        "uq_crossings_open_of_a_rule",
        "crossings",
        ["tenant_id", "rule_id", "subject", "level"],
        unique=True,
        postgresql_where=sa.text("rule_id IS NOT NULL AND recovered_at IS NULL"),
    )


def _outbox() -> None:
    op.add_column("outbox", sa.Column("key", sa.Text))
    op.add_column("outbox", sa.Column("channel_id", sa.BigInteger))
    op.create_unique_constraint("uq_outbox_key", "outbox", ["tenant_id", "key"])
    op.drop_constraint(op.f("ck_outbox_status_is_known"), "outbox")
    op.create_check_constraint(
        op.f("ck_outbox_status_is_known"),
        "outbox",
        "status IN ('pending', 'sent', 'dead', 'dropped')",
    )
    op.create_index("ix_outbox_crossing", "outbox", ["tenant_id", "crossing_id"])


def _standings() -> None:
    op.create_table(
        "standings",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("budget_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("period_start", _MOMENT, nullable=False),
        sa.Column("period_end", _MOMENT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("spent", _AMOUNT, nullable=False),
        sa.Column("rolled_in", _AMOUNT, nullable=False),
        sa.Column("without_rate", _JSON),
        sa.Column("pace", sa.Integer),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("as_of", _MOMENT),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.CheckConstraint("spent <> 'NaN'", name=op.f("ck_standings_spent_is_a_number")),
        sa.CheckConstraint("rolled_in <> 'NaN'", name=op.f("ck_standings_rolled_in_is_a_number")),
        sa.PrimaryKeyConstraint(
            "tenant_id", "budget_id", "period_start", name=op.f("pk_standings")
        ),
    )
    op.create_table(
        "forecasts",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("budget_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("period_start", _MOMENT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("through", _MOMENT, nullable=False),
        sa.Column("expected", _AMOUNT, nullable=False),
        sa.Column("low", _AMOUNT, nullable=False),
        sa.Column("high", _AMOUNT, nullable=False),
        sa.Column("past_error", sa.Numeric(12, 2)),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.CheckConstraint(
            "low <= expected AND expected <= high AND high < 'NaN'",
            name=op.f("ck_forecasts_band_holds_what_is_expected"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "budget_id", "period_start", name=op.f("pk_forecasts")
        ),
    )


def _rules() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("filter", postgresql.JSONB, nullable=False),
        sa.Column("settings", postgresql.JSONB, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("channel_ids", _IDS, nullable=False, server_default="{}"),
        sa.Column("remind_hours", sa.Integer),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("replaced_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", "version", name=op.f("pk_alert_rules")),
    )
    op.create_index(
        "uq_alert_rules_name_in_force",
        "alert_rules",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("alert_rule_ids")))
    op.create_table(
        "rule_states",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("rule_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("evaluated_at", _MOMENT, nullable=False),
        sa.Column("detail", _JSON),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "rule_id", "subject", name=op.f("pk_rule_states")),
    )


def _channels() -> None:
    op.create_table(
        "channels",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("last4", sa.Text),
        sa.Column("settings", postgresql.JSONB, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT),
        sa.Column("rests_until", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_channels")),
    )
    op.create_index(
        "uq_channels_name_in_force",
        "channels",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "silences",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("budget_id", sa.BigInteger),
        sa.Column("rule_id", sa.BigInteger),
        sa.Column("starts", _MOMENT, nullable=False),
        sa.Column("ends", _MOMENT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("ended_at", _MOMENT),
        sa.CheckConstraint("kind IN ('snooze', 'mute')", name=op.f("ck_silences_kind_is_known")),
        sa.CheckConstraint("ends > starts", name=op.f("ck_silences_time_is_a_range")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_silences")),
    )


def downgrade() -> None:
    _forget_what_old_code_misreads()
    for name in ("silences", "channels", "rule_states", "alert_rules", "forecasts", "standings"):
        op.drop_table(name)
    op.execute(sa.schema.DropSequence(sa.Sequence("alert_rule_ids")))
    op.drop_index("ix_outbox_crossing", table_name="outbox")
    op.execute("UPDATE outbox SET status = 'dead' WHERE status = 'dropped'")
    op.drop_constraint(op.f("ck_outbox_status_is_known"), "outbox")
    op.create_check_constraint(
        op.f("ck_outbox_status_is_known"), "outbox", "status IN ('pending', 'sent', 'dead')"
    )
    op.drop_constraint("uq_outbox_key", "outbox")
    op.drop_column("outbox", "channel_id")
    op.drop_column("outbox", "key")
    op.execute("DELETE FROM crossings WHERE budget_id IS NULL OR kind <> 'actual'")
    op.drop_index("uq_crossings_open_of_a_rule", table_name="crossings")
    op.drop_constraint(op.f("ck_crossings_level_is_known"), "crossings")
    op.drop_constraint(op.f("ck_crossings_of_a_budget_or_a_rule"), "crossings")
    op.drop_constraint("uq_crossings_once", "crossings")
    op.create_unique_constraint(
        op.f("uq_crossings_tenant_id_budget_id_version_period_start_threshold"),
        "crossings",
        [*_KINDS, "threshold"],
    )
    for name in ("budget_id", "spent", "amount"):
        op.alter_column("crossings", name, nullable=False)
    for name in (
        *("reminded_at", "acknowledged_by", "acknowledged_at", "recovered_at", "as_of", "detail"),
        *("level", "subject", "kind", "rule_id"),
    ):
        op.drop_column("crossings", name)
    op.drop_constraint(op.f("ck_budgets_rollover_cap_is_a_number"), "budgets")
    for name in (
        *("remind_hours", "channel_ids", "pace_thresholds", "forecast_thresholds", "owner"),
        *("parent_id", "rollover_cap", "own_period", "effective_from"),
    ):
        op.drop_column("budgets", name)


def _forget_what_old_code_misreads() -> None:
    op.execute(
        "DELETE FROM crossings USING budgets WHERE budgets.tenant_id = crossings.tenant_id"
        " AND budgets.id = crossings.budget_id AND budgets.version = crossings.version"
        " AND budgets.period = 'custom'"
    )
    op.execute("DELETE FROM budgets WHERE period = 'custom'")
    # To come, or taken back before it began.
    op.execute("DELETE FROM budgets WHERE effective_from > now() OR replaced_at <= effective_from")
    op.execute("UPDATE budgets SET replaced_at = NULL WHERE replaced_at > now()")
    op.execute("UPDATE budgets SET created_at = effective_from WHERE effective_from IS NOT NULL")
