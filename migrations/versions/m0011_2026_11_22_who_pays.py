"""Ownership rules with their versions, the payers that they come to, and splits.

Revision: 0011, after 0010.
Expand: nothing of before reads or writes these tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "ownership",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("known_from", moment, nullable=False),
        sa.Column("known_to", moment),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("entered_by", sa.Text, nullable=False),
        sa.Column("rules", JSONB, nullable=False),
        sa.Column("followed_at", moment),
        sa.PrimaryKeyConstraint("tenant_id", "version", name=op.f("pk_ownership")),
    )
    op.create_index(
        "uq_ownership_in_force",
        "ownership",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "payers",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("valid_from", moment, nullable=False),
        sa.Column("valid_to", moment, nullable=False),
        sa.Column("payer_id", sa.BigInteger, nullable=False),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_payers_valid_is_a_range")),
        sa.PrimaryKeyConstraint("tenant_id", "owner_id", "valid_from", name=op.f("pk_payers")),
    )
    op.execute("""
        ALTER TABLE payers ADD CONSTRAINT ex_payers_one_at_a_time EXCLUDE USING gist (
            tenant_id WITH =, owner_id WITH =, (tstzrange(valid_from, valid_to)) WITH &&)
    """)
    op.create_table(
        "splits",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("terms", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_splits")),
    )
    op.create_table(
        "split_waiting",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("slot", moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "slot", name=op.f("pk_split_waiting")),
    )


def downgrade() -> None:
    for name in ("split_waiting", "splits", "payers", "ownership"):
        op.drop_table(name)
