"""Charges in four cost bases that cannot be changed, discounts, volume steps, a second list.

Revision: 0008, after 0007.
Contract: a charge job of before cannot post to the new ledger; it fails and is tried again, and
nothing is lost. Charges that are there get their bases from what they were posted by.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ONE_PRICE = """
    ALTER TABLE prices ADD CONSTRAINT ex_prices_one_price_at_a_time EXCLUDE USING gist (
        tenant_id WITH =, book WITH =, provider WITH =, model WITH =, region WITH =,
        service_tier WITH =, meter WITH =, above_tokens WITH =, {also}
        (tstzrange(valid_from, valid_to)) WITH &&, (tstzrange(known_from, known_to)) WITH &&)
"""
BOOKS = "book IN ('contract', 'list')"
MORE_BOOKS = "book IN ('contract', 'list', 'supplement')"
KINDS = "kind IN ('original', 'correction', 'allocation', 'true-up')"
MORE_KINDS = "kind IN ('original', 'correction', 'allocation', 'true-up', 'credit', 'tax')"
ONE_SOURCE = "(price_id IS NULL) <> (pool_id IS NULL)"
ONE_OF_SOURCES = "num_nonnulls(price_id, pool_id, commitment_id, rule_id) = 1"
BASES = ("list_amount", "contracted_amount", "billed_amount")


def upgrade() -> None:
    _widen_prices()
    _add_discounts()
    _widen_charges()


def _widen_prices() -> None:
    op.add_column(
        "prices", sa.Column("above_monthly", sa.BigInteger, nullable=False, server_default="0")
    )
    op.add_column("prices", sa.Column("entered_by", sa.Text))
    op.drop_constraint("ex_prices_one_price_at_a_time", "prices")
    op.execute(ONE_PRICE.format(also="above_monthly WITH =,"))
    op.drop_constraint("ck_prices_book_is_known", "prices")
    op.create_check_constraint(op.f("ck_prices_book_is_known"), "prices", MORE_BOOKS)
    op.create_check_constraint(op.f("ck_prices_step_not_negative"), "prices", "above_monthly >= 0")


def _add_discounts() -> None:
    op.create_table(
        "discounts",
        sa.Column("tenant_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False, server_default=""),
        sa.Column("service_tier", sa.Text, nullable=False, server_default=""),
        sa.Column("meter", sa.Text, nullable=False, server_default=""),
        sa.Column("percent", sa.Numeric(9, 6), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True)),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True)),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("entered_by", sa.Text),
        sa.CheckConstraint(
            "kind IN ('discount', 'uplift')", name=op.f("ck_discounts_kind_is_known")
        ),
        sa.CheckConstraint(
            "percent >= 0 AND (kind = 'uplift' OR percent <= 100)",
            name=op.f("ck_discounts_percent_makes_sense"),
        ),
        sa.CheckConstraint("percent <> 'NaN'", name=op.f("ck_discounts_percent_is_a_number")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_discounts")),
    )
    op.execute("""
        ALTER TABLE discounts ADD CONSTRAINT ex_discounts_one_at_a_time EXCLUDE USING gist (
            tenant_id WITH =, kind WITH =, provider WITH =, model WITH =, region WITH =,
            service_tier WITH =, meter WITH =,
            (tstzrange(valid_from, valid_to)) WITH &&, (tstzrange(known_from, known_to)) WITH &&)
    """)


def _widen_charges() -> None:
    for name in BASES:
        op.add_column("charges", sa.Column(name, sa.Numeric(38, 12)))
    for name in ("unit_price", "list_unit_price"):
        op.add_column("charges", sa.Column(name, sa.Numeric(20, 6)))
    for name in (
        "payer_id",
        "commitment_id",
        "rule_id",
        "discount_id",
        "uplift_id",
        "repricing_id",
    ):
        op.add_column("charges", sa.Column(name, sa.BigInteger))
    op.add_column("charges", sa.Column("engine", sa.Text, nullable=False, server_default="0.1.0"))
    op.execute("""
        UPDATE charges SET payer_id = same.owner_id, contracted_amount = same.amount,
            billed_amount = same.amount, unit_price = line.unit_price,
            list_unit_price = CASE WHEN line.book = 'list' THEN line.unit_price END,
            list_amount = CASE WHEN line.book = 'list' OR same.pool_id IS NOT NULL
                THEN same.amount END
        FROM charges same LEFT JOIN prices line
            ON line.id = same.price_id AND line.tenant_id IN (0, same.tenant_id)
        WHERE same.tenant_id = charges.tenant_id AND same.id = charges.id
    """)
    for name in ("payer_id", "contracted_amount", "billed_amount"):
        op.alter_column("charges", name, nullable=False)
    for name in BASES:
        op.create_check_constraint(
            op.f(f"ck_charges_{name}_is_a_number"), "charges", f"{name} <> 'NaN'"
        )
    op.drop_constraint("ck_charges_kind_is_known", "charges")
    op.create_check_constraint(op.f("ck_charges_kind_is_known"), "charges", MORE_KINDS)
    op.drop_constraint("ck_charges_one_source", "charges")
    op.create_check_constraint(op.f("ck_charges_one_source"), "charges", ONE_OF_SOURCES)
    op.execute("""
        CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the ledger only grows: post a correction';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON charges
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger()
    """)


def downgrade() -> None:
    op.execute("DROP TRIGGER only_grows ON charges")
    op.execute("DROP FUNCTION refuse_to_change_the_ledger()")
    # What the version of before has no word for.
    op.execute("DELETE FROM charges WHERE num_nonnulls(price_id, pool_id) <> 1")
    op.execute("UPDATE charges SET kind = 'correction' WHERE kind IN ('credit', 'tax')")
    op.drop_constraint("ck_charges_one_source", "charges")
    op.create_check_constraint(op.f("ck_charges_one_source"), "charges", ONE_SOURCE)
    op.drop_constraint("ck_charges_kind_is_known", "charges")
    op.create_check_constraint(op.f("ck_charges_kind_is_known"), "charges", KINDS)
    for name in (
        *BASES,
        "unit_price",
        "list_unit_price",
        "payer_id",
        "commitment_id",
        "rule_id",
        "discount_id",
        "uplift_id",
        "repricing_id",
        "engine",
    ):
        op.drop_column("charges", name)
    op.drop_table("discounts")
    op.drop_constraint("ck_prices_book_is_known", "prices")
    op.execute("DELETE FROM prices WHERE book = 'supplement' OR above_monthly > 0")
    op.create_check_constraint(op.f("ck_prices_book_is_known"), "prices", BOOKS)
    op.drop_constraint("ex_prices_one_price_at_a_time", "prices")
    op.drop_constraint("ck_prices_step_not_negative", "prices")
    op.drop_column("prices", "above_monthly")
    op.drop_column("prices", "entered_by")
    op.execute(ONE_PRICE.format(also=""))
