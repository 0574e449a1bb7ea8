"""A budget's versions follow one another, whoever changes it at a time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from budgeted import NOW, budget, change, said

from spend.budgets import Budget
from store import budgets
from store.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


def history(database: Database) -> list[Budget]:
    with database.read() as session:
        return budgets.with_history(session, TENANT, NOW)


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
        period="quarter",
        timezone="Australia/Lord_Howe",
        thresholds=[],
    )
    assert history(database) == [made]


def test_a_change_by_a_clock_that_lags_does_not_end_before_it_began(database: Database) -> None:
    first = budget(database, created=NOW)
    second = change(database, first, first.created_at.replace(year=2020), amount="5")
    assert second.created_at == NOW
    assert history(database)[0].replaced_at == NOW
    assert said(amount="5") == second.terms
