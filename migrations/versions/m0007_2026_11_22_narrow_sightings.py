"""Sightings in half the bytes: narrower columns, digests for ids of answers, smaller indexes.

Revision: 0007, after 0006.
Contract: sightings are written anew, some 100,000 a second, in one transaction, so that a try that
fails leaves them as they were. Whoever writes or reads them meanwhile waits or is told to come
back; collectors of before cannot write to the new table, and lose nothing: they answer busy.
The ids of answers are gone for good: of each its digest stays.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
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
)
MOST = 2**31 - 1

# Column of now -> its type, and what it is of a row (of_sighting) of before.
NARROW = {
    "trace_id": ("UUID NOT NULL", "trace_id"),
    "span_id": ("BIGINT NOT NULL", "span_id"),
    "start_at": ("TIMESTAMPTZ NOT NULL", "start_at"),
    "owner_id": ("BIGINT NOT NULL", "owner_id"),
    "route_id": ("BIGINT NOT NULL", "route_id"),
    "batch_id": ("BIGINT NOT NULL", "batch_id"),
    "answer_id": (
        "BIGINT",
        """('x' || left(encode(sha256(convert_to(response_id, 'UTF8')), 'hex'), 16))
        ::bit(64)::bigint""",
    ),
    "parent_span_id": ("BIGINT", "parent_span_id"),
    "kin_id": ("BIGINT", "kin_id"),
    "ttft_us": ("BIGINT", "ttft_us"),
    "overlong_us": ("BIGINT", f"nullif(greatest(duration_us - {MOST}, 0), 0)"),
    "call_trace_id": ("UUID", "call_trace_id"),
    "call_span_id": ("BIGINT", "call_span_id"),
    "tenant_id": ("INTEGER NOT NULL", "tenant_id"),
    "day": ("DATE NOT NULL", "day"),
    "emitter_id": ("INTEGER NOT NULL", "(emitter_id << 32) >> 32"),
    "duration_us": ("INTEGER", f"CASE WHEN duration_us > {MOST} THEN {MOST} ELSE duration_us END"),
    **{name: ("INTEGER", name) for name in METERS},
    "details_no": (
        "INTEGER",
        """(SELECT no FROM told_before told WHERE told.tenant_id = of_sighting.tenant_id
        AND told.batch_id = of_sighting.batch_id AND told.details = of_sighting.details
        AND jsonb_hash(told.details) = jsonb_hash(of_sighting.details))""",
    ),
    "call_day": ("DATE", "call_day"),
    "role": ("SMALLINT", "nullif(role, 1)"),
    "failure": ("SMALLINT", "nullif(outcome, 0)"),
    "standing": ("SMALLINT", "nullif(standing, 0)"),
}
NARROW_INDEXES = (
    "ix_sightings_batch_id ON sightings (batch_id)",
    "ix_sightings_answer_id ON sightings (answer_id) WHERE answer_id IS NOT NULL",
    """ix_sightings_failed ON sightings (tenant_id, start_at)
    WHERE failure IS NOT NULL AND answer_id IS NULL""",
    """ix_sightings_slot ON sightings (tenant_id, date_bin('00:00:10'::interval, start_at,
    '1970-01-01 00:00:00+00'::timestamptz))""",
    "ix_sightings_kin ON sightings (tenant_id, kin_id, start_at) WHERE kin_id IS NOT NULL",
)

WIDE = {
    "tenant_id": ("INTEGER NOT NULL", "tenant_id"),
    "trace_id": ("UUID NOT NULL", "trace_id"),
    "span_id": ("BIGINT NOT NULL", "span_id"),
    "day": ("DATE NOT NULL", "day"),
    "start_at": ("TIMESTAMPTZ NOT NULL", "start_at"),
    "duration_us": ("BIGINT", "duration_us::bigint + coalesce(overlong_us, 0)"),
    "ttft_us": ("BIGINT", "ttft_us"),
    "owner_id": ("BIGINT NOT NULL", "owner_id"),
    "route_id": ("BIGINT NOT NULL", "route_id"),
    "outcome": ("SMALLINT NOT NULL", "coalesce(failure, 0)"),
    **{name: ("BIGINT", name) for name in METERS},
    "details": (
        "JSONB",
        """(SELECT details FROM told_now told WHERE told.tenant_id = of_sighting.tenant_id
        AND told.batch_id = of_sighting.batch_id AND told.no = of_sighting.details_no)""",
    ),
    "parent_span_id": ("BIGINT", "parent_span_id"),
    "batch_id": ("BIGINT NOT NULL", "batch_id"),
    "emitter_id": ("BIGINT NOT NULL", "emitter_id"),
    "role": ("SMALLINT NOT NULL", "coalesce(role, 1)"),
    "standing": ("SMALLINT NOT NULL", "coalesce(standing, 0)"),
    "response_id": ("TEXT", "lpad(to_hex(answer_id), 16, '0')"),
    "call_trace_id": ("UUID", "call_trace_id"),
    "call_span_id": ("BIGINT", "call_span_id"),
    "call_day": ("DATE", "call_day"),
    "kin_id": ("BIGINT", "kin_id"),
}
WIDE_INDEXES = (
    "ix_sightings_batch_id ON sightings (batch_id)",
    "ix_sightings_response_id ON sightings USING hash (response_id) WHERE response_id IS NOT NULL",
    """ix_sightings_failed ON sightings (tenant_id, start_at)
    WHERE outcome <> 0 AND response_id IS NULL""",
    "ix_sightings_start_at ON sightings (tenant_id, start_at)",
    "ix_sightings_kin ON sightings (tenant_id, kin_id, start_at) WHERE kin_id IS NOT NULL",
)

_TOLD_BEFORE = """
    CREATE TEMP TABLE told_before ON COMMIT DROP AS
    SELECT tenant_id, batch_id, details,
        (row_number() OVER (PARTITION BY tenant_id, batch_id ORDER BY details) - 1)::integer AS no
    FROM (SELECT DISTINCT tenant_id, batch_id, details FROM sightings WHERE details IS NOT NULL) _
"""
# Of a batch each sighting may tell something else: what one told must be found at once.
_INDEX_BEFORE = "CREATE INDEX ON told_before (batch_id, jsonb_hash(details))"
_TOLD_NOW = """
    CREATE TEMP TABLE told_now ON COMMIT DROP AS
    SELECT tenant_id, id AS batch_id, (place - 1)::integer AS no, one::jsonb AS details
    FROM batches, json_array_elements(details) WITH ORDINALITY _ (one, place)
"""
_INDEX_NOW = "CREATE INDEX ON told_now (batch_id, no)"
_TOLD_OF_BATCHES = """
    UPDATE batches SET details = told.details FROM (
        SELECT tenant_id, batch_id, json_agg(details ORDER BY no) AS details
        FROM told_before GROUP BY tenant_id, batch_id
    ) told
    WHERE batches.tenant_id = told.tenant_id AND batches.id = told.batch_id
"""
# One that was heard between a downgrade and now has both ids.
_EMITTERS = (
    """DELETE FROM emitters one USING emitters other
    WHERE one.tenant_id = other.tenant_id AND one.id < other.id
        AND (one.id << 32) = (other.id << 32)""",
    "UPDATE emitters SET id = (id << 32) >> 32",
    """DELETE FROM heard_from one USING heard_from other
    WHERE one.tenant_id = other.tenant_id AND one.day = other.day AND one.service = other.service
        AND one.emitter_id < other.emitter_id
        AND (one.emitter_id << 32) = (other.emitter_id << 32)""",
    "UPDATE heard_from SET emitter_id = (emitter_id << 32) >> 32",
    "UPDATE counters SET emitter_id = (emitter_id << 32) >> 32",
)
_PARTITIONS = sa.text(
    "SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, inhrelid)"
    " FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
    " WHERE inhparent = 'sightings'::regclass ORDER BY 1"
)
_INDEXES = sa.text(
    "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid"
    " WHERE indrelid = 'sightings'::regclass"
    " OR indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'sightings'::regclass)"
    " ORDER BY 1"
)


def upgrade() -> None:
    op.execute("LOCK TABLE sightings IN ACCESS EXCLUSIVE MODE")
    op.execute("ALTER TABLE batches ADD COLUMN details JSON")
    op.execute(_TOLD_BEFORE)
    op.execute(_INDEX_BEFORE)
    op.execute("ANALYZE told_before")
    op.execute(_TOLD_OF_BATCHES)
    for statement in _EMITTERS:
        op.execute(statement)
    _write_anew(NARROW, "tenant_id, trace_id, day, span_id", NARROW_INDEXES)


def downgrade() -> None:
    op.execute("LOCK TABLE sightings IN ACCESS EXCLUSIVE MODE")
    op.execute(_TOLD_NOW)
    op.execute(_INDEX_NOW)
    op.execute("ANALYZE told_now")
    _write_anew(WIDE, "tenant_id, trace_id, span_id, day", WIDE_INDEXES)
    op.drop_column("batches", "details")


def _write_anew(columns: dict[str, tuple[str, str]], key: str, indexes: tuple[str, ...]) -> None:
    """Replaces sightings by a table of these columns, with the same partitions and rows."""
    partitions = [tuple(row) for row in op.get_bind().execute(_PARTITIONS)]
    for number, index in enumerate(op.get_bind().execute(_INDEXES).scalars().all()):
        op.execute(f"ALTER INDEX {index} RENAME TO sightings_before_index_{number}")
    op.execute("ALTER TABLE sightings RENAME TO sightings_before")
    for number, (name, _) in enumerate(partitions):
        op.execute(f"ALTER TABLE {name} RENAME TO sightings_before_{number}")
    defined = ", ".join(f"{name} {type_}" for name, (type_, _) in columns.items())
    op.execute(f"CREATE TABLE sightings ({defined}) PARTITION BY RANGE (day)")
    values = ", ".join(value for _, value in columns.values())
    for number, (name, bounds) in enumerate(partitions):
        op.execute(f"CREATE TABLE {name} PARTITION OF sightings {bounds}")
        before = f"SELECT {values} FROM sightings_before_{number} of_sighting"  # noqa: S608  # our names
        op.execute(f"INSERT INTO {name} ({', '.join(columns)}) {before}")
        op.execute(f"DROP TABLE sightings_before_{number}")
    op.execute("DROP TABLE sightings_before")
    op.execute(f"ALTER TABLE sightings ADD CONSTRAINT pk_sightings PRIMARY KEY ({key})")
    for index in indexes:
        op.execute(f"CREATE INDEX {index}")
