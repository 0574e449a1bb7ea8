"""Which code can go on with which shape, so that older code can ask.

Revision: 0027, after 0026.
Expand: old code does not know it. It refuses to start beside a newer shape, whichever it is; from
here on code asks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

WORKS_FROM = "0023"


def upgrade() -> None:
    op.create_table(
        "shapes",
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("works_from", sa.Text, nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_shapes")),
    )


def downgrade() -> None:
    op.drop_table("shapes")
