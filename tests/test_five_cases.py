"""What the best-known peer gets wrong, five cases tried on it, and what else is easily wrong.

Its 95 % warning never fires; a raised budget that is overrun again is silent; one answer of 500
loses a message; two processes send two; twenty overruns at once send twenty.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from budgeted import NOW, budget, change, charge, evaluate, send
from filled_ledger import at
from slack_stand_in import StandIn, answer, slack_stand_in
from sqlalchemy import select

from jobs.charging.sum_days import sum_days
from jobs.context import JobContext
from spend.budgets.budget_periods import period_of
from spend.fiscal import FiscalYear
from store.postgres.sessions import Database
from store.tables import budgets as tables

pytestmark = pytest.mark.one_server


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


def a_round(database: Database, slack: StandIn) -> None:
    """What the clock does: compare, then send."""
    evaluate(database)
    send(database, slack.url)


def shares(slack: StandIn) -> list[str]:
    """What each message begins with."""
    return [text.partition(" of budget")[0].split(": ")[-1] for text in slack.texts]


def test_one_every_threshold_fires_in_turn(database: Database, slack: StandIn) -> None:
    budget(database, thresholds=[85, 95, 100])
    for amount in ("80", "6", "10", "5"):
        charge(database, amount)
        a_round(database, slack)
    assert shares(slack) == ["86 %", "96 %", "101 %"]


def test_two_a_raised_budget_that_is_overrun_again_tells_again(
    database: Database, slack: StandIn
) -> None:
    first = budget(database, thresholds=[100])
    charge(database, "101")
    a_round(database, slack)
    change(database, first, thresholds=[100], amount="200")
    a_round(database, slack)
    assert shares(slack) == ["101 %"]
    charge(database, "100")
    a_round(database, slack)
    assert shares(slack) == ["101 %", "100.5 %"]


def test_three_an_answer_of_500_loses_nothing(database: Database, slack: StandIn) -> None:
    budget(database, thresholds=[100])
    charge(database, "101")
    slack.script.append(answer(500))
    a_round(database, slack)
    send(database, slack.url, NOW + timedelta(minutes=5))
    send(database, slack.url, NOW + timedelta(minutes=10))
    assert shares(slack) == ["101 %", "101 %"]
    [status] = [each.status for each in outbox(database)]
    assert status == "sent"


def outbox(database: Database) -> list[object]:
    with database.read() as session:
        return list(session.execute(select(tables.outbox)))


def test_four_and_five_however_many_find_it_at_once_one_is_sent(
    database: Database, slack: StandIn
) -> None:
    for number, replicas in enumerate((2, 20), 1):
        budget(database, name=f"of {replicas}", filter={"team": [f"of {replicas}"]})
        charge(database, "101", team=f"of {replicas}")
        with ThreadPoolExecutor(replicas) as pool:
            list(pool.map(lambda _: a_round(database, slack), range(replicas)))
        send(database, slack.url)
        assert shares(slack) == ["101 %"] * 2 * number


def crossed(database: Database, budget_id: int = 1) -> list[tuple[str, int]]:
    """Start of the period (UTC) and threshold of each crossing of a budget."""
    its = tables.crossings.c.budget_id == budget_id
    with database.read() as session:
        rows = session.execute(select(tables.crossings).where(its).order_by(tables.crossings.c.id))
        return [(f"{row.period_start:%Y-%m-%dT%H:%M}", row.threshold) for row in rows]


def test_spans_that_come_late_or_are_filled_in_later_can_cross(database: Database) -> None:
    budget(database, created=at("2026-09-01"), thresholds=[100])
    charge(database, "99", slot="2026-10-20")
    charge(database, "99", slot="2026-11-10")
    sum_days(JobContext(database, NOW))
    evaluate(database)
    assert crossed(database) == []
    charge(database, "1", slot="2026-10-02", posted="2026-11-15T12:10")
    charge(database, "1", slot="2026-11-03", posted="2026-11-15T12:10")
    evaluate(database, NOW + timedelta(minutes=15))
    assert crossed(database) == [("2026-10-01T00:00", 100), ("2026-11-01T00:00", 100)]
    with database.read() as session:
        bodies = list(session.scalars(select(tables.outbox.c.body).order_by(tables.outbox.c.id)))
    assert [body["data"]["used_on"] for body in bodies] == [["2026-10-02"], ["2026-11-03"]]


BEGINNINGS = [
    # Midnight does not exist there on that day: the clock goes from 24:00 to 01:00.
    ("America/Santiago", "day", "2026-09-06T04:00", "2026-09-06T12:00"),
    ("Africa/Cairo", "day", "2026-04-23T22:00", "2026-04-24T12:00"),
    ("Asia/Beirut", "day", "2026-03-28T22:00", "2026-03-29T12:00"),
    ("Asia/Kathmandu", "month", "2026-10-31T18:15", "2026-11-15T12:00"),
    # Half an hour is put on the clock there, on the first Sunday of October.
    ("Australia/Lord_Howe", "day", "2026-10-03T13:30", "2026-10-04T10:00"),
]


def test_a_period_begins_where_its_day_does(database: Database) -> None:
    for zone, period, start, now in BEGINNINGS:
        its = {"timezone": zone, "period": period, "thresholds": [100], "name": zone}
        made = budget(database, at(start), filter={"team": [zone]}, **its)
        began = period_of(made.terms, at(now))
        assert began is not None
        assert began.start == at(start)
        before, last = at(start) - timedelta(minutes=15), began.end - timedelta(minutes=15)
        charge(database, "1000", slot=before.isoformat(), team=zone)
        charge(database, "60", slot=start, team=zone)
        evaluate(database, at(now))
        assert crossed(database, made.id) == []
        charge(database, "40", slot=last.isoformat(), team=zone)
        charge(database, "1000", slot=began.end.isoformat(), team=zone)
        sum_days(JobContext(database, at(now)))
        evaluate(database, at(now))
        assert crossed(database, made.id) == [(start, 100)]
        assert last.astimezone(ZoneInfo(zone)).strftime("%H:%M") == "23:45"


def test_a_fiscal_year_from_february_is_one_period(database: Database) -> None:
    february = FiscalYear("month", 2)
    budget(database, at("2026-01-05"), period="fiscal-year", fiscal=february, thresholds=[100])
    charge(database, "100", slot="2026-01-31T23:45")
    charge(database, "99", slot="2026-02-01")
    evaluate(database)
    # January was the end of the last one, and is compared with it.
    assert crossed(database) == [("2025-02-01T00:00", 100)]
    charge(database, "1", slot="2027-01-31T23:45")
    evaluate(database)
    assert crossed(database)[1:] == [("2026-02-01T00:00", 100)]


def test_without_a_budget_nothing_is_told_and_one_of_nothing_tells_of_anything(
    database: Database,
) -> None:
    charge(database, "0.000000000001")
    assert evaluate(database).note == "0 budgets, 0 messages"
    budget(database, amount=0, thresholds=[100])
    assert evaluate(database).note == "1 budgets, 1 messages"


def test_the_only_period_of_a_budget_is_compared_after_its_end_and_then_rests(
    database: Database,
) -> None:
    only = {"starts_on": "2026-11-02", "ends_on": "2026-11-13"}
    budget(database, period="custom", own_period=only, thresholds=[100])
    charge(database, "99", slot="2026-11-13T23:45")
    charge(database, "500", slot="2026-11-14")
    assert evaluate(database).note == "1 budgets, 0 messages"
    charge(database, "1", slot="2026-11-02")
    assert evaluate(database).note == "1 budgets, 1 messages"
    assert crossed(database) == [("2026-11-02T00:00", 100)]
