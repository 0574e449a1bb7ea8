"""The first shape.

Revision: 0001. Expand: everything is new. Needs the extension btree_gist of Postgres' contrib, for
the price book's rule that no two prices hold at one time.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTITIONED = ("sightings", "joined_calls")


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(sa.schema.CreateSequence(sa.Sequence("batch_ids")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("budget_ids")))
    op.create_table(
        "batches",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("not_a_call", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column(
            "refused_for", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column(
            "usage_refused_for",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
        ),
        sa.Column("rolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_batches")),
    )
    op.create_index(
        "ix_batches_waiting",
        "batches",
        ["id"],
        unique=False,
        postgresql_where=sa.text("rolled_at IS NULL"),
    )
    op.create_index("ix_batches_received_at", "batches", ["tenant_id", "received_at"], unique=False)
    op.create_table(
        "buckets",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("route_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("measure", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "slot",
            "owner_id",
            "route_id",
            "measure",
            "bucket",
            name=op.f("pk_buckets"),
        ),
    )
    op.create_table(
        "budgets",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("amount", sa.Numeric(precision=38, scale=12), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("thresholds", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount <> 'NaN'", name=op.f("ck_budgets_amount_is_a_number")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_budgets_amount_not_negative")),
        sa.PrimaryKeyConstraint("tenant_id", "id", "version", name=op.f("pk_budgets")),
    )
    op.create_index(
        "uq_budgets_name_in_force",
        "budgets",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "cells",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("route_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("band", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("unmetered_calls", sa.BigInteger(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("reasoning", sa.BigInteger(), nullable=False),
        sa.Column("input_audio", sa.BigInteger(), nullable=False),
        sa.Column("output_audio", sa.BigInteger(), nullable=False),
        sa.Column("timed_calls", sa.BigInteger(), nullable=False),
        sa.Column("timed_us", sa.BigInteger(), nullable=False),
        sa.Column("timed_output", sa.BigInteger(), nullable=False),
        sa.Column("timed_output_us", sa.BigInteger(), nullable=False),
        sa.Column("unpriced_calls", sa.BigInteger(), nullable=True),
        sa.Column("charged", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "slot", "owner_id", "route_id", "outcome", "band", name=op.f("pk_cells")
        ),
    )
    op.create_index(
        "ix_cells_waiting",
        "cells",
        ["tenant_id", "slot"],
        unique=False,
        postgresql_where=sa.text("NOT charged"),
    )
    op.create_table(
        "charges",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("route_id", sa.BigInteger(), nullable=False),
        sa.Column("band", sa.SmallInteger(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("price_id", sa.BigInteger(), nullable=True),
        sa.Column("pool_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=38, scale=6), nullable=False),
        sa.Column("amount", sa.Numeric(precision=38, scale=12), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.CheckConstraint("amount <> 'NaN'", name=op.f("ck_charges_amount_is_a_number")),
        sa.CheckConstraint(
            "kind IN ('original', 'correction', 'allocation', 'true-up')",
            name=op.f("ck_charges_kind_is_known"),
        ),
        sa.CheckConstraint("quantity <> 'NaN'", name=op.f("ck_charges_quantity_is_a_number")),
        sa.CheckConstraint(
            "(price_id IS NULL) <> (pool_id IS NULL)", name=op.f("ck_charges_one_source")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_charges")),
    )
    op.create_index(
        "ix_charges_slot", "charges", ["tenant_id", "slot", "owner_id", "route_id"], unique=False
    )
    op.create_table(
        "crossings",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("budget_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("crossed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent", sa.Numeric(precision=38, scale=12), nullable=False),
        sa.Column("amount", sa.Numeric(precision=38, scale=12), nullable=False),
        sa.CheckConstraint("spent <> 'NaN'", name=op.f("ck_crossings_spent_is_a_number")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_crossings")),
        sa.UniqueConstraint(
            "tenant_id",
            "budget_id",
            "version",
            "period_start",
            "threshold",
            name=op.f("uq_crossings_tenant_id_budget_id_version_period_start_threshold"),
        ),
    )
    op.create_table(
        "emitters",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_emitters")),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("period", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complete_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("job", "period", name=op.f("uq_job_runs_job_period")),
    )
    op.create_index("ix_job_runs_latest", "job_runs", ["job", "finished_at"], unique=False)
    op.create_table(
        "joined_calls",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=False),
        sa.Column("span_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=True),
        sa.Column("ttft_us", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("route_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=True),
        sa.Column("cache_read", sa.BigInteger(), nullable=True),
        sa.Column("cache_write", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=True),
        sa.Column("output", sa.BigInteger(), nullable=True),
        sa.Column("reasoning", sa.BigInteger(), nullable=True),
        sa.Column("input_audio", sa.BigInteger(), nullable=True),
        sa.Column("output_audio", sa.BigInteger(), nullable=True),
        sa.Column(
            "details", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "evidence", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False
        ),
        sa.Column("usage_conflict", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "trace_id", "span_id", "day", name=op.f("pk_joined_calls")
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "keys",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('ingest', 'read', 'admin')", name=op.f("ck_keys_kind_is_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_keys")),
    )
    op.create_table(
        "model_names",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("listed_provider", sa.Text(), nullable=True),
        sa.Column("listed_model", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("looked_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "provider", "model", name=op.f("pk_model_names")),
    )
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("crossing_id", sa.BigInteger(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'sent', 'dead')", name=op.f("ck_outbox_status_is_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "owners",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("feature", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_owners")),
    )
    op.create_table(
        "pools",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cost_per_hour", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("match", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("capacity_per_hour", sa.Numeric(precision=38, scale=6), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("charged_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "cost_per_hour <> 'NaN'", name=op.f("ck_pools_cost_per_hour_is_a_number")
        ),
        sa.CheckConstraint("capacity_per_hour > 0", name=op.f("ck_pools_capacity_positive")),
        sa.CheckConstraint("cost_per_hour >= 0", name=op.f("ck_pools_cost_not_negative")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_pools_valid_is_a_range")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pools")),
    )
    op.create_index("uq_pools_name", "pools", ["tenant_id", "name"], unique=True)
    op.create_table(
        "prices",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("service_tier", sa.Text(), server_default="", nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("above_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=20, scale=6), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("tenant_id"), "="),
            (sa.column("book"), "="),
            (sa.column("provider"), "="),
            (sa.column("model"), "="),
            (sa.column("region"), "="),
            (sa.column("service_tier"), "="),
            (sa.column("meter"), "="),
            (sa.column("above_tokens"), "="),
            (sa.literal_column("tstzrange(valid_from, valid_to)"), "&&"),
            (sa.literal_column("tstzrange(known_from, known_to)"), "&&"),
            using="gist",
            name="ex_prices_one_price_at_a_time",
        ),
        sa.CheckConstraint("book IN ('contract', 'list')", name=op.f("ck_prices_book_is_known")),
        sa.CheckConstraint("unit_price <> 'NaN'", name=op.f("ck_prices_unit_price_is_a_number")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_prices_price_not_negative")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prices")),
    )
    op.create_table(
        "routes",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("request_model", sa.Text(), nullable=True),
        sa.Column("operation", sa.Text(), nullable=True),
        sa.Column("deployment", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("server", sa.Text(), nullable=True),
        sa.Column("service_tier", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_routes")),
    )
    op.create_table(
        "sightings",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=False),
        sa.Column("span_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=True),
        sa.Column("ttft_us", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("route_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=True),
        sa.Column("cache_read", sa.BigInteger(), nullable=True),
        sa.Column("cache_write", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=True),
        sa.Column("output", sa.BigInteger(), nullable=True),
        sa.Column("reasoning", sa.BigInteger(), nullable=True),
        sa.Column("input_audio", sa.BigInteger(), nullable=True),
        sa.Column("output_audio", sa.BigInteger(), nullable=True),
        sa.Column(
            "details", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("parent_span_id", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("emitter_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("standing", sa.SmallInteger(), nullable=False),
        sa.Column("response_id", sa.Text(), nullable=True),
        sa.Column("call_trace_id", sa.Uuid(), nullable=True),
        sa.Column("call_span_id", sa.BigInteger(), nullable=True),
        sa.Column("call_day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint(
            "tenant_id", "trace_id", "span_id", "day", name=op.f("pk_sightings")
        ),
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index("ix_sightings_batch_id", "sightings", ["batch_id"], unique=False)
    op.create_index(
        "ix_sightings_failed",
        "sightings",
        ["tenant_id", "start_at"],
        unique=False,
        postgresql_where=sa.text("outcome <> 0 AND response_id IS NULL"),
    )
    op.create_index(
        "ix_sightings_response_id",
        "sightings",
        ["response_id"],
        unique=False,
        postgresql_using="hash",
        postgresql_where=sa.text("response_id IS NOT NULL"),
    )
    # A span of a day without a partition must not fail the batch that it came with.
    for table in PARTITIONED:
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


def downgrade() -> None:
    op.drop_index(
        "ix_sightings_response_id",
        table_name="sightings",
        postgresql_using="hash",
        postgresql_where=sa.text("response_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_sightings_failed",
        table_name="sightings",
        postgresql_where=sa.text("outcome <> 0 AND response_id IS NULL"),
    )
    op.drop_index("ix_sightings_batch_id", table_name="sightings")
    op.drop_table("sightings")
    op.drop_table("routes")
    op.drop_table("prices")
    op.drop_index("uq_pools_name", table_name="pools")
    op.drop_table("pools")
    op.drop_table("owners")
    op.drop_index(
        "ix_outbox_pending", table_name="outbox", postgresql_where=sa.text("status = 'pending'")
    )
    op.drop_table("outbox")
    op.drop_table("model_names")
    op.drop_table("keys")
    op.drop_table("joined_calls")
    op.drop_index("ix_job_runs_latest", table_name="job_runs")
    op.drop_table("job_runs")
    op.drop_table("emitters")
    op.drop_table("crossings")
    op.drop_index("ix_charges_slot", table_name="charges")
    op.drop_table("charges")
    op.drop_index("ix_cells_waiting", table_name="cells", postgresql_where=sa.text("NOT charged"))
    op.drop_table("cells")
    op.drop_index(
        "uq_budgets_name_in_force",
        table_name="budgets",
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.drop_table("budgets")
    op.drop_table("buckets")
    op.drop_index("ix_batches_received_at", table_name="batches")
    op.drop_index(
        "ix_batches_waiting", table_name="batches", postgresql_where=sa.text("rolled_at IS NULL")
    )
    op.drop_table("batches")
    op.execute(sa.schema.DropSequence(sa.Sequence("budget_ids")))
    op.execute(sa.schema.DropSequence(sa.Sequence("batch_ids")))
