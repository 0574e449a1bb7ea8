"""What metrics told of tokens, and tokens of cells that have no price.

Revision: 0003, after 0002.
Expand: new tables, and a column that old code leaves alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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
)


def _key(*names: str, kind: type[sa.types.TypeEngine[int]] = sa.BigInteger) -> list[sa.Column[int]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "counters",
        *_key("tenant_id", kind=sa.Integer),
        *_key("id", "service", "session"),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("teller", sa.Text, nullable=False),
        sa.Column("trust", sa.SmallInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("embeddings", sa.Boolean, nullable=False),
        sa.Column("beside_cache", sa.Boolean, nullable=False),
        sa.Column("reasoning_apart", sa.Boolean, nullable=False),
        sa.Column("serves", sa.Boolean, nullable=False),
        *_key("owner_id", "route_id", "emitter_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_counters"),
    )
    op.create_index("ix_counters_service", "counters", ["tenant_id", "service", "serves"])
    op.create_table(
        "readings",
        *_key("tenant_id", kind=sa.Integer),
        *_key("id", "counter_id", "series"),
        sa.Column("count", sa.Text, nullable=False),
        *_moments("started_at", "read_at", "last_read_at"),
        sa.Column("cumulative", sa.Boolean, nullable=False),
        *_key("value"),
        sa.Column("calls", sa.BigInteger),
        *_key("batch_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_readings"),
    )
    op.create_index("ix_readings_counter_id", "readings", ["tenant_id", "counter_id", "read_at"])
    op.create_index(
        "ix_readings_series", "readings", ["tenant_id", "series", "started_at", "read_at"]
    )
    op.create_table(
        "told_anew",
        *_key("tenant_id", kind=sa.Integer),
        *_key("batch_id", "counter_id"),
        *_moments("since"),
        sa.PrimaryKeyConstraint("tenant_id", "batch_id", "counter_id", name="pk_told_anew"),
    )
    op.create_table(
        "metered",
        *_key("tenant_id", kind=sa.Integer),
        *_key("counter_id"),
        *_moments("read_at", "since"),
        *_key("service"),
        *(sa.Column(name, sa.BigInteger) for name in (*METERS, "calls")),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "counter_id", "read_at", name="pk_metered"),
    )
    op.create_index("ix_metered_service", "metered", ["tenant_id", "service", "read_at"])
    op.create_table(
        "told",
        *_key("tenant_id", kind=sa.Integer),
        *_key("service"),
        *_moments("hour"),
        *_key("session"),
        sa.PrimaryKeyConstraint("tenant_id", "service", "hour", "session", name="pk_told"),
    )
    op.execute("ALTER TABLE cells ADD COLUMN IF NOT EXISTS unpriced_tokens BIGINT")


def downgrade() -> None:
    op.drop_column("cells", "unpriced_tokens")
    for table in ("told", "metered", "told_anew", "readings", "counters"):
        op.drop_table(table)
