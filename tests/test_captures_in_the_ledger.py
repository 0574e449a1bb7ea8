"""What real instrumentations sent, through Postgres: each call once, however it was delivered."""

from datetime import UTC, datetime, timedelta

import pytest
from deliveries import DELIVERIES, Sent, sent
from sqlalchemy import func, select
from truths import TRUTHS

from collector.understanding.by_signal import understand_signal
from jobs import roll
from jobs.context import JobContext
from spend.calls import Outcome
from spend.meters import CACHE_WRITES, INPUTS
from store.dictionaries import Known
from store.intake import Batch, put_down
from store.sessions import Database
from store.tables.rollups import cells
from store.tenants import TENANT

CAPTURED = datetime(2026, 11, 22, 12, tzinfo=UTC)


def hear(database: Database, requests: list[Sent]) -> None:
    heard = [
        understand_signal(signal, [body], tenant=TENANT, received_at=CAPTURED)
        for signal, body in requests
    ]
    with database.write() as session:
        put_down(session, Batch(TENANT, CAPTURED, heard), Known())


def settle(database: Database) -> None:
    roll.run(JobContext(database, now=CAPTURED + timedelta(hours=1), by_hand=True))


def amount(database: Database) -> tuple[int, ...]:
    """Calls, errors, input, cache read, cache write, output, reasoning: as TRUTH.md has them."""
    of = cells.c
    prompt = sum((of[name] for name in INPUTS[1:]), of[INPUTS[0]])
    written = sum((of[name] for name in CACHE_WRITES[1:]), of[CACHE_WRITES[0]])
    failed = func.sum(of.calls).filter(of.outcome != Outcome.OK)
    sums = [func.sum(of.calls), failed, func.sum(prompt), func.sum(of.cache_read)]
    sums += [func.sum(written), func.sum(of.output), func.sum(of.reasoning)]
    with database.read() as session:
        found = session.execute(select(*(func.coalesce(each, 0) for each in sums))).one()
    return tuple(int(each) for each in found)


FIRSTS = sorted({scenario.split("/")[0]: scenario for scenario in sorted(TRUTHS)}.values())
"""A scenario of each emitter."""


# All of them on one server only: what is joined does not depend on Postgres' version.
@pytest.mark.one_server
@pytest.mark.parametrize("scenario", sorted(TRUTHS))
def test_a_scenario_is_counted_as_the_models_answered_whatever_its_order(
    database: Database, scenario: str
) -> None:
    assert_counted(database, scenario, "item by item, shuffled, a third twice")


@pytest.mark.parametrize("scenario", FIRSTS)
def test_a_scenario_is_counted_as_the_models_answered(database: Database, scenario: str) -> None:
    assert_counted(database, scenario, "as sent")


def assert_counted(database: Database, scenario: str, delivery: str) -> None:
    truth = TRUTHS[scenario]
    bodies = DELIVERIES[delivery](sent(scenario, truth.signals))
    # Rolled up in between, so that twins meet calls that are counted already.
    third = len(bodies) // 3 + 1
    for begin in range(0, len(bodies), third):
        hear(database, bodies[begin : begin + third])
        settle(database)
    assert amount(database) == truth.sums
