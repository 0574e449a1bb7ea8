"""What real instrumentations sent, through Postgres: each call once, however it was delivered.

Many scenarios share a ledger, each of a customer of its own: what one sent changes nothing for
another.
"""

import pytest
from captured_ledger import amounts, hear_all, settle
from deliveries import DELIVERIES, Sent, sent, with_resource_attribute
from truths import TRUTHS

from store.postgres.sessions import Database

FIRSTS = sorted({scenario.split("/")[0]: scenario for scenario in sorted(TRUTHS)}.values())
"""A scenario of each emitter."""

WITHOUT_TRACES = {"codex"}
"""Emitters whose records name no trace: calls of another capture, seconds away, could be theirs."""

IN_ONE_LEDGER = 30
"""Scenarios: thirty take what three take alone, and each worker should have some."""


def ledgers() -> list[list[str]]:
    """All scenarios, in as many ledgers as they need: what differs in its signals alone
    (``codex/exec``, ``codex/exec@logs``) would be one and the same in one ledger."""
    found: list[list[str]] = []
    for scenario in sorted(TRUTHS):
        for ledger in found:
            if len(ledger) < IN_ONE_LEDGER and _capture(scenario) not in map(_capture, ledger):
                ledger.append(scenario)
                break
        else:
            found.append([scenario])
    return found


def _capture(scenario: str) -> str:
    emitter = scenario.partition("/")[0]
    return emitter if emitter in WITHOUT_TRACES else scenario.partition("@")[0]


def called(ledgers: list[list[str]]) -> list[str]:
    """By the folders that are in them, so that ``-k acme`` finds its test."""
    folders = [sorted({scenario.split("/")[0] for scenario in each}) for each in ledgers]
    return [f"{number} {' '.join(each)}" for number, each in enumerate(folders, 1)]


# What is joined does not depend on Postgres' version: test_one_call_in_the_ledger.py runs on both.
pytestmark = pytest.mark.one_server


@pytest.mark.parametrize("scenarios", ledgers(), ids=called(ledgers()))
def test_scenarios_are_counted_as_the_models_answered_whatever_their_order(
    database: Database, scenarios: list[str]
) -> None:
    assert_counted(database, scenarios, "item by item, shuffled, a third twice")


def test_a_scenario_of_each_emitter_is_counted_as_the_models_answered(database: Database) -> None:
    assert_counted(database, FIRSTS, "as sent")


def assert_counted(database: Database, scenarios: list[str], delivery: str) -> None:
    bodies = [DELIVERIES[delivery](of_its_customer(each)) for each in scenarios]
    # Rolled up in between, so that twins meet calls that are counted already.
    for part in range(3):
        hear_all(database, [body for each in bodies for body in third(each, part)])
        settle(database)
    counted = amounts(database)
    answered = {each: TRUTHS[each].sums for each in scenarios if any(TRUTHS[each].sums)}
    # Those that differ, with both: of many that agree a failure would be shown cut off.
    assert {
        each: (counted.get(each), answered.get(each))
        for each in counted.keys() | answered.keys()
        if counted.get(each) != answered.get(each)
    } == {}


def of_its_customer(scenario: str) -> list[Sent]:
    told = sent(scenario, TRUTHS[scenario].signals)
    return with_resource_attribute(told, "spanledger.customer", scenario)


def third(of: list[Sent], part: int) -> list[Sent]:
    long = len(of) // 3 + 1
    return of[part * long : (part + 1) * long]
