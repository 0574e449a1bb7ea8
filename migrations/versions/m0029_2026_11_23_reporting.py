"""Views for whoever asks in SQL, in a schema of their own.

Revision: 0029, after 0028.
Expand: old code does not know them.
"""

from alembic import op

from migrations.reporting import r0029_books, r0029_budgets, r0029_performance, r0029_spend
from migrations.reporting.views import drop, put

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    views = (
        *r0029_spend.SPEND_VIEWS,
        *r0029_performance.PERFORMANCE_VIEWS,
        *r0029_budgets.BUDGET_VIEWS,
        *r0029_books.BOOK_VIEWS,
    )
    put(op.get_bind(), views, r0029_performance.FUNCTIONS)


def downgrade() -> None:
    drop(op.get_bind())
