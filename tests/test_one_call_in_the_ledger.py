"""Calls that several saw, through Postgres: the same whatever came when, and with what."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from observed import BESIDE, CLIENT, FRAMEWORK, WAYS, totals_of, true_calls
from sighted import NOON, hear, sighting
from sqlalchemy import func, select

from jobs import roll
from jobs.context import JobContext
from spend.calls import Sighting
from spend.twins.twins import settle
from store.postgres.sessions import Database
from store.tables.heard import batches, heard_from, joined_calls, sightings
from store.tables.rollups import cells
from store.tenants import TENANT
from store.twins import suspects

NATIVE = BESIDE


def roll_all(database: Database) -> None:
    roll.run(JobContext(database, now=NOON + timedelta(hours=9), by_hand=True))


def amount(database: Database, tenant: int = TENANT) -> tuple[int, int, int]:
    """Calls, tokens in, tokens out, as the rollups have them."""
    sums = [
        func.coalesce(func.sum(cells.c[name]), 0)
        for name in ("calls", "input", "cache_read", "output")
    ]
    with database.read() as session:
        counts = session.execute(select(*sums).where(cells.c.tenant_id == tenant)).one()
    calls, fresh, cached, output = (int(count) for count in counts)
    return calls, fresh + cached, output


def evidence(database: Database) -> list[tuple[list[dict[str, Any]], bool]]:
    """What was joined, as stored, in no order that depends on how it came."""
    with database.read() as session:
        rows = session.execute(select(joined_calls.c.evidence, joined_calls.c.usage_conflict))
        return sorted(((row.evidence, row.usage_conflict) for row in rows), key=str)


def hear_in_pieces(
    database: Database, sightings: Sequence[Sighting], chance: random.Random
) -> None:
    """In any order, some of it twice, and rolled up in between."""
    pieces = [*sightings, *chance.sample(sightings, len(sightings) // 4)]
    chance.shuffle(pieces)
    while pieces:
        size = chance.randint(1, 6)
        hear(database, pieces[:size])
        del pieces[:size]
        if chance.random() < 0.7:
            roll_all(database)
    roll_all(database)


@pytest.mark.one_server
@pytest.mark.parametrize("way", WAYS)
def test_calls_are_counted_as_they_were_however_they_came(database: Database, way: Any) -> None:
    chance = random.Random(way.__name__)
    calls = true_calls(chance, 10, alike=True)
    hear_in_pieces(database, [one for call in calls for one in way(call)], chance)
    assert amount(database) == totals_of(calls)


@pytest.mark.one_server
@pytest.mark.parametrize("seed", range(6))
def test_what_came_in_pieces_is_settled_as_if_it_had_come_at_once(
    database: Database, seed: int
) -> None:
    """Also where nearly all is alike and anything may be missing: no piece is decided apart."""
    chance = random.Random(seed)
    heard = [
        one
        for call in true_calls(chance, 10, alike=True)
        for one in chance.choice(WAYS)(call)
        if chance.random() < 0.8
    ]
    hear_in_pieces(database, heard, chance)
    expected = settle(heard)
    rules = sorted(rule for joined in expected.joined for rule in joined.rules)
    in_pieces = evidence(database)
    assert sorted(part["rule"] for parts, _ in in_pieces for part in parts) == rules
    singles = len(heard) - len(expected.held) - sum(len(one.members) for one in expected.joined)
    assert amount(database)[0] == singles + len(expected.joined)


def test_one_id_of_an_answer_at_two_tenants_is_two_calls(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every id and time is the same; but nothing of one tenant is linked to what is another's."""
    alike: dict[str, Any] = {"usage": {"input": 9, "output": 1}, "kin_id": 7}
    hear(database, [sighting(1, 1, emitter=CLIENT, response_id="chatcmpl-000000001", **alike)])
    hear(
        database,
        [
            sighting(2, 2, emitter=FRAMEWORK, response_id="chatcmpl-000000001", **alike),
            sighting(1, 3, emitter=NATIVE, parent_span_id=1, **alike),
            sighting(4, 4, emitter=FRAMEWORK, duration_us=999_000, **alike),
        ],
        tenant=2,
    )
    roll_all(database)
    assert amount(database) == (1, 9, 1)
    monkeypatch.setattr(roll, "TENANT", 2)
    roll_all(database)
    assert amount(database, 2)[0] > 0
    assert amount(database) == (1, 9, 1)
    with database.read() as session:
        assert set(session.scalars(select(joined_calls.c.tenant_id))) <= {2}
        standing = select(sightings.c.standing).where(sightings.c.tenant_id == TENANT)
        assert list(session.scalars(standing)) == [None]  # it counts


def test_no_row_of_an_ordinary_call_leaves_postgres(database: Database) -> None:
    """Not where a service has one instrumentation, nor where two see calls that differ."""
    hear(database, [sighting(at, 1, response_id=f"chatcmpl-{at:09d}") for at in range(1, 40)])
    hear(
        database,
        [
            sighting(100 + at, 1, emitter=CLIENT, usage={"input": 100 + at, "output": 5})
            for at in range(40)
        ],
    )
    with database.write() as session:
        ids = list(session.scalars(select(batches.c.id)))
        days = NOON.date(), NOON.date()
        assert suspects.suspect_traces(session, TENANT, ids, days) == set()
        assert len(session.scalars(select(heard_from.c.emitter_id)).all()) == 2


def test_a_look_alike_that_comes_hours_later_is_found(database: Database) -> None:
    first = sighting(1, 1, emitter=FRAMEWORK)
    hear(database, [first])
    roll_all(database)
    assert amount(database) == (1, 1000, 50)
    hear(database, [sighting(2, 2, emitter=CLIENT)], received_at=NOON + timedelta(hours=8))
    roll_all(database)
    assert amount(database) == (1, 1000, 50)


def test_midnight_does_not_part_look_alikes(database: Database) -> None:
    late = NOON.replace(hour=23, minute=59, second=59, microsecond=999_000)
    hear(database, [sighting(1, 1, emitter=FRAMEWORK, start_at=late, duration_us=3_000_000)])
    roll_all(database)
    after = late + timedelta(milliseconds=4)
    hear(database, [sighting(2, 2, emitter=CLIENT, start_at=after, duration_us=2_990_000)])
    roll_all(database)
    assert amount(database)[0] == 1
