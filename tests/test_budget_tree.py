"""Budgets within budgets: a child's spend is its parent's too, and nothing makes that untrue."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from budgeted import NOW, budget, change, said
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.budgets.budget_tree import DEEPEST, allocated, check_placed, outside
from spend.budgets.budgets import Budget, Filter
from spend.budgets.spending import Spend, Spending
from spend.checked_fields import TermsRefused
from store.budgets import budgets
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

DIMENSIONS = ("team", "project", "model")
TEAMS = ("search", "ads", "maps", "")
ROWS = st.builds(
    Spend,
    piece=st.just(0),
    values=st.tuples(
        st.sampled_from(TEAMS), st.sampled_from(["a", "b", ""]), st.sampled_from("mn")
    ),
    currency=st.just("USD"),
    amount=st.integers(0, 10**20).map(lambda atoms: Decimal(atoms).scaleb(-12)),
)
FILTERS = st.dictionaries(
    st.sampled_from(DIMENSIONS),
    st.lists(st.sampled_from([*TEAMS, "a", "m"]), min_size=1, max_size=4, unique=True).map(tuple),
)


def spent(rows: list[Spend], wanted: Filter) -> Decimal:
    return Spending(DIMENSIONS, rows).on(wanted, "USD", range(1)).amount


@given(st.lists(ROWS, max_size=15), FILTERS, FILTERS)
@settings(max_examples=150, deadline=None)
def test_a_child_never_spends_more_than_its_parent(
    rows: list[Spend], child: Filter, parent: Filter
) -> None:
    both = {**parent, **child}
    for each in (child, both):
        if outside(each, parent) is None:
            assert spent(rows, each) <= spent(rows, parent)


@given(st.lists(ROWS, max_size=15), FILTERS, st.lists(st.integers(0, 2), min_size=4, max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_children_of_a_parent_spend_and_the_rest_is_what_it_spends(
    rows: list[Spend], parent: Filter, split: list[int]
) -> None:
    teams = parent.get("team", TEAMS)
    shares = [
        tuple(team for team in teams if split[TEAMS.index(team)] == each)
        for each in range(3)
        if set(teams) <= set(TEAMS)
    ]
    children = [{**parent, "team": share} for share in shares if share]
    for child in children:
        assert outside(child, {**parent, "team": teams}) is None
    if children:
        whole = spent(rows, {**parent, "team": teams})
        assert sum((spent(rows, child) for child in children), Decimal(0)) == whole


def one(budget_id: int, parent_id: int | None = None, **changes: Any) -> list[Budget]:
    terms = said(**({"name": f"b{budget_id}", "parent_id": parent_id} | changes))
    return [Budget(budget_id, 1, terms, NOW)]


RESEARCH = {"team": ["search", "ads"]}


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"parent_id": 9}, "parent", "no budget 9 is in force"),
        ({"currency": "EUR"}, "currency", "EUR is not USD, the currency of its parent 'b1'"),
        ({"filter": {"team": ["maps"]}}, "filter.team", "its parent 'b1' is on search, ads alone"),
        ({"filter": {"team": ["search", "maps"]}}, "filter.team", "alone"),
        ({"filter": {"project": ["a"]}}, "filter.team", "alone"),
        ({"filter": {}}, "filter.team", "alone"),
    ],
)
def test_a_child_lies_within_its_parent(changes: dict[str, Any], field: str, reason: str) -> None:
    live = {1: one(1, filter=RESEARCH)}
    check_placed(None, said(parent_id=1), live)
    with pytest.raises(TermsRefused, match=reason) as refused:
        check_placed(None, said(**({"parent_id": 1} | changes)), live)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"filter": {"team": ["ads"]}}, "filter.team"),
        ({"filter": {**RESEARCH, "project": ["a"]}}, "filter.project"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_a_parent_that_would_leave_a_child_outside_is_told_which(
    changes: dict[str, Any], field: str
) -> None:
    live = {1: one(1, filter=RESEARCH), 2: one(2, 1)}
    check_placed(1, said(filter={}), live)
    with pytest.raises(TermsRefused, match="its child 'b2'") as refused:
        check_placed(1, said(**({"filter": RESEARCH} | changes)), live)
    assert refused.value.field == field


def test_a_version_to_come_counts_on_both_sides() -> None:
    narrow, wide = one(1, filter={"team": ["search"]})[0], one(1, filter=RESEARCH)[0]
    with pytest.raises(TermsRefused):
        check_placed(None, said(parent_id=1, filter=RESEARCH), {1: [wide, narrow]})
    moved = replace(one(2)[0], terms=said(parent_id=1))
    with pytest.raises(TermsRefused, match="its child"):
        check_placed(1, said(filter={"team": ["ads"]}), {1: [wide], 2: [*one(2), moved]})


def test_nothing_is_above_itself_or_deeper_than_eight() -> None:
    chain = {1: one(1)} | {number: one(number, number - 1) for number in range(2, DEEPEST + 1)}
    for number in chain:
        with pytest.raises(TermsRefused, match="above itself"):
            check_placed(1, said(parent_id=number), chain)
    check_placed(None, said(parent_id=DEEPEST - 1), chain)
    with pytest.raises(TermsRefused, match="at most 8"):
        check_placed(None, said(parent_id=DEEPEST), chain)
    with pytest.raises(TermsRefused, match="at most 8"):
        check_placed(1, said(parent_id=20), chain | {20: one(20)})


def test_what_is_allocated_is_of_children_with_the_same_periods() -> None:
    parent = one(1, filter={}, amount="100")[0]
    children = [
        one(2, 1, amount="70.5")[0],
        one(3, 1, amount="40")[0],
        one(4, 1, amount="999", period="week")[0],
        one(5, 1, amount="999", timezone="Asia/Kathmandu")[0],
    ]
    assert allocated(parent, children) == Decimal("110.5")


def test_a_parent_is_closed_after_its_children(database: Database) -> None:
    parent = budget(database, name="research", filter=RESEARCH)
    child = budget(database, parent_id=parent.id)
    with pytest.raises(budgets.HasChildren, match="'search'"), database.write() as session:
        budgets.close(session, TENANT, parent.id, NOW)
    with pytest.raises(TermsRefused, match="its child 'search'"):
        change(database, parent, name="research", filter={"team": ["ads"]})
    change(database, child, parent_id=None)
    with database.write() as session:
        budgets.close(session, TENANT, parent.id, NOW)
    with pytest.raises(TermsRefused, match=f"no budget {parent.id} is in force"):
        change(database, child, parent_id=parent.id)
