"""Closed books do not move, whatever comes to light; by slot the ledger says all the same."""

import random
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from closed_books import close, closed_sums, differing_usage, sums_by_slot
from committed import declared as commitment
from owned import apply as apply_rules
from owned import moved, rules
from priced_month import (
    EUROPE,
    HOUR,
    MONTH_ENDS,
    NOW,
    START,
    STEPPED,
    enter_books,
    hear,
    line,
    made_up,
)
from test_pool_laws import POWER, RENT, apply, declared, tell

from jobs.charging import charge, reprice
from jobs.context import JobContext
from spend.calls import Route
from spend.prices.prices import CONTRACT
from store import closing, waiting
from store.commitments import commitments
from store.postgres.sessions import Database
from store.prices import books, repricings
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

POOL: dict[str, Any] = {
    "name": "llama",
    "match": {"provider": ["vllm"]},
    "from": START.isoformat(),
    "components": [RENT, POWER | {"price_per_kwh": "0.12", "measured": {"host.name": "gpu-*"}}],
}
SPLIT = {"name": "ads", "match": {"team": ["ads"]}, "by": "cost"}
RULES = rules(moved("search", "web", from_="2026-10-31T21:30:00Z"), splits=(SPLIT,))
CREDITS = {"amount": "0.9", "paid": "0.5", "valid_to": "2026-11-01"}
MINIMUM = {"name": "least", "kind": "minimum", "amount": "2", "provider": "acme;steps"}

Step = Callable[[Database], object]


def learn(database: Database, route: Route, price: str, above: int = 0) -> None:
    said = line(CONTRACT, route, "input", price, valid_from=START, above_monthly=above)
    with database.write() as session:
        books.enter_contract(session, TENANT, [said], now=NOW)


def price_again(database: Database, starts: datetime, ends: datetime) -> None:
    with database.write() as session:
        repricings.request(session, TENANT, starts, ends, dry_run=False, now=NOW)


def agree(database: Database, said: dict[str, str]) -> None:
    with database.write() as session:
        commitments.apply(session, TENANT, [commitment(**said)], now=NOW)


def withdraw(database: Database) -> None:
    with database.write() as session:
        for each in commitments.held(session, TENANT):
            commitments.withdraw(session, TENANT, each.id, now=NOW)


def what_comes_to_light(seed: int) -> list[Step]:
    """Calls, prices, pools, energy, commitments and rules, in any order."""
    calls = made_up(seed, 60)
    steps: list[Step] = [
        *(partial(hear, calls=calls[part::5]) for part in range(5)),
        enter_books,
        partial(learn, route=EUROPE, price="1.75"),
        partial(learn, route=STEPPED, price="0.5", above=300_000),
        partial(price_again, starts=START, ends=MONTH_ENDS + HOUR),
        partial(price_again, starts=START + HOUR, ends=START + 3 * HOUR),
        lambda database: apply(database, declared(POOL)),
        lambda database: apply(database, declared(POOL, components=[RENT])),
        lambda database: tell(database, 1, "gpu-7", START + HOUR, START + 2 * HOUR),
        partial(agree, said=CREDITS),
        partial(agree, said=CREDITS | {"amount": "5"}),
        partial(agree, said=MINIMUM),
        withdraw,
        lambda database: apply_rules(database, RULES, NOW),
    ]
    random.Random(seed).shuffle(steps)
    return steps


def settle(database: Database) -> None:
    context = JobContext(database, now=NOW)
    charge.run(context)
    reprice.run(context)
    charge.run(context)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_closed_does_not_move_and_by_slot_it_is_as_if_nothing_were(
    database: Database, another_database: Database, seed: int
) -> None:
    dice = random.Random(seed)
    closed_to: datetime | None = None
    before = None
    for number, step in enumerate(what_comes_to_light(seed)):
        for each in (database, another_database):
            step(each)
        if number % 3 != 2:
            continue
        settle(database)
        settle(another_database)
        if closed_to is not None:
            assert closed_sums(database, closed_to) == before
        if number == 8:
            with database.write() as session:
                waiting.lock_ledger(session)
                closing.reopen(session, TENANT, START + HOUR)
        closed_to = START + HOUR * dice.randrange(number // 2, number)
        close(database, min(closed_to, MONTH_ENDS))
        with database.read() as session:
            closed_to = closing.open_from(session, TENANT)
        before = closed_sums(database, closed_to)
    assert before != ({}, {})
    assert sums_by_slot(database) == sums_by_slot(another_database)
    assert not differing_usage(database)
