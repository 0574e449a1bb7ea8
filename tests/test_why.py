"""Why a month is not what the one before was: parts that leave nothing over."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_books import CALENDAR, OCTOBER, SEPTEMBER, books, money, usage

from spend.booked import Booked
from spend.currencies.exchange import UsedRate
from spend.currencies.one_currency import totals_at
from spend.money import EXACT
from spend.statements.statements import Sources, Statement, draw_up
from spend.statements.why import amounts_of


def statement(now: list[Booked], last: list[Booked], **more: object) -> Statement:
    sources = Sources(now=now, last=last, **more)  # type: ignore[arg-type]  # as it takes them
    return draw_up(OCTOBER, SEPTEMBER, CALENDAR.zone, "USD", sources)


def used(team: str, model: str, tokens: int, cost: str, calls: int = 1) -> list[Booked]:
    return [
        usage(team, "openai", model, calls=calls, input=tokens),
        money(team, "openai", model, cost=Decimal(cost)),
    ]


def parts(now: list[Booked], last: list[Booked]) -> dict[str, Decimal]:
    """Those that are not 0."""
    why = statement(now, last).total.why
    named = zip(type(why).__dataclass_fields__, amounts_of(why), strict=True)
    return {name: amount for name, amount in named if amount}


def test_twice_the_tokens_is_volume() -> None:
    now, last = used("search", "gpt", 2000, "20"), used("search", "gpt", 1000, "10")
    assert parts(now, last) == {"volume": Decimal(10)}


def test_dearer_tokens_are_price() -> None:
    now, last = used("search", "gpt", 1000, "13"), used("search", "gpt", 1000, "10")
    assert parts(now, last) == {"price": Decimal(3)}


def test_tokens_that_go_to_a_cheaper_model_are_mix() -> None:
    last = used("search", "big", 900, "90") + used("search", "small", 100, "1")
    now = used("search", "big", 100, "10") + used("search", "small", 900, "9")
    assert parts(now, last) == {"mix": Decimal(-72)}


def test_a_team_that_grows_is_no_mix_of_another() -> None:
    last = used("search", "big", 100, "10") + used("ads", "small", 100, "1")
    now = used("search", "big", 100, "10") + used("ads", "small", 300, "3")
    assert parts(now, last) == {"volume": Decimal(2)}


def test_where_there_are_no_tokens_calls_count() -> None:
    last, now = (
        used("search", "rerank", 0, "1", calls=10),
        used("search", "rerank", 0, "3", calls=30),
    )
    assert parts(now, last) == {"volume": Decimal(2)}


def test_models_of_one_month_only_are_new_and_gone() -> None:
    now, last = used("search", "new", 5, "2.5"), used("search", "old", 5, "1.25")
    assert parts(now, last) == {"new": Decimal("2.5"), "gone": Decimal("-1.25")}


def test_what_nobody_used_is_capacity() -> None:
    now = [money("idle", "vllm", "llama", cost=Decimal(7))]
    assert parts(now, []) == {"capacity": Decimal(7)}


def test_credits_and_taxes_are_adjustments() -> None:
    now = [
        money("search", "openai", "gpt", cost=Decimal(-5), kind="credit"),
        money("search", "openai", "gpt", cost=Decimal(2), kind="tax"),
    ]
    assert parts(now, []) == {"adjustments": Decimal(-3)}


def test_corrections_of_earlier_months_are_no_change_of_this_one() -> None:
    late = money("search", "openai", "gpt", cost=Decimal(4), belongs_to=date(2026, 9, 3))
    used_alike = used("search", "gpt", 1000, "10")
    assert parts([*used_alike, late], used_alike) == {"corrections": Decimal(4)}


def test_what_becomes_priced_is_neither_price_nor_volume() -> None:
    last = [usage("search", "openai", "gpt", calls=3, unpriced_calls=3, input=900)]
    assert parts(used("search", "gpt", 900, "9"), last) == {"other": Decimal(9)}


def test_of_what_was_partly_unpriced_the_priced_tokens_count() -> None:
    last = [
        usage(
            "search", "openai", "gpt", calls=4, unpriced_calls=2, unpriced_tokens=500, input=1000
        ),
        money("search", "openai", "gpt", cost=Decimal(5)),
    ]
    assert parts(used("search", "gpt", 1000, "10"), last) == {"volume": Decimal(5)}


def test_another_rate_is_fx_and_nothing_else() -> None:
    last = used("search", "gpt", 1000, "10")
    found = statement(used("search", "gpt", 1000, "12"), last, at_last_rates=last)
    assert found.total.why.fx == Decimal(2)
    assert found.total.why.price == 0


RATE = UsedRate(
    from_currency="EUR",
    to_currency="USD",
    rate=Decimal("1.0834567891"),
    day=date(2026, 9, 30),
    path="entered",
    sources=("ecb",),
    ids=(),
)


def at(rate: UsedRate, rows: list[Booked]) -> list[Booked]:
    return [replace(row, totals=totals_at(row.totals, rate)) for row in rows]


@settings(max_examples=120)
@given(books("USD"), books("USD"), st.booleans())
def test_the_parts_add_up_to_the_difference_to_the_last_digit(
    now: list[Booked], last: list[Booked], rates_moved: bool
) -> None:
    found = statement(now, last, at_last_rates=at(RATE, now) if rates_moved else None)
    for figures in (
        found.total,
        *(part.figures for part in found.parts),
        *(line.figures for line in found.lines),
    ):
        cost, before = figures.spent.cost or Decimal(0), figures.last.cost or Decimal(0)
        assert figures.why.total == EXACT.subtract(cost, before)
        assert figures.why.rounding == 0


@settings(max_examples=120)
@given(books("USD"), books("USD"))
def test_in_coins_rows_and_columns_add_up(now: list[Booked], last: list[Booked]) -> None:
    found = statement(now, last)
    for part in found.parts:
        # What is unknown is in no total: what is known of the other month is.
        assert part.why.total == (part.figures.amount or 0) - (part.figures.last_amount or 0)
        exact = zip(amounts_of(part.why), amounts_of(part.figures.why), strict=True)
        # A coin or two of rounding, never an amount where there is none.
        assert all(shown == 0 for shown, whole in list(exact)[:-1] if whole == 0)
    assert found.why.total == sum(part.why.total for part in found.parts)
    coins = sum(
        (part.figures.amount or 0) - (part.figures.last_amount or 0) for part in found.parts
    )
    assert coins == (found.total.amount or 0) - (found.total.last_amount or 0)
    assert found.why.total == coins, "the bars from month to month leave nothing out"
