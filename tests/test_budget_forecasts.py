"""The job ``forecast``: what periods of budgets should come to is known for all of them at once."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from budgeted import API, NOW, budget, change, settings
from filled_ledger import asking, at, put_names
from sqlalchemy import event, insert

from jobs.budgets import forecast_budgets
from jobs.charging.sum_days import sum_days
from jobs.context import Done, JobContext
from spend.calls import Owner
from store.budgets.forecasts import forecasts
from store.postgres.sessions import Database
from store.tables.budgets import budgets
from store.tables.ledger import charges
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

TODAY = at("2026-11-15")
DAY = timedelta(days=1)


def spent_daily(
    database: Database,
    amount: int,
    days: int = 120,
    *,
    team: str = "search",
    hour: int = 12,
    currency: str = "USD",
    until: datetime = NOW,
    today: datetime = TODAY,
) -> None:
    """As much on each weekday, a fifth of it at the weekend, in one hour of each day."""
    with database.write() as session:
        owner_id, route_id = put_names(session, Owner(team=team), API)
        lines = []
        for number in range(days):
            slot = today - number * DAY + timedelta(hours=hour)
            if slot < until:
                its = Decimal(amount) / (5 if slot.weekday() >= 5 else 1)
                lines.append({"slot": slot, "amount": its})
        usual = {
            "tenant_id": TENANT,
            "posted_at": at("2026-11-01"),
            "kind": "original",
            "owner_id": owner_id,
            "payer_id": owner_id,
            "route_id": route_id,
            "band": 0,
            "meter": "input",
            "price_id": 1,
            "quantity": 1,
            "currency": currency,
            "method": "price-book/2",
        }
        session.execute(
            insert(charges),
            [
                usual | its | {"contracted_amount": its["amount"], "billed_amount": its["amount"]}
                for its in lines
            ],
        )


def forecast(database: Database, now: datetime = NOW) -> Done:
    return forecast_budgets.run(JobContext(database, now, settings()))


def made(database: Database) -> dict[int, tuple[Decimal, Decimal, Decimal]]:
    with database.read() as session:
        found = forecasts(session, TENANT)
    return {key[0]: (each.low, each.expected, each.high) for key, each in found.items()}


def test_a_month_comes_to_what_is_spent_and_what_its_other_days_cost_as_a_rule(
    database: Database,
) -> None:
    spent_daily(database, 100)
    search = budget(database)
    forecast(database)
    # 21 weekdays at 100 and 9 days of weekends at 20.
    ((low, expected, high),) = made(database).values()
    assert expected == pytest.approx(Decimal(2280), rel=Decimal("0.005"))
    assert low <= expected <= high
    assert high - low < 100
    with database.read() as session:
        ((key, found),) = forecasts(session, TENANT).items()
    assert key == (search.id, at("2026-11-01"))
    assert (found.version, found.made_at, found.through) == (1, NOW, NOW)
    assert (found.method, found.days) == ("seasonal-1", 119)
    assert found.past_error is not None
    assert found.past_error < 1


def test_of_today_what_is_left_goes_by_the_hours_that_are_usual(database: Database) -> None:
    spent_daily(database, 100, hour=9)
    spent_daily(database, 100, hour=20, team="ads")
    early = budget(database, period="day", amount="1")
    late = budget(database, period="day", amount="1", name="ads", filter={"team": ["ads"]})
    forecast(database)
    found = made(database)
    # Sunday: 20 each. What is usually spent by 9 is spent, what comes at 20 is to come.
    assert found[early.id][1] == pytest.approx(Decimal(20), abs=Decimal(3))
    assert found[late.id][1] == pytest.approx(Decimal(20), abs=Decimal(3))


def test_sums_of_days_and_lines_that_are_not_in_them_are_the_same_spend(
    database: Database,
) -> None:
    spent_daily(database, 100)
    budget(database)
    forecast(database)
    before = made(database)
    sum_days(JobContext(database, NOW, settings()))
    forecast(database)
    assert made(database) == before


def test_what_is_too_young_has_no_forecast_and_a_few_days_have_a_wide_one(
    database: Database,
) -> None:
    spent_daily(database, 100, days=3)
    spent_daily(database, 100, days=6, team="ads")
    young = budget(database)
    few = budget(database, name="ads", filter={"team": ["ads"]})
    forecast(database)
    found = made(database)
    assert young.id not in found
    low, expected, high = found[few.id]
    assert low < Decimal("0.9") * expected
    assert high > Decimal("1.1") * expected


def test_a_zone_whose_days_are_not_those_of_utc_is_cut_at_its_own_midnight(
    database: Database,
) -> None:
    spent_daily(database, 100, hour=3)
    # Of Los Angeles: the month ends at 8:00 UTC on the 1st, and 3:00 of that day is in it.
    budget(database, timezone="America/Los_Angeles")
    forecast(database)
    ((_, expected, _),) = made(database).values()
    # From 1 November 7:00 UTC: 3:00 of the 2nd to that of the 1st of December.
    days = [at("2026-11-02T03:00") + number * DAY for number in range(30)]
    truth = sum(20 if day.weekday() >= 5 else 100 for day in days)
    assert expected == pytest.approx(Decimal(truth), rel=Decimal("0.02"))


def test_other_currencies_count_at_their_rates_and_what_has_none_does_not(
    database: Database,
) -> None:
    spent_daily(database, 100, currency="GBP")
    spent_daily(database, 10)
    budget(database)
    forecast(database)
    ((_, expected, _),) = made(database).values()
    assert expected == pytest.approx(Decimal(228), rel=Decimal("0.005"))


def test_a_thousand_budgets_take_as_many_statements_as_one(database: Database) -> None:
    spent_daily(database, 100, days=20)

    def statements() -> int:
        seen: list[str] = []

        def note(_c: object, _u: object, text: str, *_: object) -> None:
            seen.append(text)

        event.listen(database.engine, "before_cursor_execute", note)
        try:
            forecast(database)
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        return len(seen)

    budget(database)
    one = statements()
    for number in range(20):
        budget(database, name=f"b{number}", period=("week", "month", "quarter")[number % 3])
    assert statements() == one


def test_a_budget_that_cannot_be_looked_at_harms_no_other(database: Database) -> None:
    spent_daily(database, 100, days=20)
    broken, whole = budget(database, name="broken"), budget(database)
    with database.write() as session:
        its = budgets.c.id == broken.id
        session.execute(budgets.update().where(its).values(timezone="Mars/Olympus"))
    assert forecast(database).note == "2 budgets, 1 forecasts"
    assert set(made(database)) == {whole.id}


def test_a_forecast_is_told_with_its_band_its_error_and_its_days(database: Database) -> None:
    spent_daily(database, 100)
    search = budget(database, timezone="Europe/Berlin")
    client = asking(database, now="2026-11-15T12:00")
    path = f"/v1/budgets/{search.id}/forecast"
    assert "every 15 minutes" in client.get(path).json()["reason"]
    forecast(database)
    found = client.get(path).json()
    assert found["reason"] is None
    assert (found["period"], found["method"]) == ("2026-11", "seasonal-1")
    assert Decimal(found["low"]) < Decimal(found["expected"]) < Decimal(found["high"])
    assert Decimal(found["past_error"]) < 1
    points = found["points"]
    assert len(points) == 30
    assert points[0] == {
        "day": "2026-11-01",
        "spent": "20.00",
        "expected": None,
        "low": "20.00",
        "total": "20.00",
        "high": "20.00",
    }
    assert points[14]["spent"] == "0.00"
    assert Decimal(points[15]["expected"]) == pytest.approx(Decimal(100), rel=Decimal("0.05"))
    assert points[15]["spent"] is None
    last = {name: points[-1][name] for name in ("low", "total", "high")}
    assert last == {"low": found["low"], "total": found["expected"], "high": found["high"]}
    change(database, search, timezone="Europe/Berlin", filter={}, when=at("2026-11-15T11:00"))
    assert client.get(path).json()["expected"] is None
    days = [Decimal(each["spent"] or 0) + Decimal(each["expected"] or 0) for each in points]
    assert sum(days) == Decimal(found["expected"])


def test_why_there_is_no_forecast_is_told(database: Database) -> None:
    spent_daily(database, 100, days=2)
    search = budget(database)
    only = {"starts_on": "2026-11-01", "ends_on": "2026-11-03"}
    over = budget(database, name="over", period="custom", own_period=only)
    forecast(database)
    client = asking(database, now="2026-11-15T12:00")
    young = client.get(f"/v1/budgets/{search.id}/forecast").json()
    assert young["expected"] is None
    assert young["reason"].startswith("1 whole day")
    ended = client.get(f"/v1/budgets/{over.id}/forecast").json()
    assert (ended["period"], ended["reason"]) == (None, "it has no period now")
    assert client.get(f"/v1/budgets/{over.id + 1}/forecast").status_code == 404
