"""What we say to Postgres of a cluster's tables, in a day, is what Citus takes."""

from datetime import timedelta
from pathlib import Path

import pytest
from filled_ledger import asking
from sighted import NOON, SEARCH, hear, sighting
from statements import names, refused, statements_of

from jobs.context import JobContext, JobSettings
from jobs.keeping import archive_days
from jobs.keeping.keep_partitions import run as keep_partitions
from jobs.timetable import run_job
from migrations.citus import DISTRIBUTED
from spend.calls import Emitter, Outcome, Role
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

ANOTHER = Emitter("openinference.instrumentation.openai", "0.1.66", "openinference")
ASKED = (
    "/v1/calls?from=2026-10-14T00:00:00Z&to=2026-10-15T00:00:00Z&limit=2",
    "/v1/calls?from=2026-10-01T00:00:00Z&to=2026-10-20T00:00:00Z&team=search&model=gpt-4o",
    "/v1/calls/evidence?from=2026-10-01T00:00:00Z&to=2026-10-20T00:00:00Z",
    f"/v1/calls/{1:032x}/{1:016x}",
    f"/v1/calls/{7:032x}/{1:016x}",
    f"/traces/{8:032x}",
    f"/calls/{7:032x}/{1:016x}",
    *(f"/traces?from=2026-10-14&to=2026-10-15&sort={order}" for order in ("latest", "slowest")),
    "/calls?from=2026-10-14&to=2026-10-15",
)
"""Everything that reads single calls."""


def seen_in_every_way(database: Database) -> None:
    """Calls that are linked by each kind of evidence, some sent twice, one of them long ago."""
    late = NOON + timedelta(seconds=3)
    heard = [
        *(sighting(at, details={"finish_reason": "stop"}) for at in range(1, 5)),
        sighting(7, 1, response_id="chatcmpl-123456789"),
        sighting(8, 2, response_id="chatcmpl-123456789", role=Role.SERVER, emitter=ANOTHER),
        sighting(20, kin_id=77),
        sighting(21, kin_id=77, emitter=ANOTHER, start_at=late),
        sighting(22, outcome=Outcome.RATE_LIMITED, usage={}),
        sighting(23, outcome=Outcome.RATE_LIMITED, usage={}, emitter=ANOTHER),
        sighting(24, 1, role=Role.AGGREGATE),
        sighting(24, 2, parent_span_id=1),
        *(sighting(30 + at, start_at=late, emitter=ANOTHER) for at in range(3)),
        sighting(40, start_at=NOON - timedelta(days=40), owner=SEARCH),
    ]
    hear(database, heard)
    assert hear(database, [*heard, sighting(50)]) == 1


def test_no_statement_of_a_day_is_one_that_citus_refuses(
    database: Database, tmp_path: Path
) -> None:
    with statements_of(database) as said:
        seen_in_every_way(database)
        keep_partitions(JobContext(database, now=NOON + timedelta(days=1)))
        for hours in (3, 4):
            for job in ("contents", "roll", "charge"):
                run_job(job, JobContext(database, now=NOON + timedelta(hours=hours), by_hand=True))
            # Late, of a call that was counted.
            hear(database, [sighting(7, 3, parent_span_id=1, emitter=ANOTHER)])
        client = asking(database, now="2026-10-15T12:00")
        answers = {path: client.get(path).status_code for path in ASKED}
        kept = JobSettings(retention_days=30, archive=str(tmp_path))
        archive_days.run(JobContext(database, now=NOON + timedelta(days=35), settings=kept))
    assert set(answers.values()) == {200}, answers
    about = [statement for statement in said if names(statement, DISTRIBUTED)]
    assert len(about) > 30
    assert any(statement.startswith("COPY") for statement in about)
    assert {statement: why for statement in said if (why := refused(statement))} == {}


LATERAL = """SELECT 1 FROM new_ones n JOIN LATERAL
    (SELECT span_id FROM sightings s WHERE s.trace_id = n.trace_id OFFSET 0) AS a ON true"""
MOVED = """WITH taken AS (DELETE FROM sightings_default WHERE day = '2026-10-14' RETURNING *)
    INSERT INTO sightings_2026_10_14 SELECT * FROM taken"""


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (LATERAL, "LIMIT or OFFSET"),
        (MOVED, "a change within"),
        ("UPDATE cells SET charged = false FROM routes WHERE id = route_id", "cells, of one"),
        ("SELECT * FROM joined_calls WHERE day = 'x' FOR UPDATE SKIP LOCKED", "FOR UPDATE"),
        ("SELECT count(*) FROM sightings GROUP BY GROUPING SETS ((day), ())", "GROUPING SETS"),
        ("SELECT EXISTS (SELECT FROM contents_2026_10_14)", "without columns"),
        ("UPDATE sightings SET standing = 1, trace_id = 'a' WHERE day = 'b'", "is changed"),
        ("DELETE FROM contents WHERE kept_to < clock_timestamp()", "not the same on every node"),
    ],
)
def test_what_a_cluster_refused_is_known_again(statement: str, why: str) -> None:
    assert why in (refused(statement) or "")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sightings SET standing = 1 WHERE tenant_id = 1 AND trace_id = 'a'",
        "INSERT INTO cells SELECT 1 FROM sightings GROUP BY 1 ON CONFLICT (a) DO UPDATE SET b = 1",
        "SELECT 1 FROM sightings WHERE trace_id = any(array((SELECT trace_id FROM new_sightings)))",
        "WITH a AS (UPDATE cells SET charged = true RETURNING slot) SELECT slot FROM a",
        "SELECT 1 FROM outbox WHERE id = 1 FOR UPDATE SKIP LOCKED",
    ],
)
def test_what_it_takes_is_not_refused(statement: str) -> None:
    assert refused(statement) is None


def test_a_day_of_a_table_is_that_table() -> None:
    assert names("SELECT 1 FROM sightings_2026_10_14", DISTRIBUTED)
    assert not names("SELECT 1 FROM staged_sightings", DISTRIBUTED)
