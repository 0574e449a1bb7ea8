"""What real instrumentations sent, through Postgres: each call once, however it was delivered."""

import pytest
from captured_ledger import amount, hear, settle
from deliveries import DELIVERIES, sent
from truths import TRUTHS

from store.postgres.sessions import Database

FIRSTS = sorted({scenario.split("/")[0]: scenario for scenario in sorted(TRUTHS)}.values())
"""A scenario of each emitter."""


# What is joined does not depend on Postgres' version: test_one_call_in_the_ledger.py runs on both.
pytestmark = pytest.mark.one_server


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
        hear(database, *bodies[begin : begin + third])
        settle(database)
    assert amount(database) == truth.sums
