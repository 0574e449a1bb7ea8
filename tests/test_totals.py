"""What groups of calls come to together."""

from spend.totals import Totals, together

IN, OUT, CACHED = "input", "output", "cache_read"


def test_usage_adds_up_by_meter_whatever_meters_each_group_tells_and_in_what_order() -> None:
    every = {IN: 1, OUT: 2, CACHED: 0}
    turned = {OUT: 20, CACHED: 30, IN: 10}
    some = {OUT: 200}
    for groups, comes_to in (
        ((every, every), {IN: 2, OUT: 4, CACHED: 0}),
        ((every, turned), {IN: 11, OUT: 22, CACHED: 30}),
        ((every, some), {IN: 1, OUT: 202, CACHED: 0}),
        ((some, every, {}), {IN: 1, OUT: 202, CACHED: 0}),
        (({}, {}), {}),
    ):
        found = together(Totals(usage=usage) for usage in groups)
        assert found.usage == comes_to
        assert found.tokens == sum(comes_to.values())


def test_counts_and_money_stay_in_their_places() -> None:
    one = Totals(calls=1, errors=2, unpriced_calls=3, unpriced_tokens=4, usage={IN: 7})
    other = Totals(unmetered_calls=5, waiting_calls=6, calls=10)
    assert together([one, other]) == Totals(
        calls=11,
        errors=2,
        unpriced_calls=3,
        unpriced_tokens=4,
        unmetered_calls=5,
        waiting_calls=6,
        usage={IN: 7},
    )
