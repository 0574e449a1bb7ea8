"""A batch of sightings as an Arrow table: what travels from the door to COPY.

The columns are those of the table ``sightings`` (``store/tables/heard.py``), in this order, but
for ``batch_id``, which the transaction that puts them down adds.
"""

from typing import Final

import pyarrow as pa

from spend.meters import METER_NAMES

SIGHTINGS: Final = pa.schema(
    [
        pa.field("tenant_id", pa.int32(), nullable=False),
        # 16 bytes, as OTLP sends it and as Postgres keeps a uuid.
        pa.field("trace_id", pa.binary(16), nullable=False),
        # The 8 bytes of the span id, big-endian, signed.
        pa.field("span_id", pa.int64(), nullable=False),
        # The UTC day of start_at.
        pa.field("day", pa.date32(), nullable=False),
        pa.field("start_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("duration_us", pa.int64()),
        pa.field("ttft_us", pa.int64()),
        # spend.ids.content_id of the owner and of the route.
        pa.field("owner_id", pa.int64(), nullable=False),
        pa.field("route_id", pa.int64(), nullable=False),
        # spend.calls.Outcome
        pa.field("outcome", pa.int16(), nullable=False),
        # null is unknown, never 0
        *(pa.field(name, pa.int64()) for name in METER_NAMES),
        # JSON text, without NUL
        pa.field("details", pa.string()),
        pa.field("parent_span_id", pa.int64()),
        pa.field("emitter_id", pa.int64(), nullable=False),
        # spend.calls.Role and Standing
        pa.field("role", pa.int16(), nullable=False),
        pa.field("standing", pa.int16(), nullable=False),
        pa.field("response_id", pa.string()),
        # spend.twins.kin, where ids alone do not tell what belongs together
        pa.field("kin_id", pa.int64()),
    ]
)

KEY: Final = ("tenant_id", "trace_id", "span_id", "day")
"""What makes a sighting that sighting, in the order in which rows are put down."""


_NONE: Final = pa.RecordBatch.from_pylist([], schema=SIGHTINGS)


def no_sightings() -> pa.RecordBatch:
    """A batch without rows."""
    return _NONE
