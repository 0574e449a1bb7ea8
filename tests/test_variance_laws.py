"""Whatever a bill says, its parts add up to the difference, in whatever order its lines come."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.tables.variance_words import mostly
from spend.calls import Route
from spend.money import atoms
from spend.periods import Period
from spend.reconciliation import billed_rate
from spend.reconciliation.bill_pieces import Told, pieces_of
from spend.reconciliation.billed_models import family_of, same_models
from spend.reconciliation.bills import ADJUSTMENT, CREDIT, FEE, TAX, USAGE
from spend.reconciliation.reconcile import NoRateError, reconcile
from spend.reconciliation.true_up import Share, targets_of
from spend.reconciliation.variance import BUCKETS, Billed, Buckets, Estimated, Tolerance, Variance

STARTS = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = [Period(STARTS + timedelta(days=n), STARTS + timedelta(days=n + 1)) for n in range(-3, 9)]
WEEK = Period(STARTS, STARTS + timedelta(days=6))
NEXT = Period(WEEK.end, WEEK.end + timedelta(days=6))
RATES = {"EUR": Decimal("1.0837"), "JPY": Decimal("0.0066666667")}

QUANTITIES = st.integers(0, 10**7).map(Decimal)
AMOUNTS = st.integers(-(10**14), 10**15).map(lambda number: Decimal(number).scaleb(-12))
NAMED = st.sampled_from(["gpt-4o-2024-08-06", "gpt-4o", "Claude4.6Sonnet", "claude-sonnet-4-6"])
SOMETIMES = st.one_of(st.none(), st.sampled_from(["eu-west-1", "EU West 1"]))

ESTIMATED = st.builds(
    Estimated,
    piece=st.sampled_from(DAYS),
    kind=st.sampled_from([USAGE, USAGE, USAGE, CREDIT, FEE]),
    model=st.one_of(st.none(), NAMED),
    meter=st.sampled_from(["input", "output", "cache_write", "tool_calls", None]),
    region=SOMETIMES,
    service_tier=st.sampled_from([None, "default", "batch"]),
    quantity=QUANTITIES,
    amount=AMOUNTS,
    currency=st.sampled_from(["USD", "USD", "EUR", "JPY"]),
    unpriced=st.booleans(),
)
BILLED = st.builds(
    Billed,
    piece=st.sampled_from(DAYS),
    kind=st.sampled_from([USAGE, USAGE, USAGE, USAGE, CREDIT, TAX, FEE, ADJUSTMENT]),
    account=st.sampled_from([None, "a", "b"]),
    model=st.one_of(NAMED, NAMED, st.sampled_from([None, "sora-2"])),
    meter=st.sampled_from(["input", "output", "cache_write_5m", "tool_calls", None]),
    region=SOMETIMES,
    service_tier=st.sampled_from([None, "standard", "batch"]),
    description=st.sampled_from([None, "storage"]),
    unit=st.sampled_from([None, "token", "GB"]),
    quantity=st.one_of(QUANTITIES, QUANTITIES, st.none()),
    amount=AMOUNTS,
    rate=st.sampled_from([None, None, Decimal("0.93")]),
    elsewhere=st.sampled_from([False, False, True]),
)


def rate_of(currency: str, _day: date) -> Decimal | None:
    return RATES.get(currency)


def compared(ours: list[Estimated], theirs: list[Billed]) -> Variance:
    return reconcile(ours, theirs, period=WEEK, currency="USD", rate_of=rate_of, known=[NEXT])


@settings(max_examples=150)
@given(st.lists(ESTIMATED, max_size=25), st.lists(BILLED, max_size=25), st.randoms())
def test_parts_add_up_in_whatever_order_lines_come(
    ours: list[Estimated], theirs: list[Billed], chance: random.Random
) -> None:
    found = compared(ours, theirs)
    assert found.billed == sum(each.amount for each in theirs if not each.elsewhere)
    assert found.buckets.total == found.difference
    for line in found.lines:
        assert line.buckets.total == line.billed - line.estimated
    by_day = [getattr(each, name) for each in found.days.values() for name in BUCKETS]
    assert sum(by_day) == found.difference
    again_ours, again_theirs = ours[:], theirs[:]
    chance.shuffle(again_ours)
    chance.shuffle(again_theirs)
    assert compared(again_ours, again_theirs) == found


@settings(max_examples=100)
@given(st.lists(ESTIMATED, max_size=20), st.lists(BILLED, max_size=20))
def test_a_true_up_brings_the_estimate_to_the_bill(
    ours: list[Estimated], theirs: list[Billed]
) -> None:
    inside = [each for each in ours if WEEK.start <= each.piece.start < WEEK.end]
    found = compared(ours, theirs)
    shares = [
        Share(
            team=f"team {number % 3}",
            route=Route("openai", each.model),
            kind=each.kind,
            currency=each.currency,
            amount=each.amount,
            weight=round(RATES.get(each.currency, Decimal(1)) * atoms(each.amount)),
        )
        for number, each in enumerate(inside)
    ]
    stands = {"USD": 0, "EUR": 0, "JPY": 0}
    for share in shares:
        stands[share.currency] += atoms(share.amount)
    for place, posted in targets_of(found, shares, provider="openai").items():
        stands[place.currency] += posted
    assert stands == {"USD": atoms(found.billed), "EUR": 0, "JPY": 0}


USED = [
    Estimated(
        piece=day,
        model=model,
        meter="input",
        quantity=Decimal(1_000_000 * place),
        amount=Decimal(place) * price,
        currency="USD",
    )
    for place, day in enumerate(DAYS[3:9], 1)
    for model, price in (("a", Decimal(3)), ("b", Decimal("0.5")))
]


def bill(used: list[Estimated], **others: object) -> list[Billed]:
    fields = ("piece", "model", "meter", "quantity", "amount")
    said = [{name: getattr(each, name) for name in fields} for each in used]
    return [Billed(kind=USAGE, **{**each, **others}) for each in said]


def test_several_faults_at_once_are_each_told_by_themselves() -> None:
    said = bill(USED)
    said[1] = replace(said[1], amount=said[1].amount * 3)  # b costs three times as much
    said[4] = replace(said[4], quantity=said[4].quantity * 2, amount=said[4].amount * 2)
    said.append(replace(said[0], model="sora", amount=Decimal(7)))
    said.append(Billed(piece=DAYS[3], kind=CREDIT, quantity=None, amount=Decimal(-2)))
    said.append(Billed(piece=DAYS[3], kind=TAX, quantity=None, amount=Decimal(19)))
    found = compared(USED, said)
    assert found.buckets == Buckets(
        price=Decimal(1),
        more=Decimal(9),
        scope=Decimal(7),
        credits=Decimal(-2),
        tax_and_fees=Decimal(19),
    )
    # Of a's 24 million tokens all were heard, and so on.
    assert found.models["a"].share == Decimal("0.875000")
    assert found.models["sora"].share == 0


def test_days_of_another_zone_are_timing_over_a_weekend() -> None:
    weekend = [10, 10, 10, 10, 10, 2, 2, 10, 10, 10]
    used = [
        replace(USED[0], piece=day, quantity=Decimal(1000 * each), amount=Decimal(each))
        for day, each in zip(DAYS, weekend, strict=False)
    ]
    said = []
    for place, each in enumerate(bill(used)):
        half = replace(each, quantity=each.quantity / 2, amount=each.amount / 2)
        # Half of each day is billed on the next one.
        said += [half, replace(half, piece=DAYS[place + 1])]
    billed = [
        replace(each, elsewhere=each.piece not in DAYS[3:9])
        for each in said
        if each.piece not in (DAYS[0], DAYS[10])
    ]
    before = Period(DAYS[0].start, WEEK.start)
    found = reconcile(
        used, billed, period=WEEK, currency="USD", rate_of=rate_of, known=[before, NEXT]
    )
    assert found.buckets.is_nothing
    assert {each.timing for each in found.days.values()} == {0, Decimal(4), Decimal(-4)}


def test_more_and_less_far_apart_are_not_a_lag() -> None:
    said = bill(USED)
    for place, factor in ((0, 2), (-2, Decimal("0.5"))):
        changed = {"quantity": said[place].quantity * factor, "amount": said[place].amount * factor}
        said[place] = replace(said[place], **changed)
    found = compared(USED, said)
    assert found.buckets == Buckets(more=Decimal(3), less=Decimal(-9))


def test_a_bill_of_a_total_only_is_compared_and_says_that_it_is_not_split() -> None:
    whole = [replace(each, piece=WEEK) for each in USED]
    said = [Billed(piece=WEEK, kind=USAGE, quantity=None, amount=Decimal(80))]
    found = compared(whole, said)
    assert found.buckets == Buckets(more=Decimal("6.5"))
    assert found.notes == ("not split: the bill has no quantities",)
    assert found.coverage.unit == "money"


def test_usage_without_a_price_is_heard_and_its_bill_is_price() -> None:
    unpriced = [replace(each, amount=Decimal(0), unpriced=True) for each in USED]
    found = compared(unpriced, bill(USED))
    assert found.buckets == Buckets(price=found.billed)
    assert found.coverage.share == 1


def test_tool_calls_for_no_model_are_those_of_all_models() -> None:
    tools = [replace(each, meter="tool_calls", quantity=Decimal(2)) for each in USED[:2]]
    said = bill([*USED, *tools])
    said[-2:] = [replace(each, model=None, description="web search") for each in said[-2:]]
    assert compared([*USED, *tools], said).buckets.is_nothing


def test_without_a_rate_nothing_is_compared() -> None:
    with pytest.raises(NoRateError, match=r"no exchange rate from CHF to [A-Z]+ for 2026-10-01"):
        compared([replace(USED[0], currency="CHF")], bill(USED))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("claude-sonnet-4-6", "Claude4.6Sonnet"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5"),
        ("amazon.nova-2-lite-v1:0", "Nova2.0Lite"),
        ("gemini-2.5-flash", "Gemini 2.5 Flash"),
        ("gpt-4o-2024-08-06", "gpt-4o-0806"),
        ("models/gemini-2.5-pro", "gemini 2.5 pro"),
    ],
)
def test_a_model_is_known_by_what_a_bill_calls_it(ours: str, theirs: str) -> None:
    assert family_of(ours) == family_of(theirs)
    names = same_models([(ours, None)], [(theirs, None)])
    assert names[ours] == names[theirs]


def test_models_that_both_sides_tell_apart_stay_apart() -> None:
    dated = [("gpt-4o-2024-05-13", None), ("gpt-4o-2024-08-06", None)]
    assert len(set(same_models(dated, dated).values())) == 2
    assert len(set(same_models(dated, [("gpt-4o", None)]).values())) == 1
    assert family_of("gpt-4o") != family_of("gpt-4o-mini") != family_of("gpt-4.1-mini")


def test_a_rate_is_that_of_most_of_the_money() -> None:
    rate = Decimal("0.9312")
    alike = [(number * 10**12, int(number * rate * 10**12)) for number in (3, 5, 11)]
    assert billed_rate.implied([*alike, (8 * 10**12, 16 * 10**12)]) == rate
    assert billed_rate.implied([]) is None
    assert billed_rate.told([(Decimal("0.9"), 5), (Decimal("0.8"), 1)]) == Decimal("0.9")


EUROS = [replace(each, currency="EUR", amount=each.amount * 100) for each in USED]


def times(lines: list[Billed], quantity: Decimal, amount: Decimal) -> list[Billed]:
    return [
        replace(each, quantity=(each.quantity or 0) * quantity, amount=each.amount * amount)
        for each in lines
    ]


def test_a_rate_is_worked_out_where_no_quantity_is_as_we_heard_it() -> None:
    part, rate = Decimal("0.97"), Decimal("1.1")
    found = compared(EUROS, times(bill(EUROS), part, part * rate))
    euros = sum(each.amount for each in EUROS)
    assert found.buckets == Buckets(
        fx=euros * (rate - RATES["EUR"]), less=euros * rate * (part - 1)
    )


def test_what_is_far_from_our_rate_is_none() -> None:
    found = compared(EUROS, times(bill(EUROS), Decimal(1), Decimal(2)))
    assert found.buckets == Buckets(price=found.difference)


def test_batches_are_told_apart_though_the_usual_tier_has_no_name() -> None:
    batch = replace(USED[0], service_tier="batch", amount=USED[0].amount / 2)
    said = bill([USED[0]]) + times(bill([batch], service_tier="batch"), Decimal(3), Decimal(3))
    found = compared([USED[0], batch], said)
    assert found.buckets == Buckets(more=batch.amount * 2)
    assert {line.service_tier for line in found.lines} == {"standard", "batch"}


def test_lists_and_clouds_words_for_a_model_are_the_same_models() -> None:
    ours = {
        ("anthropic.claude-sonnet-4-6-v1:0", "regional.anthropic.claude-sonnet-4-6-v1:0"),
        ("amazon.nova-micro-v1:0", None),
        ("ministral-8b-2512", None),
    }
    named = ("Claude4.6Sonnet", "NovaMicro", "ministral-8b-latest")
    found = same_models(ours, {(name, None) for name in named})
    assert [found[name] for name in named] == ["claude-sonnet-4-6", "nova-micro", "ministral-8b"]


def test_a_bills_days_begin_when_it_says() -> None:
    october = Period(STARTS, datetime(2026, 11, 1, tzinfo=UTC))
    utc = pieces_of(october, Told(by_day=True), [])
    assert (len(utc.bounds), utc.period) == (38, october)
    # California: 7 hours behind, and 8 from November on.
    west = pieces_of(october, Told(by_day=True, begins=[time(7), time(8)]), [])
    assert west.period.start == datetime(2026, 10, 1, 7, tzinfo=UTC)
    whole = pieces_of(october, Told(by_day=False), [Period(october.end, october.end)])
    assert october in {whole.at(number) for number in range(5)}
    assert utc.at(0).start == datetime(2026, 9, 28, tzinfo=UTC)
    assert utc.at(99).end == datetime(2026, 11, 4, tzinfo=UTC)


def test_the_tolerance_is_a_per_cent_or_five() -> None:
    assert Tolerance().of(Decimal(100)) == 5
    assert Tolerance().of(Decimal(-2000)) == 20


def test_of_a_difference_that_is_shown_as_nothing_no_reason_is_told() -> None:
    little = Buckets(price=Decimal("0.004"), more=Decimal("0.001"))
    assert mostly(little, Decimal("0.00")) == ""
    assert mostly(little, Decimal("0.01")) == "price"
    assert mostly(Buckets(), Decimal("0.01")) == "", "of rounding alone"
