"""Re-pricings: what was asked for, how far they are, and the difference that they make.

The version of before priced all time by what was known last. So that none of it moves by a late
call, its time counts as re-priced by what is known now (docs/decisions/008-knowledge.md).

Revision: 0013, after 0012.
Expand: nothing of before reads or writes these tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

AS_BEFORE = """
    INSERT INTO repricings (tenant_id, starts, ends, known_at, dry_run, requested_at, note,
        done_until, finished_at)
    SELECT tenant_id, min(slot), this.ends, known.at, false, now(),
        'the version of before went by what was known last', this.ends, now()
    FROM cells,
        (SELECT date_bin('15 minutes', now(), '2000-01-01Z') + interval '15 minutes' AS ends) this,
        (SELECT greatest(now(), max(known_from), max(known_to)) AS at FROM prices) known
    WHERE slot < this.ends
    GROUP BY tenant_id, this.ends, known.at
"""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    money = sa.Numeric(38, 12)
    op.create_table(
        "repricings",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("starts", moment, nullable=False),
        sa.Column("ends", moment, nullable=False),
        sa.Column("known_at", moment, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("requested_by", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("done_until", moment, nullable=False),
        sa.Column("finished_at", moment),
        sa.Column("cells", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("changed_cells", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("lines", sa.BigInteger, nullable=False, server_default="0"),
        sa.CheckConstraint("ends > starts", name=op.f("ck_repricings_time_is_a_range")),
        sa.CheckConstraint(
            "done_until BETWEEN starts AND ends", name=op.f("ck_repricings_done_is_in_it")
        ),
        sa.CheckConstraint(
            "finished_at IS NULL OR done_until = ends", name=op.f("ck_repricings_all_is_done")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_repricings")),
    )
    op.create_table(
        "repricing_differences",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("repricing_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("payer_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("route_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("before", money, nullable=False),
        sa.Column("after", money, nullable=False),
        sa.Column("unpriced_before", sa.BigInteger, nullable=False),
        sa.Column("unpriced_after", sa.BigInteger, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "before <> 'NaN'", name=op.f("ck_repricing_differences_before_is_a_number")
        ),
        sa.CheckConstraint(
            "after <> 'NaN'", name=op.f("ck_repricing_differences_after_is_a_number")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "repricing_id",
            "payer_id",
            "route_id",
            name=op.f("pk_repricing_differences"),
        ),
    )
    op.execute(AS_BEFORE)


def downgrade() -> None:
    op.drop_table("repricing_differences")
    op.drop_table("repricings")
