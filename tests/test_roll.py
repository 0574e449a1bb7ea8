"""Sightings become calls, and calls are counted once, whatever order they came in."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sighted import GPT, NOON, OTEL, hear, sighting
from sqlalchemy import func, select

from jobs import roll
from jobs.context import JobContext
from spend.calls import Emitter, Outcome, Role, Sighting
from spend.histograms import bucket_of
from spend.meters import LARGEST_COUNT, METER_NAMES
from store.postgres.sessions import Database
from store.tables.heard import batches, joined_calls, sightings
from store.tables.rollups import LATENCY, buckets, cells

NATIVE = Emitter("com.anthropic.sdk.python", "2.12.0", "anthropic")
TRACELOOP = Emitter("opentelemetry.instrumentation.anthropic", "0.62.4", "openllmetry")
VLLM = Emitter("vllm.llm_engine", None, "vllm")
AGENT = Emitter("pydantic-ai", "1.0.18", "pydantic-ai")


def roll_all(database: Database, **changes: Any) -> None:
    roll.run(JobContext(database, now=NOON + timedelta(hours=1), by_hand=True, **changes))


def totals(database: Database) -> dict[str, int]:
    names = ("calls", "unmetered_calls", *METER_NAMES)
    with database.read() as session:
        row = session.execute(
            select(*(func.coalesce(func.sum(cells.c[name]), 0).label(name) for name in names))
        ).one()
    return {name: int(getattr(row, name)) for name in names if getattr(row, name)}


ONE_CALL = {"calls": 1, "input": 600, "cache_read": 400, "output": 50, "reasoning": 20}


def test_a_call_sent_twice_is_counted_once(database: Database) -> None:
    assert hear(database, [sighting()]) == 1
    assert hear(database, [sighting()]) == 0
    roll_all(database)
    assert totals(database) == ONE_CALL


def test_a_prompt_may_be_larger_than_each_of_its_counts(database: Database) -> None:
    usage = dict.fromkeys(METER_NAMES, LARGEST_COUNT)
    hear(database, [sighting(usage=usage), sighting(2, response_id="a", usage=usage)])
    hear(database, [sighting(3, emitter=NATIVE, response_id="a", usage=usage)])
    roll_all(database)
    assert totals(database) == {"calls": 2} | dict.fromkeys(METER_NAMES, 2 * LARGEST_COUNT)


def test_rolling_up_again_changes_nothing(database: Database) -> None:
    hear(database, [sighting()])
    roll_all(database)
    roll_all(database)
    assert totals(database) == ONE_CALL


def test_the_clock_waits_for_twins_and_a_hand_does_not(database: Database) -> None:
    hear(database, [sighting()], received_at=NOON)
    soon = JobContext(database, now=NOON + timedelta(seconds=30))
    done = roll.run(soon)
    assert totals(database) == {}
    assert done.complete_until == NOON
    roll.run(JobContext(database, now=NOON + timedelta(minutes=3)))
    assert totals(database) == ONE_CALL


def test_two_identical_real_calls_stay_two(database: Database) -> None:
    hear(database, [sighting(1, 1), sighting(1, 2), sighting(2, 3, response_id="chatcmpl-1")])
    roll_all(database)
    assert totals(database)["calls"] == 3


def test_one_answer_seen_in_two_traces_is_one_call(database: Database) -> None:
    hear(database, [sighting(1, 1, emitter=NATIVE, response_id="msg_1")])
    roll_all(database)
    hear(database, [sighting(2, 2, emitter=TRACELOOP, response_id="msg_1")])
    roll_all(database)
    assert totals(database) == ONE_CALL
    with database.read() as session:
        evidence = session.scalars(select(joined_calls.c.evidence)).one()
    assert [part["rule"] for part in evidence] == ["first sighting", "response id"]


def test_a_server_that_repeats_its_answer_ids_does_not_make_two_calls_one(
    database: Database,
) -> None:
    later = NOON + timedelta(minutes=5)
    hear(
        database,
        [
            sighting(1, 1, emitter=NATIVE, response_id="msg_1"),
            sighting(2, 2, emitter=TRACELOOP, response_id="msg_1"),
            sighting(3, 3, emitter=NATIVE, response_id="msg_1", start_at=later),
            sighting(4, 4, emitter=TRACELOOP, response_id="msg_1", start_at=later),
        ],
    )
    roll_all(database)
    assert totals(database)["calls"] == 2


def test_the_best_witness_is_believed_and_the_others_fill_its_gaps(database: Database) -> None:
    coarse = sighting(
        1, 1, emitter=TRACELOOP, response_id="msg_1", ttft_us=90_000,
        usage={"input": 300, "cache_read": 580, "cache_write": 120, "output": 51},
    )  # fmt: skip
    fine = sighting(
        1, 2, emitter=NATIVE, parent_span_id=1, response_id="msg_1",
        usage={
            "input": 300, "cache_read": 580, "cache_write_5m": 100, "cache_write_1h": 20,
            "output": 50,
        },
    )  # fmt: skip
    hear(database, [coarse, fine])
    roll_all(database)
    assert totals(database) == {
        "calls": 1, "input": 300, "cache_read": 580, "cache_write_5m": 100, "cache_write_1h": 20,
        "output": 50,
    }  # fmt: skip
    with database.read() as session:
        assert session.scalars(select(joined_calls.c.ttft_us)).one() == 90_000


def test_a_servers_span_beneath_the_clients_is_the_same_call(database: Database) -> None:
    client = sighting(1, 1, route=GPT, response_id="chatcmpl-9")
    server = sighting(
        1, 2, parent_span_id=1, role=Role.SERVER, emitter=VLLM, usage={"input": 1000, "output": 50},
        response_id="chatcmpl-9", start_at=NOON + timedelta(milliseconds=5), duration_us=900_000,
    )  # fmt: skip
    hear(database, [server])
    roll_all(database)
    assert totals(database) == {"calls": 1, "input": 1000, "output": 50}
    hear(database, [client])
    roll_all(database)
    assert totals(database) == ONE_CALL


def test_an_agent_that_repeats_its_calls_is_not_counted_even_when_it_comes_first(
    database: Database,
) -> None:
    agent = sighting(
        1, 9, role=Role.AGGREGATE, emitter=AGENT, duration_us=9_000_000,
        usage={"input": 1200, "cache_read": 800, "output": 100, "reasoning": 40},
    )  # fmt: skip
    hear(database, [agent])
    roll_all(database)
    assert totals(database)["calls"] == 1, "nothing beneath it is known: it stands for its calls"
    hear(
        database,
        [
            sighting(1, 1, parent_span_id=9, emitter=AGENT),
            sighting(1, 2, parent_span_id=9, emitter=AGENT, start_at=NOON + timedelta(seconds=2)),
        ],
    )
    roll_all(database)
    assert totals(database) == {name: 2 * count for name, count in ONE_CALL.items()}


def test_two_reports_of_one_failure_in_two_traces_are_one_call(database: Database) -> None:
    failed: dict[str, Any] = {"outcome": Outcome.RATE_LIMITED, "usage": {}}
    inner = NOON + timedelta(milliseconds=1)
    hear(
        database,
        [
            sighting(1, 1, emitter=TRACELOOP, duration_us=60_000, **failed),
            sighting(2, 2, emitter=NATIVE, duration_us=55_000, start_at=inner, **failed),
            # A retry by the same instrumentation is another call.
            sighting(3, 3, emitter=NATIVE, duration_us=1_000, start_at=inner, **failed),
        ],
    )
    roll_all(database)
    assert totals(database) == {"calls": 2}


def test_a_retry_after_a_billed_answer_stays(database: Database) -> None:
    wrapper = sighting(
        1, 1, emitter=AGENT, usage={"input": 100, "output": 10}, duration_us=5_000_000
    )
    first = sighting(1, 2, parent_span_id=1, usage={"input": 100, "output": 7})
    second = sighting(
        1,
        3,
        parent_span_id=1,
        usage={"input": 100, "output": 10},
        start_at=NOON + timedelta(1 / 86400),
    )
    hear(database, [wrapper, first, second])
    roll_all(database)
    assert totals(database) == {"calls": 2, "input": 200, "output": 17}


def a_busy_day(rng: random.Random) -> list[Sighting]:
    """Calls of all kinds: alone, nested, in two traces, beneath agents, failed."""
    heard_: list[Sighting] = []
    for trace in range(1, 41):
        at = NOON + timedelta(seconds=7 * trace)
        usage = {"input": rng.randint(1, 999), "output": rng.randint(1, 99)}
        kind = trace % 5
        if kind == 0:
            heard_.append(sighting(trace, 1, start_at=at, usage=usage))
        elif kind == 1:
            heard_ += [
                sighting(trace, 1, start_at=at, usage=usage, emitter=TRACELOOP),
                sighting(trace, 2, start_at=at, usage=usage, emitter=NATIVE, parent_span_id=1),
            ]
        elif kind == 2:
            heard_ += [
                sighting(
                    trace, 1, start_at=at, usage=usage, emitter=NATIVE, response_id=f"m{trace}"
                ),
                sighting(
                    1000 + trace, 2, start_at=at, usage=usage, emitter=OTEL, response_id=f"m{trace}"
                ),
            ]
        elif kind == 3:
            heard_ += [
                sighting(
                    trace, 9, start_at=at, usage=usage, emitter=AGENT, role=Role.AGGREGATE,
                    duration_us=3_000_000,
                ),
                sighting(trace, 1, start_at=at, usage=usage, emitter=OTEL, parent_span_id=9),
            ]  # fmt: skip
        else:
            heard_ += [
                sighting(trace, 1, start_at=at, usage={}, outcome=Outcome.ERROR, emitter=OTEL),
                sighting(
                    trace, 2, start_at=at, usage={}, outcome=Outcome.ERROR, emitter=NATIVE,
                    parent_span_id=1,
                ),
            ]  # fmt: skip
    return heard_


@pytest.mark.one_server
@pytest.mark.parametrize("seed", range(4))
def test_order_splitting_and_repetition_never_change_the_result(
    database: Database, seed: int
) -> None:
    rng = random.Random(seed)
    all_of_it = a_busy_day(random.Random(7))
    pieces = [*all_of_it, *rng.sample(all_of_it, 20)]
    rng.shuffle(pieces)
    while pieces:
        size = rng.randint(1, 30)
        hear(database, pieces[:size])
        del pieces[:size]
        if rng.random() < 0.6:
            roll_all(database)
    roll_all(database)
    expected = Counter(calls=40)
    for one in all_of_it:
        if one.span_id == 1:
            expected.update(one.usage)
    assert totals(database) == dict(expected)
    with database.read() as session:
        histogram = session.scalar(select(func.sum(buckets.c.calls)))
        negative = session.scalar(select(func.count()).where(cells.c.calls < 0))
    assert (histogram, negative) == (40, 0)


def test_postgres_and_python_put_durations_into_the_same_buckets(database: Database) -> None:
    durations = [0, 1, 2, 3, 10, 999, 1_000, 123_456, 7_654_321, 3_600_000_000, 10**12]
    hear(database, [sighting(at, 1, duration_us=us) for at, us in enumerate(durations, 1)])
    roll_all(database)
    with database.read() as session:
        rows = session.execute(
            select(buckets.c.bucket, func.sum(buckets.c.calls))
            .where(buckets.c.measure == LATENCY)
            .group_by(buckets.c.bucket)
        ).all()
    assert {row[0]: int(row[1]) for row in rows} == Counter(bucket_of(us) for us in durations)


def test_a_joined_call_links_all_that_was_seen_of_it(database: Database) -> None:
    hear(
        database,
        [
            sighting(1, 1, emitter=TRACELOOP, response_id="msg_1"),
            sighting(1, 2, emitter=NATIVE, parent_span_id=1, response_id="msg_1"),
        ],
    )
    roll_all(database)
    with database.read() as session:
        calls = session.execute(select(sightings.c.call_span_id, sightings.c.standing)).all()
        rolled = session.scalar(select(func.count()).where(batches.c.rolled_at.is_(None)))
    assert {tuple(row) for row in calls} == {(1, 1)}
    assert rolled == 0
