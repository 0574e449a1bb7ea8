"""Budgets whose periods are those of a fiscal year.

Revision: 0020, after 0019.
Expand: old code leaves the column alone, and cannot compare budgets of such a period: it logs each.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("budgets", sa.Column("fiscal", JSONB(none_as_null=True)))


def downgrade() -> None:
    op.drop_column("budgets", "fiscal")
