"""While some batches are counted others still wait: nothing is counted twice, or taken unheard."""

import random
import time
from collections import Counter
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from serving import eventually
from sighted import NOON, hear, sighting
from sqlalchemy import func, select, text
from test_roll import NATIVE, ONE_CALL, TRACELOOP, VLLM, a_busy_day, totals

from jobs import roll
from jobs.context import JobContext
from spend.calls import Outcome, Role
from spend.twins.twins import MOST_SIGHTED
from store.postgres import partitions
from store.postgres.sessions import Database
from store.tables.rollups import cells


def roll_at(database: Database, minutes: float) -> None:
    roll.run(JobContext(database, now=NOON + timedelta(minutes=minutes)))


def test_a_twin_that_still_waits_is_not_taken_from_what_was_counted(database: Database) -> None:
    hear(database, [sighting(1, 1, emitter=TRACELOOP)], received_at=NOON)
    later = NOON + timedelta(seconds=30)
    hear(database, [sighting(1, 2, emitter=NATIVE, parent_span_id=1)], received_at=later)
    roll_at(database, 1)
    assert totals(database) == ONE_CALL
    roll_at(database, 5)
    assert totals(database) == ONE_CALL


@pytest.mark.one_server
@pytest.mark.parametrize("seed", range(4))
def test_the_clock_counts_everything_once_however_it_came(database: Database, seed: int) -> None:
    rng = random.Random(seed)
    all_of_it = a_busy_day(random.Random(7))
    pieces = [*all_of_it, *rng.sample(all_of_it, 20)]
    rng.shuffle(pieces)
    minute = 0
    while pieces:
        size = rng.randint(5, 30)
        hear(database, pieces[:size], received_at=NOON + timedelta(minutes=minute))
        del pieces[:size]
        minute += 1
        roll_at(database, minute + rng.random())
        with database.read() as session:
            assert not session.scalar(select(func.count()).where(cells.c.calls < 0))
    roll_at(database, minute + 10)
    expected = Counter(calls=40)
    for one in all_of_it:
        if one.span_id == 1:
            expected.update(one.usage)
    assert totals(database) == dict(expected)


def test_an_id_that_a_stand_in_gives_to_all_costs_no_call(database: Database) -> None:
    """While few carry it, it joins; of many it is no evidence: and what was joined stays whole."""
    fake = {"response_id": "chatcmpl-the-same-for-all"}
    hear(
        database,
        [sighting(1, 1, emitter=TRACELOOP, **fake), sighting(2, 1, emitter=NATIVE, **fake)],
    )
    roll_at(database, 5)
    assert totals(database) == ONE_CALL
    # Not at the same moment as those: a third that looks alike would be of their call.
    times = [NOON + timedelta(minutes=1 + each) for each in range(2 * MOST_SIGHTED)]
    hear(database, [sighting(10 + at, 1, start_at=begun, **fake) for at, begun in enumerate(times)])
    roll_at(database, 5)
    wrapper = sighting(2, 9, role=Role.AGGREGATE, duration_us=2_000_000)
    hear(database, [wrapper, sighting(2, 8, parent_span_id=1, emitter=VLLM, role=Role.SERVER)])
    roll_at(database, 5)
    assert totals(database)["calls"] == 1 + len(times)


@pytest.mark.one_server
def test_an_outage_of_thousands_is_settled_in_seconds(database: Database) -> None:
    """Each failure was once compared with each other one of its hour."""
    failed: dict[str, Any] = {"outcome": Outcome.TIMEOUT, "usage": {}, "duration_us": 10_000_000}
    for batch in range(3):
        sighted = []
        for trace in range(1 + 2000 * batch, 2001 + 2000 * batch):
            at = NOON + timedelta(milliseconds=20 * trace)
            sighted.append(sighting(trace, 1, start_at=at, emitter=TRACELOOP, **failed))
            if trace % 20 == 0:
                inner = {**failed, "start_at": at, "duration_us": 9_999_000}
                sighted.append(sighting(trace, 2, parent_span_id=1, emitter=NATIVE, **inner))
        hear(database, sighted)
        began = time.monotonic()
        roll_at(database, 5)
        assert time.monotonic() - began < 25
    assert totals(database) == {"calls": 6000}


def test_a_day_that_moves_to_its_own_partition_meanwhile_is_counted(database: Database) -> None:
    """Planned before and run after the move, the roll found the day's calls in neither place."""
    back = NOON - timedelta(days=300)
    hear(
        database,
        [
            sighting(1, 1, start_at=back),
            sighting(2, 1, start_at=back, emitter=TRACELOOP),
            sighting(2, 2, start_at=back, emitter=NATIVE, parent_span_id=1),
        ],
    )
    rolling = Thread(target=roll_at, args=(database, 5))
    with database.write() as session:
        made, *_others = partitions.ensure(session, back.date(), back.date())
        rolling.start()
        eventually(lambda: someone_waits(database), "the roll waits for the move")
    rolling.join()
    assert made.moved == 3
    assert totals(database) == {name: 2 * count for name, count in ONE_CALL.items()}


def someone_waits(database: Database) -> bool:
    with database.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
