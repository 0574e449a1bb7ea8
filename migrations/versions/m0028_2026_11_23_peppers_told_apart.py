"""With which pepper a key was made, so that a machine with another one says so at its start.

Revision: 0028, after 0027.
Expand: old code leaves the new column alone; of keys that it makes nobody knows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("pepper_mark", sa.Text))


def downgrade() -> None:
    op.drop_column("keys", "pepper_mark")
