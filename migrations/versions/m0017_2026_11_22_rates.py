"""Exchange rates, by the day and by when they were known.

Revision: 0017, after 0016.
Expand: old code does not know of them, and shows the settings' currency alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ExcludeConstraint

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "rates",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("from_currency", sa.Text, nullable=False),
        sa.Column("to_currency", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("rate", sa.Numeric(20, 10), nullable=False),
        sa.Column("known_from", moment, nullable=False),
        sa.Column("known_to", moment),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("entered_by", sa.Text),
        sa.CheckConstraint("rate <> 'NaN'", name=op.f("ck_rates_rate_is_a_number")),
        sa.CheckConstraint("rate > 0", name=op.f("ck_rates_rate_is_positive")),
        sa.CheckConstraint("from_currency <> to_currency", name=op.f("ck_rates_of_two_currencies")),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("from_currency", "="),
            ("to_currency", "="),
            ("day", "="),
            (sa.text("tstzrange(known_from, known_to)"), "&&"),
            name="ex_rates_one_rate_a_day",
            using="gist",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rates")),
    )
    op.create_index("ix_rates_day", "rates", ["tenant_id", "day"])


def downgrade() -> None:
    op.drop_table("rates")
