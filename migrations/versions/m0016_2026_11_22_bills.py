"""Bills of providers, and their lines.

Revision: 0016, after 0015.
Expand: nothing of before reads or writes these tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KINDS = "kind IN ('usage', 'credit', 'tax', 'fee', 'adjustment')"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    money = sa.Numeric(38, 12)
    op.create_table(
        "bills",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("invoice", sa.Text),
        sa.Column("starts", moment, nullable=False),
        sa.Column("ends", moment, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("imported_at", moment, nullable=False),
        sa.Column("imported_by", sa.Text),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("total", money, nullable=False),
        sa.Column("superseded_at", moment),
        sa.CheckConstraint("total <> 'NaN'", name=op.f("ck_bills_total_is_a_number")),
        sa.CheckConstraint("ends > starts", name=op.f("ck_bills_time_is_a_range")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bills")),
    )
    op.create_index(
        "uq_bills_one_holds",
        "bills",
        ["tenant_id", "provider", "account", "starts", "ends", "invoice"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "bill_lines",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("bill_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("starts", moment, nullable=False),
        sa.Column("ends", moment, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("provider", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.Text)
            for name in ("model", "meter", "region", "service_tier", "description")
        ),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("quantity", sa.Numeric),
        sa.Column("unit", sa.Text),
        sa.Column("unit_price", sa.Numeric),
        sa.Column("amount", money, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("raw", postgresql.JSONB, nullable=False),
        sa.CheckConstraint("quantity <> 'NaN'", name=op.f("ck_bill_lines_quantity_is_a_number")),
        sa.CheckConstraint(
            "unit_price <> 'NaN'", name=op.f("ck_bill_lines_unit_price_is_a_number")
        ),
        sa.CheckConstraint("amount <> 'NaN'", name=op.f("ck_bill_lines_amount_is_a_number")),
        sa.CheckConstraint(KINDS, name=op.f("ck_bill_lines_kind_is_known")),
        sa.PrimaryKeyConstraint("tenant_id", "bill_id", "line", name=op.f("pk_bill_lines")),
    )


def downgrade() -> None:
    op.drop_table("bill_lines")
    op.drop_table("bills")
