"""While some batches are counted others still wait: nothing is counted twice, or taken unheard."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from sighted import NOON, hear, sighting
from sqlalchemy import func, select
from test_roll import NATIVE, ONE_CALL, TRACELOOP, a_busy_day, totals

from jobs import roll
from jobs.context import JobContext
from store.sessions import Database
from store.tables.rollups import cells


def roll_at(database: Database, minutes: float) -> None:
    roll.run(JobContext(database, now=NOON + timedelta(minutes=minutes)))


def test_a_twin_that_still_waits_is_not_taken_from_what_was_counted(database: Database) -> None:
    hear(database, [sighting(1, 1, emitter=TRACELOOP)], received_at=NOON)
    later = NOON + timedelta(minutes=1)
    hear(database, [sighting(1, 2, emitter=NATIVE, parent_span_id=1)], received_at=later)
    roll_at(database, 2.5)
    assert totals(database) == ONE_CALL
    roll_at(database, 5)
    assert totals(database) == ONE_CALL


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
