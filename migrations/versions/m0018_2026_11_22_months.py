"""Months that close, and who closed them.

Revision: 0018, after 0017.
Expand: nothing of before reads or writes these tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "months",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("starts", moment, nullable=False),
        sa.Column("ends", moment, nullable=False),
        sa.Column("calendar", postgresql.JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("record", sa.Text),
        sa.Column("hash", sa.Text),
        sa.CheckConstraint("ends > starts", name=op.f("ck_months_time_is_a_range")),
        sa.CheckConstraint(
            "state IN ('open', 'soft-closed', 'closed')", name=op.f("ck_months_state_is_known")
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (record IS NOT NULL) AND (record IS NULL) = (hash IS NULL)",
            name=op.f("ck_months_closed_has_a_record"),
        ),
        postgresql.ExcludeConstraint(
            ("tenant_id", "="),
            (sa.text("tstzrange(starts, ends)"), "&&"),
            name="ex_months_one_at_a_time",
            using="gist",
            where=sa.text("state <> 'open'"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_months")),
    )
    op.create_table(
        "month_acts",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("accepted", postgresql.JSONB, nullable=False),
        sa.CheckConstraint(
            "act IN ('soft-close', 'reopen', 'close')", name=op.f("ck_month_acts_act_is_known")
        ),
        sa.CheckConstraint(
            "act <> 'reopen' OR note IS NOT NULL",
            name=op.f("ck_month_acts_reopened_for_a_reason"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_month_acts")),
    )
    op.create_index("ix_month_acts_month", "month_acts", ["tenant_id", "month", "id"])
    op.execute("""
        CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON month_acts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger()
    """)


def downgrade() -> None:
    op.drop_table("month_acts")
    op.drop_table("months")
