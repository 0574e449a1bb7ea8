"""Commitments: credits bought in advance, and spend that was promised.

Revision: 0010, after 0009.
Expand: two new tables, which old code does not know.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

AMOUNT = sa.Numeric(38, 12)


def upgrade() -> None:
    op.create_table(
        "commitments",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", AMOUNT, nullable=False),
        sa.Column("paid", AMOUNT, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("match", JSONB, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True)),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True)),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("entered_by", sa.Text),
        sa.Column("seen_to", sa.BigInteger),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("amount <> 'NaN'", name=op.f("ck_commitments_amount_is_a_number")),
        sa.CheckConstraint("paid <> 'NaN'", name=op.f("ck_commitments_paid_is_a_number")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_commitments_amount_positive")),
        sa.CheckConstraint(
            "paid BETWEEN 0 AND amount", name=op.f("ck_commitments_paid_at_most_the_amount")
        ),
        sa.CheckConstraint(
            "kind IN ('prepaid', 'minimum')", name=op.f("ck_commitments_kind_is_known")
        ),
        sa.CheckConstraint(
            "period IN ('month', 'quarter', 'year', 'term')",
            name=op.f("ck_commitments_period_is_known"),
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_commitments_valid_is_a_range")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_commitments")),
    )
    op.execute("""
        ALTER TABLE commitments ADD CONSTRAINT ex_commitments_one_of_a_name_at_a_time
        EXCLUDE USING gist (tenant_id WITH =, name WITH =,
            (tstzrange(valid_from, valid_to)) WITH &&, (tstzrange(known_from, known_to)) WITH &&)
    """)
    op.create_table(
        "commitment_slots",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("commitment_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("eligible", AMOUNT, nullable=False),
        sa.Column("covered", AMOUNT, nullable=False, server_default="0"),
        sa.Column("effective", AMOUNT, nullable=False, server_default="0"),
        sa.Column("covers", sa.Text, nullable=False, server_default="nothing"),
        sa.Column("waits", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.CheckConstraint(
            "eligible <> 'NaN'", name=op.f("ck_commitment_slots_eligible_is_a_number")
        ),
        sa.CheckConstraint(
            "covers IN ('nothing', 'part', 'all')",
            name=op.f("ck_commitment_slots_covers_is_known"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "commitment_id", "slot", name=op.f("pk_commitment_slots")
        ),
    )
    op.create_index(
        "ix_commitment_slots_waiting",
        "commitment_slots",
        ["tenant_id", "commitment_id", "slot"],
        postgresql_where=sa.text("waits"),
    )


def downgrade() -> None:
    op.drop_table("commitment_slots")
    op.drop_table("commitments")
