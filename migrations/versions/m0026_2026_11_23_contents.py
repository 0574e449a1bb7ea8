"""What was said in calls, where it is kept, and on which terms.

Revision: 0026, after 0025.
Expand: old code does not know them; what it hears meanwhile has no content.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_SMALLER = """
DO $$ BEGIN
  ALTER TABLE contents ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;  -- a Postgres that was built without it takes its own
END $$
"""


def upgrade() -> None:
    op.create_table(
        "content_policies",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("days", sa.SmallInteger, nullable=False),
        sa.Column("kinds", ARRAY(sa.Text), nullable=False),
        sa.Column("patterns", ARRAY(sa.Text), nullable=False),
        sa.Column("ips", sa.Boolean, nullable=False),
        sa.Column("teams", ARRAY(sa.Text), nullable=False),
        sa.Column("services", ARRAY(sa.Text), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.CheckConstraint("days BETWEEN 1 AND 30", name=op.f("ck_content_policies_days_are_few")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_content_policies")),
    )
    op.create_table(
        "contents",
        sa.Column("tenant_id", sa.Integer, nullable=False),
        sa.Column("trace_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("span_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("part_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("is_cut", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "trace_id", "day", "span_id", "kind", "part_id", name=op.f("pk_contents")
        ),
        postgresql_partition_by="RANGE (day)",
    )
    # Before the first partition, which takes it over.
    op.execute(_SMALLER)
    op.execute("CREATE TABLE contents_default PARTITION OF contents DEFAULT")


def downgrade() -> None:
    op.drop_table("contents")
    op.drop_table("content_policies")
