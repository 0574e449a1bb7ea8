"""A breakdown stays within so many groups, and loses nothing by it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from spend.folded_groups import ALL_OTHERS, OTHER, Place, fold
from spend.totals import Totals, together

AT_MOST = 8
NAMES = st.sampled_from(["a", "b", "c", "d", "e", OTHER])
PLACES = st.tuples(NAMES, st.none() | NAMES, st.none() | NAMES)
TOTALS = st.builds(
    Totals,
    cost=st.none() | st.decimals(-5, 5, places=12),
    calls=st.integers(0, 9),
    usage=st.fixed_dictionaries({"input": st.integers(0, 9)}),
)
GROUPS = st.dictionaries(PLACES, TOTALS, max_size=40)


@given(GROUPS)
def test_there_are_never_more_groups_than_asked_for_and_nothing_is_left_out(
    groups: dict[Place, Totals],
) -> None:
    found = fold(groups, AT_MOST)
    assert len(found.groups) <= AT_MOST
    whole, folded = together(groups.values()), together(found.groups.values())
    assert (whole.cost, whole.calls) == (folded.cost, folded.calls)
    assert whole.usage.get("input", 0) == folded.usage.get("input", 0)
    assert (found.folded == 0) == (len(groups) <= AT_MOST)


def test_few_groups_stay_as_they_are_the_most_expensive_first() -> None:
    groups: dict[Place, Totals] = {
        ("a", None, None): Totals(calls=9),
        ("a", "openai", "small"): Totals(cost=Decimal(1)),
        ("b", "openai", "large"): Totals(cost=Decimal(3)),
    }
    found = fold(groups, 4)
    assert list(found.groups) == [
        ("b", "openai", "large"),
        ("a", "openai", "small"),
        ("a", None, None),
    ]
    assert found.folded == 0


def test_the_rest_of_a_team_stays_that_teams() -> None:
    groups: dict[Place, Totals] = {
        ("a", "openai", str(number)): Totals(cost=Decimal(number)) for number in range(20)
    }
    groups["b", "openai", "0"] = Totals(cost=Decimal("0.5"))
    found = fold(groups, AT_MOST)
    assert found.groups["a", OTHER, OTHER].cost == sum(range(16))
    assert found.groups["b", OTHER, OTHER].cost == Decimal("0.5")
    assert found.folded == 17


def test_of_teams_too_many_the_least_are_one() -> None:
    groups: dict[Place, Totals] = {
        (f"team-{number:02d}", "openai", "m"): Totals(cost=Decimal(number)) for number in range(20)
    }
    found = fold(groups, AT_MOST)
    assert found.groups[ALL_OTHERS].cost == sum(range(13))
    assert found.groups["team-13", OTHER, OTHER].cost == Decimal(13)
