"""What an hour of a pool costs: components, exact and whole over months, terms and lives."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.capacity.component_files import components_of, fields_of
from spend.capacity.energy import MeasuredHour
from spend.capacity.pool_costs import DISPOSAL, Component, HourCost, hour_cost
from spend.capacity.pool_fields import PoolRefusedError
from spend.capacity.spreading import months_later
from spend.capacity.tariff_files import fields_of_tariff, tariffs_of
from spend.capacity.tariffs import price_at, price_of_hour
from spend.money import total
from spend.periods import Month, Period, month_period

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
STARTS = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
AMOUNTS = st.decimals("0.000001", 10**9, places=6, allow_nan=False)
PEAK = {"price": "0.30", "days": ["mon", "tue", "wed", "thu", "fri"], "hours": "07:00-22:00"}
NIGHT = {"price": "0.10", "days": ["mon", "tue", "wed", "thu", "fri"], "hours": "22:00-07:00"}
WEEKEND = {"price": "0.08", "days": ["sat", "sun"]}


def component(*, tariffs: Any = (), starts: datetime = STARTS, **said: Any) -> Component:
    known = tariffs_of(list(tariffs), zone="UTC")
    return components_of([said], known, zone="UTC", starts=starts)[0]


def cost(
    part: Component, hour: datetime, *, busy: Fraction = Fraction(0), **measured: MeasuredHour
) -> HourCost:
    return hour_cost([part], hour, busy, measured)


def hours(period: Period) -> list[datetime]:
    first = period.start.replace(minute=0)
    count = -((first - period.end) // HOUR)
    return [first + HOUR * number for number in range(count)]


def within(part: Component, period: Period) -> Decimal:
    """What it costs in a time that need not begin on an hour of UTC."""
    said = fields_of(part) | {"from": period.start.isoformat(), "to": period.end.isoformat()}
    cut = component(**said)
    return total([cost(cut, hour).amount for hour in hours(period)])


@given(AMOUNTS, st.sampled_from(ZONES), st.integers(1, 12), st.integers(1, 300))
@settings(max_examples=25, deadline=None)
def test_the_hours_of_a_month_cost_the_monthly_amount_in_every_zone(
    amount: Decimal, zone: str, month: int, quantity: int
) -> None:
    rent = component(
        kind="colocation", amount=str(amount), per="month", quantity=quantity, zone=zone
    )
    period = month_period(Month(2026, month), ZoneInfo(zone))
    assert within(rent, period) == amount * quantity


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_whose_clock_is_changed_costs_a_days_amount(day: str, length: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(day).replace(tzinfo=zone)
    period = Period(start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC))
    rack = component(kind="colocation", amount="100", per="day", zone="Europe/Berlin")
    assert len(hours(period)) == length
    assert within(rack, period) == 100


@given(
    AMOUNTS,
    st.decimals(0, 1, places=6, allow_nan=False),
    st.integers(1, 6),
    st.sampled_from(ZONES),
    st.integers(0, 800),
)
@settings(max_examples=12, deadline=None)
def test_depreciation_over_its_life_is_price_less_residual(
    purchase: Decimal, share: Decimal, months: int, zone: str, starts: int
) -> None:
    residual = (purchase * share).quantize(Decimal("0.000001"))
    server = component(
        kind="depreciation",
        purchase=str(purchase),
        residual=str(residual),
        life_months=months,
        zone=zone,
        starts=STARTS + HOUR * starts,
    )
    assert server.ends is not None
    life = Period(server.valid_from, server.ends)
    spent = [cost(server, hour).amount for hour in hours(life)]
    assert total(spent) == purchase - residual
    # On Lord Howe the clock is changed by half an hour: the last hour may be half of one.
    assert max(spent) - min(spent[:-1]) <= Decimal("1e-12")
    assert not cost(server, server.ends).parts
    assert not cost(server, server.valid_from - HOUR).parts


@given(st.integers(1, 4000), st.one_of(st.none(), st.integers(0, 300_000)))
@settings(max_examples=20, deadline=None)
def test_what_goes_out_of_service_early_costs_what_was_lost_in_its_last_hour(
    lived: int, had: int | None
) -> None:
    said: dict[str, Any] = {"purchase": "300000", "residual": "60000", "life_months": 6}
    end = STARTS + HOUR * lived
    if had is not None:
        said["disposed_for"] = had
    server = component(kind="depreciation", name="server", to=end.isoformat(), **said)
    spent = [cost(server, hour) for hour in hours(Period(STARTS, end))]
    assert total([each.amount for each in spent]) == 300_000 - (60_000 if had is None else had)
    assert [part.kind for part in spent[-1].parts] == ["depreciation", DISPOSAL]
    assert spent[-1].running.amount < Decimal(60)
    assert not any(part.billed for each in spent for part in each.parts)


def test_a_reservation_is_spread_over_the_hours_of_its_term() -> None:
    term = component(kind="reservation", amount="50000", per="term", months=12)
    year = hours(Period(STARTS, months_later(STARTS, 12, "UTC")))
    assert total([cost(term, hour).amount for hour in year]) == 50_000
    assert cost(term, STARTS).amount == Decimal("5.707762557077")
    assert cost(term, STARTS).billed == cost(term, STARTS).amount


def test_from_the_last_of_a_month_a_month_later_is_the_last() -> None:
    at = datetime(2026, 1, 30, 23, tzinfo=UTC)  # midnight of the 31st in Berlin
    assert months_later(at, 1, "Europe/Berlin") == datetime(2026, 2, 27, 23, tzinfo=UTC)
    assert months_later(at, 2, "Europe/Berlin") == datetime(2026, 3, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "length", "at_two"), [("2026-03-29", 23, 0), ("2026-10-25", 25, 2)]
)
def test_the_days_of_a_changed_clock_have_23_and_25_tariff_hours(
    day: str, length: int, at_two: int
) -> None:
    rates = [
        {"price": f"0.{hour:02d}", "hours": f"{hour:02d}:00-{hour + 1:02d}:00"}
        for hour in range(24)
    ]
    tariff = tariffs_of([{"name": "t", "zone": "Europe/Berlin", "rates": rates}], zone="UTC")["t"]
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    period = Period(start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC))
    prices = [price_of_hour(tariff, hour, hour, hour + HOUR) for hour in hours(period)]
    assert len(prices) == length
    assert prices.count(Fraction(2, 100)) == at_two
    assert sum(prices) == Fraction(sum(range(24)), 100) + Fraction(2, 100) * (at_two - 1)


def test_where_hours_begin_at_the_half_a_utc_hour_pays_two_of_them() -> None:
    rates = [{"price": "0.10", "hours": "00:00-12:00"}, {"price": "0.20", "hours": "12:00-24:00"}]
    tariff = tariffs_of([{"name": "t", "zone": "Asia/Kolkata", "rates": rates}], zone="UTC")["t"]
    six = datetime(2026, 3, 2, 6, tzinfo=UTC)  # 11:30 there
    assert price_of_hour(tariff, six, six, six + HOUR) == Fraction(15, 100)


def test_weekdays_and_seasons_have_their_prices() -> None:
    summer = {"price": "0.05", "months": [6, 7, 8]}
    others = [{**rate, "months": [1, 2, 3, 4, 5, 9, 10, 11, 12]} for rate in (PEAK, NIGHT, WEEKEND)]
    tariff = tariffs_of([{"name": "t", "rates": [summer, *others]}], zone="Europe/Berlin")["t"]
    for at, price in (
        ("2026-07-04T12:00", "0.05"),
        ("2026-03-06T05:59", "0.10"),  # a Friday, 06:59 there
        ("2026-03-06T06:00", "0.30"),
        ("2026-03-06T21:00", "0.10"),
        ("2026-03-06T23:00", "0.08"),  # Saturday there
    ):
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        assert price_at(tariff, moment) == Decimal(price)


def test_energy_is_estimated_from_watts_where_it_is_not_measured() -> None:
    power = component(
        kind="energy", watts="8000", idle_watts="2000", pue="1.25", price_per_kwh="0.20"
    )
    assert cost(power, STARTS).amount == Decimal("0.5")
    assert cost(power, STARTS, busy=Fraction(1, 2)).amount == Decimal("1.25")
    half = MeasuredHour(millijoules=3 * 3_600_000_000, covered=Fraction(1, 2))
    part = cost(power, STARTS, busy=Fraction(1), energy=half).parts[0]
    assert (part.kwh, part.measured_kwh) == (7, 3)
    assert part.amount == Decimal("1.75")
    whole = MeasuredHour(millijoules=3_600_000_001, covered=Fraction(1))
    assert cost(power, STARTS, energy=whole).amount == Decimal("0.250000000069")


def test_the_hour_of_an_owned_server_with_energy_and_people() -> None:
    # docs/pools.md. A life of four years has 35,064 hours, one of them a leap year's; at 730 hours
    # a month, as such sums are often made, the same server comes to 14.96.
    server = {"kind": "depreciation", "purchase": "300000", "residual": "60000", "life_months": 48}
    power = {"kind": "energy", "watts": "7500", "idle_watts": "7500", "pue": "1.4"}
    people = {"kind": "engineering", "amount": "60000", "per": "year"}
    parts = components_of(
        [server, power | {"price_per_kwh": "0.12"}, people], {}, zone="UTC", starts=STARTS
    )
    hour = hour_cost(parts, STARTS, Fraction(0), {})
    assert [f"{part.amount:.4f}" for part in hour.parts] == ["6.8446", "1.2600", "6.8493"]
    assert f"{hour.amount:.2f}" == "14.95"
    assert f"{hour.amount / 8:.2f}" == "1.87"
    assert (
        f"{Decimal(240_000) / (48 * 730) + Decimal('1.26') + Decimal(60_000) / 8760:.2f}" == "14.96"
    )
    # On somebody's invoice is the energy alone.
    assert hour.billed == Decimal("1.26")


SAID: dict[str, dict[str, Any]] = {
    "recurring": {"kind": "rental", "amount": "6.155", "per": "hour", "quantity": 8},
    "term": {"kind": "units", "amount": "1000", "per": "term", "months": 1, "quantity": "2.5"},
    "depreciation": {"kind": "depreciation", "purchase": 5, "life_months": "3", "residual": "1"},
    "disposed": {
        "kind": "depreciation",
        "purchase": 5,
        "life_months": 3,
        "to": "2026-02-01",
        "disposed_for": 2,
    },
    "energy": {
        "kind": "energy",
        "watts": 7,
        "tariff": "t",
        "measured": {"host.name": "gpu-*"},
        "source": "a",
        "reference": "b",
    },
    "flat": {"kind": "energy", "watts": 7, "idle_watts": "6.5", "price_per_kwh": "0.1"},
    "people": {
        "kind": "engineering",
        "amount": 9,
        "per": "year",
        "billed": True,
        "zone": "Asia/Kolkata",
    },
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_what_is_kept_of_a_component_declares_the_same(said: dict[str, Any]) -> None:
    tariff = {"name": "t", "from": "2025-06-01", "rates": [PEAK, NIGHT, WEEKEND]}
    tariffs = tariffs_of([tariff], zone="Europe/Berlin")
    found = components_of([said], tariffs, zone="UTC", starts=STARTS)
    again = tariffs_of([fields_of_tariff(each) for each in tariffs["t"]], zone="UTC")
    assert priced(again) == priced(tariffs)
    kept = [fields_of(each) for each in found]
    assert components_of(kept, tariffs, zone="UTC", starts=STARTS - HOUR) == found


def priced(tariffs: Any) -> list[Decimal]:
    return [price_at(tariffs["t"], STARTS + HOUR * number) for number in range(24 * 14)]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ([], "components"),
        ([{"name": "x"}], "components[1].kind"),
        ([{"kind": "magic"}], "components[1].kind"),
        ([{"kind": "rental", "per": "hour"}], "components[1].amount"),
        ([{"kind": "rental", "amount": "-1", "per": "hour"}], "components[1].amount"),
        ([{"kind": "rental", "amount": "1e3", "per": "hour"}], "components[1].amount"),
        ([{"kind": "rental", "amount": "1"}], "components[1].per"),
        ([{"kind": "rental", "amount": "1", "per": "week"}], "components[1].per"),
        (
            [{"kind": "seats", "amount": "1", "per": "month", "quantity": -3}],
            "components[1].quantity",
        ),
        (
            [{"kind": "units", "amount": "1", "per": "hour", "quantity": 0}],
            "components[1].quantity",
        ),
        ([{"kind": "rental", "amount": "1", "per": "hour", "months": 3}], "components[1].months"),
        ([{"kind": "reservation", "amount": "1", "per": "term"}], "components[1].months"),
        (
            [{"kind": "reservation", "amount": 1, "per": "term", "months": 1, "to": "2027-01-01"}],
            "components[1].to",
        ),
        (
            [{"kind": "depreciation", "purchase": "1", "life_months": 0}],
            "components[1].life_months",
        ),
        (
            [{"kind": "depreciation", "purchase": "1", "residual": "2", "life_months": 1}],
            "components[1].residual",
        ),
        (
            [{"kind": "depreciation", "purchase": 1, "life_months": 1, "billed": True}],
            "components[1].billed",
        ),
        (
            [{"kind": "depreciation", "purchase": 1, "life_months": 1, "disposed_for": 1}],
            "components[1].disposed_for",
        ),
        ([{"kind": "energy", "watts": 1}], "components[1].tariff"),
        ([{"kind": "energy", "watts": 1, "tariff": "none"}], "components[1].tariff"),
        ([{"kind": "energy", "price_per_kwh": 1}], "components[1].watts"),
        (
            [{"kind": "energy", "watts": 1, "idle_watts": 2, "price_per_kwh": 1}],
            "components[1].idle_watts",
        ),
        ([{"kind": "energy", "watts": 1, "price_per_kwh": 1, "pue": "0.9"}], "components[1].pue"),
        ([{"kind": "energy", "price_per_kwh": 1, "measured": {}}], "components[1].measured"),
        ([{"kind": "other", "amount": 1, "per": "day", "zone": "Mars/Base"}], "components[1].zone"),
        ([{"kind": "other", "amount": 1, "per": "day", "watts": 3}], "components[1].watts"),
        ([{"kind": "other", "amount": 1, "per": "day", "from": "soon"}], "components[1].from"),
        (
            [{"kind": "other", "amount": 1, "per": "day", "to": "2025-01-01"}],
            "components[1].to",
        ),
        (2 * [{"kind": "network", "amount": 1, "per": "day"}], "components[2].from"),
        (
            [
                {"kind": "network", "name": "x", "amount": 1, "per": "day", "to": "2026-02-01"},
                {"kind": "support", "name": "x", "amount": 1, "per": "day", "from": "2026-02-01"},
            ],
            "components[2].kind",
        ),
    ],
)
def test_a_component_that_makes_no_sense_is_refused_by_its_field(
    said: list[dict[str, Any]], field: str
) -> None:
    with pytest.raises(PoolRefusedError) as refused:
        components_of(said, {}, zone="UTC", starts=STARTS)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        ([{"name": "t", "rates": []}], "tariffs[1].rates", "there are none"),
        (
            [{"name": "t", "rates": [PEAK, NIGHT]}],
            "tariffs[1].rates",
            "no price holds on sat at 00",
        ),
        ([{"name": "t", "rates": [PEAK, NIGHT, WEEKEND, NIGHT]}], "tariffs[1].rates", "2 prices"),
        ([{"name": "t", "zone": "x", "rates": [WEEKEND]}], "tariffs[1].zone", "unknown"),
        ([{"name": "t", "rates": [{}]}], "tariffs[1].rates[1].price", "missing"),
        ([{"name": "t", "rates": [{"price": -1}]}], "tariffs[1].rates[1].price", "negative"),
        (
            [{"name": "t", "rates": [{"price": 1, "days": ["m"]}]}],
            "tariffs[1].rates[1].days",
            "'m'",
        ),
        (
            [{"name": "t", "rates": [{"price": 1, "months": [0]}]}],
            "tariffs[1].rates[1].months",
            "0",
        ),
        (
            [{"name": "t", "rates": [{"price": 1, "hours": "7-9"}]}],
            "tariffs[1].rates[1].hours",
            "full local hours",
        ),
        (2 * [{"name": "t", "rates": [{"price": 1}]}], "tariffs[2].from", "hold at one time"),
    ],
)
def test_a_tariff_with_a_gap_or_an_overlap_is_refused(said: Any, field: str, reason: str) -> None:
    with pytest.raises(PoolRefusedError) as refused:
        tariffs_of(said, zone="UTC")
    assert refused.value.field == field
    assert reason in refused.value.reason
