"""A sighting is kept in few bytes, and read as it was told."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from sighted import GPT, NOON, OTEL, SEARCH, hear, sighting
from sqlalchemy import text

from spend.calls import Outcome, Role, Sighting, Standing
from spend.ids import content_id
from spend.meters import METER_NAMES
from store.dictionaries import Known
from store.intake.intake import Batch, Heard, Part, put_down
from store.postgres.partitions import ensure
from store.postgres.sessions import Database
from store.sightings import SIGHTINGS
from store.tenants import TENANT
from store.twins import twins

GOAL = 250
ROWS, AT_ONCE = 100_000, 5_000
TOLD = '{"session":"conv_5j66UpCpwteGg4YSxUnt7lPY"}'


def told(chance: np.random.Generator, first: int) -> Heard:
    """Calls as bench/bodies.py makes them, each of a trace of its own."""
    count = AT_ONCE
    start = int(NOON.timestamp() * 1e6) + (first + np.arange(count)) * 10_000
    answers = chance.bytes(15 * count).hex()
    columns = {
        "tenant_id": np.full(count, TENANT),
        "trace_id": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), count, [None, pa.py_buffer(chance.bytes(16 * count))]
        ),
        "span_id": chance.integers(-(2**63), 2**63, count),
        "day": np.full(count, np.datetime64(NOON.date())),
        "start_at": start,
        "duration_us": chance.integers(0, 10**7, count),
        "owner_id": np.full(count, content_id(SEARCH)),
        "route_id": np.full(count, content_id(GPT)),
        "outcome": np.full(count, Outcome.OK),
        "input": chance.integers(0, 5000, count),
        "cache_read": chance.integers(0, 5000, count),
        "output": chance.integers(0, 900, count),
        "details": pa.array([TOLD] * count),
        "emitter_id": np.full(count, content_id(OTEL)),
        "role": np.full(count, Role.CALL),
        "standing": np.full(count, Standing.COUNTS),
        "response_id": pa.array(
            [f"chatcmpl-{answers[30 * at : 30 * at + 30]}" for at in range(count)]
        ),
    }
    nothing = pa.nulls(count)
    arrays = [pa.array(columns.get(it.name, nothing)).cast(it.type) for it in SIGHTINGS]
    return Heard(
        parts=[Part(heard=count, not_a_call=0, refused={})],
        sightings=pa.RecordBatch.from_arrays(arrays, schema=SIGHTINGS),
        part_of=np.zeros(count, np.int64),
        owners={content_id(SEARCH): SEARCH},
        routes={content_id(GPT): GPT},
        emitters={content_id(OTEL): OTEL},
    )


@pytest.mark.one_server
def test_a_call_takes_no_more_than_250_bytes_with_its_indexes(database: Database) -> None:
    chance, known = np.random.default_rng(1), Known()
    with database.write() as session:
        ensure(session, NOON.date(), NOON.date())
    for first in range(0, ROWS, AT_ONCE):
        with database.write() as session:
            done = put_down(session, Batch(TENANT, NOON, [told(chance, first)]), known)
        known.add(done.entries)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE sightings"))
        sizes = connection.execute(
            text(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname = ANY(:names)"
            ),
            {"names": ["batches", f"sightings_{NOON:%Y_%m_%d}"]},
        )
        assert sizes.scalar_one() / ROWS <= GOAL


def every_kind() -> list[Sighting]:
    """Sightings of which each has something that the others have not."""
    counts = {name: 10**9 - at for at, name in enumerate(METER_NAMES)}
    years = timedelta(days=1000) // timedelta(microseconds=1)
    return [
        sighting(1),
        sighting(2, role=Role.SERVER, outcome=Outcome.CANCELLED, usage={}, ttft_us=2**40),
        sighting(3, role=Role.AGGREGATE, usage=counts, details={"session": "s", "attempts": 2}),
        sighting(4, duration_us=2**31 - 1, details={"session": "s", "attempts": 2}),
        sighting(5, duration_us=2**31, kin_id=-(2**63), details={"user": "ü"}),
        sighting(6, duration_us=years, parent_span_id=-(2**63)),
        sighting(7, duration_us=0, usage={"input": 0}),
        sighting(8, duration_us=None),
    ]


def test_what_is_kept_is_read_as_it_was_told(database: Database) -> None:
    hear(database, every_kind())
    with database.read() as session:
        kept = twins.as_heard(session, TENANT, [one.trace_id for one in every_kind()])
    by_trace = {one.sighting.trace_id: one.sighting for one in kept}
    assert [by_trace[one.trace_id] for one in every_kind()] == every_kind()


def test_an_id_of_an_answer_is_kept_as_a_digest_that_a_shell_can_make(database: Database) -> None:
    hear(database, [sighting(1, response_id="chatcmpl-1"), sighting(2, response_id="chatcmpl-2")])
    with database.read() as session:
        kept = twins.as_heard(session, TENANT, [sighting(1).trace_id])
    # printf chatcmpl-1 | sha256sum | cut -c 1-16
    assert [one.sighting.response_id for one in kept] == ["0adc2896ac2cdafb"]
