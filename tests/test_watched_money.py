"""Idle capacity, commitments that will not be used, and prices that no longer hold are told."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from billed_month import FORMATS, USED, in_month, put_bill, put_ledger
from committed import MINIMUM, declared, settle
from filled_ledger import SEARCH, at, put_cell, put_charge
from hypothesis import given, settings
from hypothesis import strategies as st
from sighted import hear, sighting
from sqlalchemy.orm import Session
from watching import facts, levels, measured, written

from jobs.alerts.watch import is_due
from spend.alerts.rule_states import State
from spend.calls import Route
from spend.capacity.pool_costs import CostPart
from spend.capacity.pool_files import pool_of_fields
from spend.capacity.pools import HOUR
from spend.checked_fields import TermsRefused
from spend.commitments.commitment_outlook import LOOKED_AT, Outlook, outlook
from spend.commitments.commitment_use import Use
from spend.prices.prices import CONTRACT, LIST, SUPPLEMENT
from store.alerts.rule_states import Kept
from store.capacity import pool_hours, pools
from store.capacity.pool_hours import PoolHour
from store.commitments import commitments
from store.postgres.sessions import Database
from store.tables.prices import prices as price_lines
from store.tenants import PUBLIC, TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-10-15T12:00")


# --- idle capacity


def put_pool(session: Session, name: str, *, until: datetime = NOW, **said: object) -> int:
    fields = {"name": name, "cost_per_hour": "10", "from": "2026-10-01", "match": {"model": [name]}}
    made = pool_of_fields(fields | said, currency="USD", now=until)
    return pools.declare(session, TENANT, made).id


def put_hours(session: Session, pool_id: int, idle: list[str], first: str) -> None:
    """Hours of 10.00, one after the other, of which so much was idle."""
    cost = Decimal(10)
    settled = [
        PoolHour(
            hour=at(first) + number * HOUR,
            cost=cost,
            billed_amount=cost,
            idle=Decimal(each),
            components=(CostPart(name="rent", kind="rental", billed=True, amount=cost),),
            method="work-units-v1",
            work_units=Decimal(1),
            capacity=None,
            timed_us=0,
            input_weight=None,
            output_weight=None,
            settled_at=NOW,
        )
        for number, each in enumerate(idle)
    ]
    pool_hours.keep(session, TENANT, pool_id, settled)


def test_idle_capacity_is_told_with_what_it_cost(database: Database) -> None:
    with database.write() as session:
        busy, idle, ended = (put_pool(session, name) for name in ("busy", "idle", "waiting"))
        put_hours(session, busy, ["4"] * 24, "2026-10-14T12:00")
        # The day before it was all idle, and the hour that goes on is not looked at.
        put_hours(session, idle, ["10"] * 24 + ["6.5"] * 20, "2026-10-13T12:00")
        put_hours(session, idle, ["10"], "2026-10-15T12:00")
        put_hours(session, ended, ["10"], "2026-10-13T12:00")
    watched = written("idle-capacity", over="65", warning="39.5")
    found = measured(database, watched, NOW + timedelta(minutes=20))
    assert levels(watched, found) == {
        "pool=busy": "warning",
        "pool=idle": "over",
        "pool=waiting": "no data",
    }
    assert found["pool=idle"].value == Decimal("65.00")
    assert facts(found["pool=idle"]) == {
        "Idle": "130.00 of 200.00 USD",
        "Hours": "20 settled of 24",
    }
    assert found["pool=idle"].end == at("2026-10-15T08:00")
    # What costs little is not worth a message.
    dear = written("idle-capacity", over="65", minimum="200.01", pool="idle")
    assert levels(dear, measured(database, dear, NOW)) == {"pool=idle": "ok"}


def test_a_pool_that_has_ended_is_no_longer_watched(database: Database) -> None:
    with database.write() as session:
        put_pool(session, "old", to="2026-10-14T11:00")
    assert not measured(database, written("idle-capacity"), NOW)
    with pytest.raises(ValueError, match="no pool called young"):
        measured(database, written("idle-capacity", pool="young"), NOW)


# --- commitments


def use_of(amount: str, eligible: str, **said: str) -> Use:
    agreed = declared(amount=amount, **said)
    period = list(agreed.periods(NOW))[-1]
    used = min(Decimal(eligible), Decimal(amount))
    return Use(agreed, period, Decimal(eligible), used, used, None)


def expected(use: Use, daily: list[str], now: datetime = NOW) -> Outlook | None:
    days = ["0"] * (LOOKED_AT - len(daily)) + daily
    return outlook(use, [Decimal(each) for each in days], now)


OCTOBER = {"valid_from": "2026-10-01", "valid_to": "2026-11-01"}


def test_the_rest_of_a_period_is_expected_from_the_days_before() -> None:
    # 14 days and a half at 20, 16 and a half to come.
    found = expected(use_of("1000", "290", paid="800", **OCTOBER), ["20"] * 14)
    assert found is not None
    assert found.eligible.quantize(Decimal("0.01")) == Decimal(620)
    assert found.unused.quantize(Decimal("0.01")) == Decimal(380)
    assert found.wasted.quantize(Decimal("0.01")) == Decimal(304)
    assert found.runs_out is None
    # 290 and 310 more, of 40 a day from noon on: the rest of today and 7 days and 10 of the next.
    found = expected(use_of("600", "290", **OCTOBER), ["40"] * 14)
    assert found is not None
    assert found.unused == 0
    assert found.runs_out == at("2026-10-24")


def test_it_is_not_too_early_where_the_past_is_known() -> None:
    monthly = {**MINIMUM, "period": "month", "valid_from": "2026-09-01"}
    second = at("2026-10-02T00:00")
    known = expected(use_of("1000", "20", **monthly), ["20"] * 31, second)
    assert known is not None
    assert Decimal(600) < known.eligible < Decimal(640)
    young = use_of("1000", "20", **MINIMUM, period="month")
    assert expected(young, ["20"], second) is None
    assert expected(use_of("1000", "20", **OCTOBER), ["20"], at("2026-11-02")) is None
    assert expected(use_of("1000", "20"), ["20"] * 14) is None  # it never ends


def test_of_what_nobody_ever_used_nothing_is_expected() -> None:
    found = expected(use_of("1000", "0", **OCTOBER), ["0"] * 14)
    assert found is not None
    assert found.eligible == 0
    assert found.unused == 1000
    ended = expected(use_of("1000", "290", **OCTOBER), ["20"] * 14 + ["0"] * 20)
    assert ended is not None
    assert ended.eligible < 310


@given(st.lists(st.integers(0, 10**6), min_size=14, max_size=14), st.integers(1, 10**8))
@settings(max_examples=40)
def test_what_is_used_and_what_is_not_is_the_commitment(days: list[int], amount: int) -> None:
    use = use_of(str(amount), str(sum(days)), **OCTOBER)
    found = expected(use, [str(each) for each in days])
    assert found is not None
    assert found.used + found.unused == amount
    assert found.unused >= 0
    assert found.eligible >= use.eligible
    assert (found.runs_out is None) == (found.eligible < amount)


def put_days(session: Session, amount: str, days: int) -> None:
    for number in range(days):
        put_charge(session, f"2026-10-{number + 1:02d}T10:00", amount, posted="2026-10-02")


def test_a_shortfall_is_told_with_what_it_wastes(database: Database) -> None:
    with database.write() as session:
        for said in (
            {"name": "credits", "paid": "800"} | OCTOBER,
            {"name": "later", "valid_from": "2026-11-01"},
            {
                "name": "small",
                "amount": "100",
                "valid_from": "2026-10-01",
                "valid_to": "2027-01-01",
            },
        ):
            commitments.declare(session, TENANT, declared(**said), now=at("2026-10-01"))
        put_days(session, "20", 14)
    settle(database, "2026-10-15T12:00")
    watched = written("commitment-shortfall", over="30")
    found = measured(database, watched, NOW)
    # Credits that end first cover first: nothing is left for those that end later.
    assert levels(watched, found) == {"commitment=credits": "over", "commitment=small": "over"}
    short = found["commitment=credits"]
    assert short.value is not None
    assert Decimal(38) <= short.value <= Decimal(40)
    assert facts(short)["Committed"] == "1,000.00 USD, until 2026-11-01 00:00 UTC"
    assert facts(short)["Used so far"] == "280.00 USD"
    assert "Would be paid for nothing" in facts(short)
    named = written("commitment-shortfall", over="30", commitment="credits", minimum="1000.01")
    assert levels(named, measured(database, named, NOW)) == {"commitment=credits": "ok"}
    last = measured(database, written("commitment-shortfall"), at("2026-10-26T06:00"))
    assert (
        facts(last["commitment=credits"])["Expires within 6 days"]
        == "720.00 USD of credits are left"
    )
    with pytest.raises(ValueError, match="no commitment called nobody"):
        measured(database, written("commitment-shortfall", commitment="nobody"), NOW)


def test_credits_that_will_not_last_are_told(database: Database) -> None:
    with database.write() as session:
        said = declared(amount="400", **OCTOBER)
        commitments.declare(session, TENANT, said, now=at("2026-10-01"))
        put_days(session, "20", 14)
    settle(database, "2026-10-15T12:00")
    watched = written("commitment-runs-out")
    found = measured(database, watched, at("2026-10-15T00:00"))
    assert levels(watched, found) == {"commitment=credits": "over"}
    # 120 are left, for 6 days: 11 of 31 are without.
    assert found["commitment=credits"].value == Decimal("35.48")
    assert facts(found["commitment=credits"])["Used up by"] == "2026-10-21 00:00 UTC"
    assert facts(found["commitment=credits"])["Would be billed beyond it"] == "220.00 USD"


# --- prices


def put_prices(session: Session, book: str, *prices: tuple[str, str, str]) -> None:
    """Lines of a public book: model, meter, price."""
    for model, meter, price in prices:
        session.execute(
            price_lines.insert().values(
                tenant_id=PUBLIC if book != CONTRACT else TENANT,
                book=book,
                provider="openai",
                model=model,
                meter=meter,
                unit_price=Decimal(price),
                currency="USD",
                valid_from=at("2026-01-01"),
                known_from=at("2026-10-12T08:00" if book == SUPPLEMENT else "2026-01-01"),
                source="test",
            )
        )


def test_a_price_that_another_list_has_otherwise_is_told(database: Database) -> None:
    with database.write() as session:
        for model, calls in (("big", 20), ("small", 19), ("same", 500), ("agreed", 50)):
            route = Route(provider="openai", model=model, deployment="api")
            put_cell(session, "2026-10-14T09:00", SEARCH, route, calls=calls)
        ours = [(model, "input", "3.00") for model in ("big", "small", "same", "agreed")]
        put_prices(session, LIST, *ours, ("big", "output", "10.00"))
        put_prices(session, CONTRACT, ("agreed", "input", "2.00"))
        theirs = [(model, "input", "3.15") for model in ("big", "small", "agreed")]
        put_prices(session, SUPPLEMENT, *theirs, ("same", "input", "3.00"), ("big", "output", "9"))
    watched = written("price-drift", warning="2")
    found = measured(database, watched, NOW)
    assert levels(watched, found) == {
        "provider=openai, model=big": "warning",
        "provider=openai, model=same": "ok",
        "provider=openai, model=agreed": "ok",
    }
    big = found["provider=openai, model=big"]
    assert big.value == Decimal("10.00")
    assert big.facts == (
        (
            "The supplement",
            "output: 9.00 for 1,000,000, 10.00 in our table (-10.00 %), since 2026-10-12",
        ),
        (
            "The supplement",
            "input: 3.15 for 1,000,000, 3.00 in our table (+5.00 %), since 2026-10-12",
        ),
    )
    whole = written("price-drift", warning="2", by=[], filter={"model": ["same"]})
    assert levels(whole, measured(database, whole, NOW)) == {"": "ok"}
    # Lately nobody called it.
    assert not measured(database, watched, NOW + timedelta(days=8))


def test_usage_that_is_billed_at_other_prices_is_told(database: Database) -> None:
    form, october = FORMATS["openai costs"], in_month(USED, "2026-10")
    dearer = [
        replace(each, amount=each.amount * Decimal("1.05")) if each.model == "big" else each
        for each in october
    ]
    with database.write() as session:
        put_ledger(session, form)
        put_bill(session, form, dearer, "2026-10")
    watched = written("price-drift", warning="2")
    found = measured(database, watched, at("2026-12-05"))
    assert levels(watched, found) == {"provider=openai, model=gpt-4o-2024-08-06": "warning"}
    (big,) = found.values()
    assert big.value == Decimal("5.00")
    assert big.facts[0] == (
        "The bill of openai for 2026-10-01 to 2026-11-01",
        "input: 1365.00 USD, 1300.00 USD by our table (+5.00 %), since 2026-10-01",
    )
    # It says nothing of the prices of a year later.
    assert not measured(database, watched, at("2027-12-05"))


def test_what_calls_say_that_they_cost_is_held_against_our_table(database: Database) -> None:
    """One price is 5 % too low from a day on; the day before nothing is told."""
    with database.write() as session:
        put_prices(session, LIST, ("big", "input", "3.00"), ("big", "output", "15.00"))
        put_prices(session, LIST, ("small", "input", "1.00"), ("small", "output", "4.00"))
    watched = written("price-drift", warning="2")
    for day, dearer in (("2026-10-13", "1"), ("2026-10-22", "1.05")):
        for model, price_in, price_out in (("big", "3.00", "15.00"), ("small", "1.00", "4.00")):
            times = Decimal(dearer) if model == "big" else Decimal(1)
            route = Route(provider="openai", model=model, operation="chat", deployment="api")
            put_told(database, day, route, Decimal(price_in) * times, Decimal(price_out) * times)
        found = measured(database, watched, at(day) + timedelta(days=1))
        assert levels(watched, found) == {
            "provider=openai, model=big": "ok" if dearer == "1" else "warning",
            "provider=openai, model=small": "ok",
        }
    assert found["provider=openai, model=big"].facts[0] == (
        "What 30 calls told",
        "their cost, in the middle (+5.00 %)",
    )


def put_told(
    database: Database, day: str, route: Route, price_in: Decimal, price_out: Decimal
) -> None:
    """Thirty calls, of which each told its cost as a float would be written."""
    calls = []
    for number in range(30):
        usage = {"input": 1000 + 37 * number, "output": 100 + 11 * number}
        cost = (usage["input"] * price_in + usage["output"] * price_out) / 10**6
        calls.append(
            sighting(
                int(f"{at(day):%m%d}{len(route.model or '')}{number:02d}"),
                1,
                route=route,
                start_at=at(day) + timedelta(minutes=number),
                usage=usage,
                details={"cost_given": f"{float(cost)!r}"},
            )
        )
    hear(database, calls, received_at=at(day) + timedelta(hours=1))


def test_prices_are_compared_by_the_hour() -> None:
    drift, other = written("price-drift", warning="2"), written("error-rate")

    def known(minutes: int) -> list[Kept]:
        return [Kept("", State("ok", NOW), NOW - timedelta(minutes=minutes), None, None)]

    assert [is_due(drift, known(minutes), NOW) for minutes in (1, 59, 60)] == [False, False, True]
    assert is_due(other, known(0), NOW)
    assert is_due(drift, [], NOW)
    assert is_due(drift, [Kept("", State("ok", NOW), drift.created_at, None, None)], NOW)


@pytest.mark.parametrize(
    ("kind", "said", "field"),
    [
        ("idle-capacity", {"over": "50", "window_minutes": 90}, "window_minutes"),
        ("idle-capacity", {"filter": {"team": ["a"]}}, "filter.team"),
        ("idle-capacity", {"pool": 3}, "pool"),
        ("commitment-shortfall", {"by": ["team"]}, "by"),
        ("commitment-runs-out", {"commitment": ["credits"]}, "commitment"),
        ("price-drift", {"warning": "9", "over": "5"}, "warning"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    kind: str, said: dict[str, object], field: str
) -> None:
    with pytest.raises(TermsRefused) as refused:
        written(kind, **said)
    assert refused.value.field == field
