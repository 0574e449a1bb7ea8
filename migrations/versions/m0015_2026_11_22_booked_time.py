"""In whose books a charge is, charges of a bill, and usage as it was taken in.

Revision: 0015, after 0014.
Expand: old code posts charges in the books of their slot, as before. What it takes in of usage has
no lines until the cell changes again.
Cells that are charged are told as if each was taken in when its quarter hour was over: when it was,
nobody wrote down. None is of time to come: lines after it are never dated before it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

METERS = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "input_audio",
    "output_audio",
    "input_image",
    "output_image",
    "tool_calls",
    "images",
    "seconds",
    "prefill_ms",
    "decode_ms",
)
DISJOINT = METERS[:6]
ONE_SOURCE = "num_nonnulls(price_id, pool_id, commitment_id, rule_id) = 1"
ONE_OF_FIVE = "num_nonnulls(price_id, pool_id, commitment_id, rule_id, bill_id) = 1"
# As store/spending/spend_by.py counts what was charged before the tokens were written down.
TAKEN_IN = f"""
    INSERT INTO usage_lines (tenant_id, posted_at, slot, owner_id, payer_id, route_id, outcome,
        band, calls, unmetered_calls, unpriced_calls, unpriced_tokens, {", ".join(METERS)})
    SELECT cells.tenant_id, least(slot + interval '15 minutes', now()), slot, cells.owner_id,
        coalesce(payers.payer_id, cells.owner_id), route_id, outcome, band, calls, unmetered_calls,
        coalesce(unpriced_calls, 0),
        coalesce(unpriced_tokens, CASE WHEN unpriced_calls > unmetered_calls
            THEN {" + ".join(DISJOINT)} ELSE 0 END),
        {", ".join(METERS)}
    FROM cells LEFT JOIN payers ON payers.tenant_id = cells.tenant_id
        AND payers.owner_id = cells.owner_id
        AND payers.valid_from <= slot AND payers.valid_to > slot
    WHERE charged
    ORDER BY slot, cells.owner_id, route_id
"""  # noqa: S608 - names of our own columns


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("charges", sa.Column("booked_slot", moment))
    op.add_column("charges", sa.Column("bill_id", sa.BigInteger))
    op.drop_constraint("ck_charges_one_source", "charges")
    op.create_check_constraint(op.f("ck_charges_one_source"), "charges", ONE_OF_FIVE)
    op.create_table(
        "usage_lines",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("posted_at", moment, nullable=False),
        sa.Column("slot", moment, nullable=False),
        sa.Column("booked_slot", moment),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("owner_id", "payer_id", "route_id")
        ),
        *(sa.Column(name, sa.SmallInteger, nullable=False) for name in ("outcome", "band")),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in (
                "calls",
                "unmetered_calls",
                "unpriced_calls",
                "unpriced_tokens",
                *METERS,
            )
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_usage_lines")),
    )
    op.execute(TAKEN_IN)
    op.create_index(
        "ix_usage_lines_slot", "usage_lines", ["tenant_id", "slot", "owner_id", "route_id"]
    )
    for table in ("charges", "usage_lines"):
        op.create_index(
            f"ix_{table}_booked_slot",
            table,
            ["tenant_id", "booked_slot"],
            postgresql_where=sa.text("booked_slot IS NOT NULL"),
        )
    op.execute("""
        CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON usage_lines
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger()
    """)


def downgrade() -> None:
    op.drop_table("usage_lines")
    op.drop_index("ix_charges_booked_slot")
    # What the version of before has no word for.
    op.execute("DROP TRIGGER only_grows ON charges")
    op.execute("DELETE FROM charges WHERE bill_id IS NOT NULL")
    op.execute("""
        CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON charges
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger()
    """)
    op.drop_constraint("ck_charges_one_source", "charges")
    op.create_check_constraint(op.f("ck_charges_one_source"), "charges", ONE_SOURCE)
    op.drop_column("charges", "bill_id")
    op.drop_column("charges", "booked_slot")
