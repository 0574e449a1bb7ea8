"""A budget warns of what is spent, expected and how fast; it recovers, and is reminded of."""

from datetime import timedelta
from decimal import Decimal

import pytest
from budgeted import NOW, budget, change, charge, evaluate
from filled_ledger import at, put_run
from sqlalchemy import delete, select, update

from spend.forecasts.forecast import Forecast
from spend.periods import Period
from store.budgets import budgets, forecasts
from store.budgets.budget_status import statuses
from store.budgets.standings import Standing, standings
from store.postgres.sessions import Database
from store.tables import budgets as tables
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

HOUR = timedelta(hours=1)


def told(database: Database) -> list[tuple[str, str]]:
    """(key, title) of what was told, in order."""
    with database.read() as session:
        rows = session.execute(
            select(tables.outbox.c.key, tables.outbox.c.body).order_by(tables.outbox.c.id)
        )
        # A key ends with the number of the place that it goes to.
        return [(row.key.rpartition(":")[0], row.body["title"]) for row in rows]


def said_last(database: Database) -> list[str]:
    """The paragraphs of what was told last."""
    with database.read() as session:
        latest = select(tables.outbox.c.body).order_by(tables.outbox.c.id.desc()).limit(1)
        return list(session.scalars(latest).one()["paragraphs"])


def standing(database: Database) -> Standing:
    """Of the only budget there is."""
    with database.read() as session:
        [found] = standings(session, TENANT)
    return found


def expect(database: Database, expected: str, of: int = 1, made_for: int = 1) -> None:
    """A forecast of November, with a band of 10 to either side."""
    middle = Decimal(expected)
    with database.write() as session:
        made = Forecast(
            version=made_for,
            made_at=NOW,
            through=NOW,
            expected=middle,
            low=middle - 10,
            high=middle + 10,
            past_error=Decimal("7.50"),
            days=60,
            method="test-1",
        )
        forecasts.put(session, TENANT, {(of, at("2026-11-01")): made})


def test_a_corrected_price_recovers_once_and_can_be_reached_again(database: Database) -> None:
    budget(database)
    charge(database, "85")
    evaluate(database)
    assert standing(database).state == "warning"
    charge(database, "-10", kind="correction")
    for _ in range(2):
        evaluate(database)
    assert standing(database).state == "recovered"
    charge(database, "5")
    evaluate(database)
    charge(database, "-1", kind="correction")
    evaluate(database)
    charge(database, "1")
    for _ in range(2):
        evaluate(database)
    assert told(database) == [
        ("crossing:1", "85 % of budget search is spent"),
        ("recovered:1", "Budget search is below 80 % again: 75 % is spent"),
        ("again:1:1", "80 % of budget search is spent: it has reached 80 % again"),
        ("recovered:1:1", "Budget search is below 80 % again: 79 % is spent"),
        ("again:1:2", "80 % of budget search is spent: it has reached 80 % again"),
    ]
    assert standing(database).state == "warning"


def test_a_crossing_of_a_version_that_was_replaced_does_not_recover(database: Database) -> None:
    first = budget(database)
    charge(database, "85")
    evaluate(database)
    change(database, first, amount="1000")
    evaluate(database)
    assert [key for key, _title in told(database)] == ["crossing:1"]
    assert standing(database).state == "ok"


def test_who_is_still_over_is_reminded_until_somebody_acknowledges(database: Database) -> None:
    budget(database, remind_hours=4)
    charge(database, "101")
    for hours in (0, 3, 4, 5, 8):
        evaluate(database, NOW + hours * HOUR)
    # Of the highest threshold alone.
    assert [key for key, _title in told(database)] == [
        *("crossing:1", "crossing:2", "reminder:2:1", "reminder:2:2")
    ]
    assert told(database)[-1][1] == "101 % of budget search is still spent"
    with database.write() as session:
        session.execute(update(tables.crossings).values(acknowledged_at=NOW))
    evaluate(database, NOW + 40 * HOUR)
    assert len(told(database)) == 4


def test_nobody_is_reminded_of_a_period_that_has_ended(database: Database) -> None:
    budget(database, remind_hours=4)
    charge(database, "101")
    evaluate(database)
    evaluate(database, at("2026-12-02"))
    assert len(told(database)) == 2


def test_a_forecast_warns_with_its_band_and_its_past_error(database: Database) -> None:
    budget(database, forecast_thresholds=[100, 120])
    charge(database, "50")
    expect(database, "112")
    for _ in range(2):
        evaluate(database)
    assert told(database) == [("crossing:1", "Budget search is expected to reach 112 % by its end")]
    assert said_last(database) == [
        "Expected by the end: 112.00 USD; 80 % of such periods end between 102.00 and 122.00.",
        "Forecasts of this kind were wrong by 7.5 %, in the middle.",
    ]
    assert standing(database).state == "warning"
    with database.read() as session:
        [status] = statuses(session, TENANT, budgets.all_in_force(session, TENANT, NOW), NOW)
    assert status.state == "warning"


def test_a_forecast_recovers_five_points_below_and_does_not_flap(database: Database) -> None:
    budget(database, forecast_thresholds=[100])
    for expected in ("100", "96", "100", "95", "94.99", "99"):
        expect(database, expected)
        evaluate(database)
    first = [
        ("crossing:1", "Budget search is expected to reach 100 % by its end"),
        ("recovered:1", "Budget search is no longer expected to reach 100 %"),
    ]
    assert told(database) == first
    for expected, state in (("100", "warning"), ("90", "recovered"), ("101", "warning")):
        expect(database, expected)
        evaluate(database, NOW + 167 * HOUR)
        assert (told(database), standing(database).state) == (first, state)
    # It has been so for a while, and was told seven days ago.
    for _ in range(2):
        evaluate(database, NOW + 168 * HOUR)
    assert told(database)[2:] == [
        ("again:1:1", "Budget search is again expected to reach 101 % by its end")
    ]
    expect(database, "90")
    evaluate(database, NOW + 169 * HOUR)
    assert told(database)[3:] == [
        ("recovered:1:1", "Budget search is no longer expected to reach 100 %")
    ]


def test_a_forecast_that_is_no_longer_made_warns_no_longer(database: Database) -> None:
    budget(database, forecast_thresholds=[100])
    expect(database, "112")
    evaluate(database)
    assert standing(database).state == "warning"
    with database.write() as session:
        session.execute(delete(tables.forecasts))
    evaluate(database)
    assert standing(database).state == "ok"
    charge(database, "80")
    evaluate(database)
    assert standing(database).state == "warning"
    assert [key for key, _title in told(database)] == ["crossing:1", "crossing:2"]


def test_a_forecast_of_what_is_spent_already_or_of_other_terms_says_nothing(
    database: Database,
) -> None:
    first = budget(database, forecast_thresholds=[100], thresholds=[])
    charge(database, "100")
    expect(database, "112")
    evaluate(database)
    change(database, first, forecast_thresholds=[100], thresholds=[], amount="105")
    evaluate(database)
    assert told(database) == []
    expect(database, "112", made_for=2)
    evaluate(database)
    assert len(told(database)) == 1
    evaluate(database, at("2026-12-02"))
    assert len(told(database)) == 1


def test_a_pace_says_how_fast_and_when_it_is_gone(database: Database) -> None:
    budget(database, pace_thresholds=[200, 300], thresholds=[])
    charge(database, "50", slot="2026-11-02")
    charge(database, "7.6", slot="2026-11-15T03:00")
    for _ in range(2):
        evaluate(database)
    assert told(database) == [
        ("crossing:1", "Budget search is being spent 2.2 times as fast as it would last")
    ]
    # 42.40 are left, which are five days and 14 hours of 7.60 each.
    assert said_last(database) == [
        "At this rate it is gone on 2026-11-21.",
        "Measured: 7.60 USD from 2026-11-14 12:00 to 2026-11-15 12:00 (UTC).",
    ]
    assert standing(database).pace == 228
    assert standing(database).state == "warning"
    evaluate(database, NOW + 24 * HOUR)
    assert standing(database).state == "recovered"
    charge(database, "20", slot="2026-11-16T15:00")
    evaluate(database, NOW + 28 * HOUR)
    assert standing(database).state == "warning"
    # At 300 it is for the first time; that 200 is reached again is told after seven days.
    assert [key for key, _title in told(database)] == ["crossing:1", "crossing:2"]


def test_a_pace_of_little_or_before_a_day_is_over_is_not_judged(database: Database) -> None:
    budget(database, amount="1000000", period="year", pace_thresholds=[200], thresholds=[])
    charge(database, "9999", slot="2026-11-15T03:00")
    evaluate(database)
    assert told(database) == []
    charge(database, "1", slot="2026-11-15T03:00")
    evaluate(database)
    assert len(told(database)) == 1
    charge(database, "20000", slot="2027-01-01T03:00")
    evaluate(database, at("2027-01-01T20:00"))
    assert len(told(database)) == 1


def test_a_budget_of_a_day_has_the_pace_of_an_hour(database: Database) -> None:
    budget(database, period="day", amount="24", pace_thresholds=[300], thresholds=[])
    charge(database, "3", slot="2026-11-15T11:45")
    evaluate(database)
    assert said_last(database)[0] == "At this rate it is gone at 19:00."


def test_a_budget_of_nothing_has_no_forecast_and_no_pace(database: Database) -> None:
    nothing = {"amount": 0, "forecast_thresholds": [100], "pace_thresholds": [200]}
    budget(database, thresholds=[100], **nothing)
    expect(database, "10")
    evaluate(database)
    assert told(database) == []
    charge(database, "0.01", slot="2026-11-15T11:00")
    evaluate(database)
    assert [key for key, _title in told(database)] == ["crossing:1"]


def test_what_was_used_earlier_says_on_which_days(database: Database) -> None:
    budget(database, created=at("2026-11-01"))
    charge(database, "79", slot="2026-11-15T11:00")
    evaluate(database)
    later = NOW + HOUR
    charge(database, "1", slot="2026-11-03T10:00", posted="2026-11-15T12:30")
    charge(database, "1", slot="2026-11-05T10:00", posted="2026-11-15T12:30")
    charge(database, "1", slot="2026-11-15T12:00", posted="2026-11-15T12:30")
    charge(database, "9", slot="2026-11-04T10:00", posted="2026-11-15T12:30", team="ads")
    evaluate(database, later)
    assert said_last(database) == [
        "What was added last was used earlier: on 2026-11-03, 2026-11-05."
    ]


def test_numbers_that_are_old_say_as_of_when(database: Database) -> None:
    budget(database, timezone="Asia/Kathmandu")
    with database.write() as session:
        for job in ("roll", "charge"):
            put_run(session, job, "2026-11-15T11:30")
    charge(database, "85")
    evaluate(database)
    # In Kathmandu it is a quarter to six hours later.
    assert said_last(database) == ["The ledger is behind: this is as of 17:15 (Asia/Kathmandu)."]
    assert standing(database).as_of == at("2026-11-15T11:30")


def test_a_standing_is_written_only_when_it_changed(database: Database) -> None:
    budget(database)
    charge(database, "12.5")
    evaluate(database)
    first = standing(database)
    assert (first.spent, first.limit, first.state) == (Decimal("12.5"), 100, "ok")
    evaluate(database, NOW + HOUR)
    assert standing(database).changed_at == first.changed_at
    charge(database, "1")
    evaluate(database, NOW + HOUR)
    assert standing(database).changed_at == NOW + HOUR


def test_where_periods_of_two_versions_begin_alike_the_present_one_stands(
    database: Database,
) -> None:
    first = budget(database, period="day")
    evaluate(database)
    fortnight = {"starts_on": "2026-11-14", "days": 14}
    change(database, first, period="custom", own_period=fortnight)
    for _ in range(3):
        evaluate(database)
        assert standing(database).period == Period(at("2026-11-14"), at("2026-11-28"))


def test_what_cannot_be_compared_stands_nowhere_now(database: Database) -> None:
    budget(database)
    evaluate(database)
    with database.write() as session:
        session.execute(update(tables.budgets).values(filter={"mood": ["x"]}))
    assert evaluate(database).note == "0 budgets, 0 messages, 1 cannot be compared"
    with database.read() as session:
        assert all(each.period.end <= NOW for each in standings(session, TENANT))
