"""The laws of budgets: what counts, when a threshold is reached, and how periods tile time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from budgeted import said
from filled_ledger import at
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.budgets.budget_periods import CUSTOM, KINDS, period_at, period_name
from spend.budgets.budget_states import Measure, state
from spend.budgets.budgets import Terms, percent, reached, with_arming
from spend.budgets.spending import Spend, Spending
from spend.fiscal import FiscalYear
from spend.periods import Period

CUT_BY_CALENDARS = tuple(kind for kind in KINDS if kind != CUSTOM)

TOLD_APART = ("team", "feature", "model")
AMOUNTS = st.integers(-(10**15), 10**27).map(lambda atoms: Decimal(atoms).scaleb(-12))
ROWS = st.builds(
    Spend,
    piece=st.integers(0, 3),
    values=st.tuples(*[st.sampled_from(["", "a", "b"])] * len(TOLD_APART)),
    currency=st.sampled_from(["USD", "EUR"]),
    amount=AMOUNTS,
)
FILTERS = st.dictionaries(
    st.sampled_from(TOLD_APART),
    st.lists(st.sampled_from(["a", "b", "", "c"]), min_size=1).map(tuple),
    max_size=3,
)


@given(st.lists(ROWS, max_size=20), st.lists(FILTERS, min_size=1, max_size=5), st.integers(0, 4))
@settings(max_examples=100, deadline=None)
def test_what_counts_is_what_fits_to_the_last_digit(
    rows: list[Spend], filters: list[dict[str, tuple[str, ...]]], end: int
) -> None:
    spending = Spending(TOLD_APART, rows)
    for wanted in filters:
        fitting = [
            row
            for row in rows
            if 1 <= row.piece < end
            and all(row.values[TOLD_APART.index(name)] in wanted[name] for name in wanted)
        ]
        counted = spending.on(wanted, "USD", range(1, end))
        sums = {
            code: sum((row.amount for row in fitting if row.currency == code), Decimal(0))
            for code in ("USD", "EUR")
        }
        assert counted.amount == sums["USD"]
        assert counted.without == ({"EUR": sums["EUR"]} if sums["EUR"] else {})


def test_a_filter_on_nothing_known_is_an_error_and_not_everything() -> None:
    with pytest.raises(KeyError):
        Spending(("team",), [Spend(0, ("a",), "USD", Decimal(1))]).on(
            {"mood": ("x",)}, "USD", range(1)
        )


@given(AMOUNTS, AMOUNTS.filter(lambda amount: amount >= 0), st.integers(1, 10_000))
@settings(max_examples=200)
def test_a_threshold_is_reached_exactly_from_its_share_on(
    spent: Decimal, amount: Decimal, threshold: int
) -> None:
    atoms, limit = int(spent.scaleb(12)), int(amount.scaleb(12))
    expected = atoms > 0 and atoms * 100 >= limit * threshold
    assert reached(spent, amount, [threshold]) == ((threshold,) if expected else ())
    share = percent(spent, amount)
    if share is not None and spent >= 0:
        assert share * amount <= spent * 100 + Decimal("0.01")


def test_the_state_goes_by_the_amount_and_the_lowest_threshold() -> None:
    terms = said(thresholds=[50, 120])
    states = [stands(spent, terms) for spent in ("49.99", "50", "99.99", "100", "500")]
    assert states == ["ok", "warning", "warning", "over", "over"]
    assert stands("0", said(amount=0)) == "ok"
    assert stands("99", said(thresholds=[])) == "ok"


def stands(spent: str, terms: Terms) -> str:
    return state(Measure(Decimal(spent), terms.amount, present=True), terms, ())


def test_the_clock_change_is_in_the_period() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    march = period_at(at("2026-03-15"), "month", berlin)
    october = period_at(at("2026-10-15"), "month", berlin)
    assert (march.end - march.start) / timedelta(hours=1) == 743
    assert (october.end - october.start) / timedelta(hours=1) == 745
    # Midnight of 6 September 2026 is skipped in Santiago: the day begins at 01:00, 04:00 UTC.
    day = period_at(at("2026-09-06T12:00"), "day", ZoneInfo("America/Santiago"))
    assert day == Period(at("2026-09-06T04:00"), at("2026-09-07T03:00"))


def test_periods_have_the_names_that_people_use() -> None:
    zone = ZoneInfo("UTC")
    moment = at("2027-01-01")
    names = [period_name(period_at(moment, kind, zone), kind, zone) for kind in CUT_BY_CALENDARS]
    calendar = ["2027-01-01", "2026-W53", "2027-01", "2027-Q1", "2027"]
    assert names == [*calendar, "2027-01", "FY2027-Q1", "FY2027"]


def test_crossings_belong_to_the_first_version_that_measures_alike() -> None:
    versions = [
        said(),
        said(name="other"),
        said(amount="200"),
        said(amount="200.00", thresholds=[1]),
        said(),
    ]
    assert with_arming(list(enumerate(versions, start=1))) == [1, 1, 3, 3, 5]


def test_fiscal_periods_are_cut_as_the_fiscal_year_is() -> None:
    zone, retail = ZoneInfo("Europe/Berlin"), FiscalYear("4-5-4", 2, "sunday", "nearest")
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    found = {
        kind: period_name(period_at(noon, kind, zone, retail), kind, zone, retail)
        for kind in ("fiscal-period", "fiscal-quarter", "fiscal-year")
    }
    assert found == {
        "fiscal-period": "FY2027-P02",
        "fiscal-quarter": "FY2027-Q1",
        "fiscal-year": "FY2027",
    }
    period = period_at(noon, "fiscal-period", zone, retail)
    assert period.start == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert (
        period_at(period.start - timedelta.resolution, "fiscal-period", zone, retail).end
        == period.start
    )
