"""The ledger against an oracle that prices one call at a time (tests/priced_by_hand.py).

Contracts, a public list, context tiers, service tiers, regions, surcharges, discounts, volume steps
over the end of a month, meters that are not of tokens, a pool.
"""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
import sighted
from closed_books import differing_usage
from priced_by_hand import oracle
from priced_month import (
    NOW,
    START,
    Amounts,
    declare_pool,
    enter_books,
    hear,
    ledger,
    made_up,
    wait_again,
)

from jobs import roll
from jobs.charging import charge
from jobs.context import JobContext
from spend.calls import Sighting
from store.postgres.sessions import Database


def run(database: Database) -> str:
    return charge.run(JobContext(database=database, now=NOW)).note


def hear_and_charge(database: Database, heard: Sequence[Sighting]) -> None:
    sighted.hear(database, heard, received_at=START)
    roll.run(JobContext(database=database, now=NOW, by_hand=True))
    run(database)


def different(found: tuple[Amounts, int], expected: tuple[Amounts, int]) -> dict[object, object]:
    keys = found[0].keys() | expected[0].keys()
    return {
        key: (found[0].get(key), expected[0].get(key))
        for key in keys
        if found[0].get(key) != expected[0].get(key)
    }


@pytest.mark.one_server
@pytest.mark.parametrize("seed", range(2))
def test_every_cell_costs_what_its_calls_cost_one_by_one(database: Database, seed: int) -> None:
    calls = sorted(made_up(seed, 250), key=lambda call: call.slot)
    enter_books(database)
    declare_pool(database)
    hear(database, calls)
    run(database)
    found, expected = ledger(database), oracle(calls)
    assert different(found, expected) == {}
    assert found == expected


@pytest.mark.one_server
@pytest.mark.parametrize("seed", range(10, 13))
def test_neither_order_nor_repetition_changes_what_is_charged(
    database: Database, seed: int
) -> None:
    dice = random.Random(seed)
    calls = made_up(seed, 200)
    steps = [enter_books, declare_pool, wait_again]
    steps += [lambda _, part=part: hear(database, calls[part::5]) for part in range(5)]
    dice.shuffle(steps)
    for step in steps:
        step(database)
        run(database)
    assert run(database) == "0 cells, 0 lines"
    found, expected = ledger(database), oracle(calls)
    assert different(found, expected) == {}
    assert found == expected
    assert not differing_usage(database)
    wait_again(database)
    assert run(database).endswith(" cells, 0 lines")


@pytest.mark.one_server
@pytest.mark.parametrize("order", ["sorted", "shuffled, doubled and late"])
def test_a_month_in_any_order_is_the_sorted_month(database: Database, order: str) -> None:
    calls = sorted(made_up(20, 200), key=lambda call: call.slot)
    heard = [
        sighted.sighting(
            number,
            number,
            start_at=call.slot + timedelta(seconds=number),
            owner=call.owner,
            route=call.route,
            outcome=call.outcome,
            usage=call.usage or {},
            duration_us=call.timed_us,
        )
        for number, call in enumerate(calls, start=1)
    ]
    enter_books(database)
    declare_pool(database)
    if order == "sorted":
        hear_and_charge(database, heard)
    else:
        dice = random.Random(order)
        heard += dice.sample(heard, 40)
        dice.shuffle(heard)
        for part in range(6):
            hear_and_charge(database, heard[part::6])
    found, expected = ledger(database), oracle(calls)
    assert different(found, expected) == {}
    assert found == expected
