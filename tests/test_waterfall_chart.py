"""A waterfall's bars add up, whatever they are of."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.charts.chart_frame import Spec
from reports.charts.waterfall_chart import Step, waterfall
from reports.pictures import svg

AMOUNTS = st.decimals(min_value=-10_000, max_value=10_000, places=2)


def chart(first: Decimal, moves: list[Decimal]) -> Spec:
    last = sum(moves, first)
    steps = [Step(f"step {place}", each, f"{each}") for place, each in enumerate(moves)]
    ends = Step("before", first, f"{first}", whole=True), Step("after", last, f"{last}", whole=True)
    return waterfall([ends[0], *steps, ends[1]], currency="USD")


def bars(spec: Spec) -> list[Spec]:
    return next(each["data"]["values"] for each in spec["layer"] if each["mark"]["type"] == "bar")


@settings(max_examples=25)
@given(AMOUNTS, st.lists(AMOUNTS, max_size=8))
def test_each_step_begins_where_the_one_before_ends(first: Decimal, moves: list[Decimal]) -> None:
    drawn = bars(chart(first, moves))
    for before, bar in pairwise(drawn[:-1]):
        assert bar["start"] == before["end"]
    assert drawn[-1]["end"] == drawn[-2]["end"], "nothing is left over"
    assert [bar["kind"] for bar in drawn[1:-1]] == [
        "less" if each < 0 else "more" for each in moves
    ]


def test_small_steps_of_large_amounts_are_cut_so_that_they_can_be_seen() -> None:
    spec = chart(Decimal(10_000), [Decimal(20), Decimal(-50)])
    low, top = spec["encoding"]["x"]["scale"]["domain"]
    assert 9_000 < low < 9_970
    assert all(bar["cut"] for bar in bars(spec) if bar["kind"] == "whole")
    assert bars(spec)[0]["start"] == low
    assert top > 10_020, "there is room for the figures"
    assert "//" in svg(spec)
    assert chart(Decimal(100), [Decimal(50)])["encoding"]["x"]["scale"]["domain"][0] == 0


def test_names_cannot_leave_the_picture() -> None:
    step = Step("<script>alert(1)</script>", Decimal(1), "<b>1</b>", whole=True)
    assert "<script>" not in svg(waterfall([step], currency="USD"))
