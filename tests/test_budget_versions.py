"""A budget's versions follow one another, whoever changes it at a time."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from budgeted import NOW, budget, change, charge, evaluate, said
from filled_ledger import at
from sqlalchemy import update

from spend.budgets.budgets import Budget
from spend.checked_fields import TermsRefused
from store.budgets import budgets
from store.channels import outbox
from store.postgres.sessions import Database
from store.tables.budgets import outbox as table
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


def history(database: Database, now: datetime = NOW) -> list[Budget]:
    with database.read() as session:
        return budgets.with_history(session, TENANT, now)


DECEMBER = at("2026-12-01")


def later(
    database: Database, old: Budget, starts: datetime = DECEMBER, **changes: object
) -> Budget:
    with database.write() as session:
        return budgets.change(session, TENANT, old.id, said(**changes), NOW, starts)


def amounts(found: list[Budget]) -> list[tuple[Decimal, bool]]:
    return [(each.terms.amount, each.replaced_at is None) for each in found]


def test_eight_changes_at_a_time_are_eight_versions_of_which_one_holds(database: Database) -> None:
    first = budget(database)
    with ThreadPoolExecutor(8) as pool:
        changed = list(pool.map(lambda n: change(database, first, amount=200 + n), range(8)))
    found = history(database)
    assert sorted(each.version for each in changed) == list(range(2, 10))
    assert [each.version for each in found] == list(range(1, 10))
    assert [each.version for each in found if each.replaced_at is None] == [9]
    assert [each.armed for each in found] == list(range(1, 10))


def test_a_name_wanted_by_eight_is_had_by_one(database: Database) -> None:
    def make(_: int) -> bool:
        try:
            budget(database)
        except budgets.NameTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(8))) == 1
    assert len(history(database)) == 1


def test_what_is_kept_is_what_was_said_to_the_last_digit(database: Database) -> None:
    made = budget(
        database,
        amount="123456789012345.123456789012",
        filter={"team": ["<!channel>", "ü"], "feature": [""]},
        period="custom",
        own_period={"starts_on": "2026-11-02", "days": 14},
        timezone="Australia/Lord_Howe",
        thresholds=[],
        forecast_thresholds=[100, 90],
        pace_thresholds=[200],
        rollover_cap="0.000000000001",
        owner="Ada",
        remind_hours=24,
    )
    assert history(database) == [made]


def test_a_change_by_a_clock_that_lags_does_not_end_before_it_began(database: Database) -> None:
    first = budget(database, created=NOW)
    second = change(database, first, first.created_at.replace(year=2020), amount="5")
    assert second.created_at == NOW
    assert history(database)[0].replaced_at == NOW
    assert said(amount="5") == second.terms


def test_a_change_from_a_date_holds_from_that_date_on(database: Database) -> None:
    first = budget(database)
    made = later(database, first, amount="200")
    assert (made.version, made.created_at, made.starts) == (2, NOW, DECEMBER)
    before, after = DECEMBER - timedelta(microseconds=1), DECEMBER
    assert amounts(history(database, before)) == [(Decimal(100), True)]
    assert amounts(history(database, after)) == [(Decimal(100), False), (Decimal(200), True)]
    with database.read() as session:
        for moment, amount in ((before, 100), (after, 200)):
            held = budgets.in_force(session, TENANT, first.id, moment)
            assert [held] == budgets.all_in_force(session, TENANT, moment)
            assert held.terms.amount == amount
            assert budgets.held_at(session, TENANT, moment)[-1].terms.amount == amount
        # What was known before it was said has nothing of it.
        known = budgets.held_at(session, TENANT, NOW - timedelta(seconds=1))
    assert amounts(known) == [(Decimal(100), True)]


def test_a_budget_counts_what_was_spent_before_its_change_held(database: Database) -> None:
    first = budget(database)
    later(database, first, at("2026-11-20"), amount="60")
    charge(database, "70", slot="2026-11-10")
    assert "0 messages" in evaluate(database, at("2026-11-19")).note
    assert "2 messages" in evaluate(database, at("2026-11-20T00:01")).note


def test_one_change_at_most_is_to_come_until_it_is_withdrawn(database: Database) -> None:
    first = budget(database)
    later(database, first, amount="200")
    for again in (later, change):
        with pytest.raises(budgets.ChangeScheduled, match="version 2 is to hold from 2026-12-01"):
            again(database, first, amount="300")
    with database.write() as session:
        goes_on = budgets.withdraw(session, TENANT, first.id, 2, NOW)
        assert goes_on == first
        with pytest.raises(budgets.NoSuchBudget):
            budgets.withdraw(session, TENANT, first.id, 2, NOW)
        with pytest.raises(budgets.ChangeScheduled):
            budgets.withdraw(session, TENANT, first.id, 1, NOW)
    assert history(database, DECEMBER) == [first]
    third = later(database, first, amount="300")
    assert (third.version, third.armed) == (3, 3)
    found = history(database, DECEMBER)
    assert [each.version for each in found] == [1, 3]
    with database.read() as session:
        kept = budgets.versions(session, TENANT, first.id)
    assert [budgets.withdrawn(each) for each in kept] == [False, True, False]


def test_a_change_to_come_that_measures_alike_carries_on(database: Database) -> None:
    first = budget(database)
    made = later(database, first, thresholds=[50])
    assert made.armed == first.armed
    assert history(database, DECEMBER)[-1].armed == first.armed


def test_a_closed_budget_does_not_come_back_with_a_change(database: Database) -> None:
    first = budget(database)
    later(database, first, amount="200")
    with database.write() as session:
        budgets.close(session, TENANT, first.id, NOW)
    for moment in (NOW, DECEMBER):
        assert history(database, moment) == []
    assert budget(database).id != first.id, "its name is free again"


def test_a_change_from_a_date_is_to_come_and_keeps_the_name(database: Database) -> None:
    first = budget(database)
    with pytest.raises(TermsRefused) as refused:
        later(database, first, NOW, amount="5")
    assert refused.value.field == "effective_from"
    with pytest.raises(TermsRefused) as refused:
        later(database, first, name="other")
    assert refused.value.field == "name"
    later(database, first, amount="5")
    with pytest.raises(budgets.NameTaken):
        budget(database)


def test_a_message_goes_by_the_version_that_holds_when_it_is_due(database: Database) -> None:
    first = budget(database)
    url = "https://hooks.slack.com/services/T0/B0/x"
    later(database, first, webhook_url=url)
    charge(database, "85")
    evaluate(database)

    def goes_to() -> str | None:
        with database.read() as session:
            (due,) = outbox.due(session, TENANT, DECEMBER)
        return due.webhook

    assert goes_to() is None
    with database.write() as session:
        session.execute(update(table).values(next_at=DECEMBER))
    assert goes_to() == url
    with database.write() as session:
        budgets.withdraw(session, TENANT, first.id, 2, NOW)
    assert goes_to() is None


def test_what_held_at_a_moment_is_what_is_known_of_it_ever_after(database: Database) -> None:
    by_chance = random.Random(7)
    now, known = NOW, {}
    refused = 0
    ids = [budget(database, name=name).id for name in "abc"]
    for _ in range(30):
        now += timedelta(minutes=by_chance.randint(1, 90))
        starts = by_chance.choice([None, now + timedelta(minutes=by_chance.randint(1, 200))])
        budget_id = by_chance.choice(ids)
        terms = said(name="abc"[ids.index(budget_id)], amount=by_chance.randint(1, 5))
        try:
            with database.write() as session:
                if by_chance.random() < 0.3:
                    budgets.withdraw(session, TENANT, budget_id, by_chance.randint(1, 9), now)
                else:
                    budgets.change(session, TENANT, budget_id, terms, now, starts)
        except (budgets.ChangeScheduled, budgets.NoSuchBudget):
            refused += 1
        with database.read() as session:
            known[now] = budgets.all_in_force(session, TENANT, now)
            for each in ids:
                kept = budgets.versions(session, TENANT, each)
                held = [version for version in kept if not budgets.withdrawn(version)]
                assert all(one.replaced_at == next_.starts for one, next_ in pairwise(held))
    with database.read() as session:
        for moment, held in known.items():
            found = budgets.held_at(session, TENANT, moment)
            assert [each for each in found if each.replaced_at is None] == held
    assert 0 < refused < len(known)
