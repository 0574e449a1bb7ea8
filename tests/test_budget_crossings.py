"""Each threshold of a budget is found once for each period, whatever comes late or at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from budgeted import NOW, budget, change, charge, evaluate
from filled_ledger import IDLE, at, put_charge
from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session

from jobs.budgets import evaluate_budgets
from spend.calls import Route
from spend.channels.notices import Notice
from store.budgets import budgets
from store.budgets.budget_status import statuses
from store.postgres.sessions import Database
from store.tables import budgets as tables
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

Found = list[tuple[int, int]]


def crossed(database: Database) -> Found:
    """(version, threshold) of what is recorded, in order."""
    with database.read() as session:
        rows = session.execute(
            select(tables.crossings.c.version, tables.crossings.c.threshold).order_by(
                tables.crossings.c.id
            )
        )
        return [(row.version, row.threshold) for row in rows]


def waiting(database: Database) -> list[str]:
    """The texts of the messages in the outbox, in order."""
    with database.read() as session:
        rows = session.scalars(select(tables.outbox.c.body).order_by(tables.outbox.c.id))
        return [body["text"] for body in rows]


def test_every_threshold_fires_in_turn_and_once(database: Database) -> None:
    budget(database, thresholds=[85, 95, 100])
    steps = [("80", []), ("6", [85]), ("10", [85, 95]), ("5", [85, 95, 100])]
    for amount, expected in steps:
        charge(database, amount)
        for _ in range(2):
            evaluate(database)
        assert [threshold for _, threshold in crossed(database)] == expected
        assert len(waiting(database)) == len(expected)


def test_exactly_at_the_threshold_is_reached_and_an_atom_below_is_not(database: Database) -> None:
    budget(database)
    charge(database, "79.999999999999")
    evaluate(database)
    assert crossed(database) == []
    charge(database, "0.000000000001")
    evaluate(database)
    assert crossed(database) == [(1, 80)]
    charge(database, "20")
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 100)]


def test_a_budget_of_nothing_is_reached_by_any_spend(database: Database) -> None:
    budget(database, amount=0)
    evaluate(database)
    assert crossed(database) == []
    charge(database, "0.000000000001")
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 100)]


def test_a_raised_budget_warns_again_and_keeps_what_was_spent(database: Database) -> None:
    first = budget(database)
    charge(database, "101")
    evaluate(database)
    change(database, first, amount="200")
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 100)]
    charge(database, "100")
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 100), (2, 80), (2, 100)]


def test_a_new_name_or_webhook_does_not_warn_again(database: Database) -> None:
    first = budget(database)
    charge(database, "85")
    evaluate(database)
    change(database, first, name="Search & Rerank", webhook_url="https://example.com/hook")
    evaluate(database)
    assert crossed(database) == [(1, 80)]
    change(database, first, name="Search & Rerank", thresholds=[50, 80, 100])
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 50)]
    charge(database, "20")
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 50), (1, 100)]


def test_late_spend_reaches_a_threshold_of_the_last_period_and_says_so(database: Database) -> None:
    budget(database, created=at("2026-09-01"))
    charge(database, "99", slot="2026-10-31T23:45")
    evaluate(database, at("2026-11-01T00:10"))
    assert crossed(database) == [(1, 80)]
    charge(database, "1", slot="2026-10-02")
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 100)]
    text = waiting(database)[-1]
    assert "month 2026-10, 2026-10-01 to 2026-10-31" in text
    assert "This period has ended" in text


def test_a_period_that_ended_before_the_budget_was_set_is_not_judged(database: Database) -> None:
    budget(database, created=at("2026-11-02"))
    charge(database, "500", slot="2026-10-10")
    evaluate(database)
    assert crossed(database) == []


def test_the_last_period_is_judged_by_the_version_that_held_when_it_ended(
    database: Database,
) -> None:
    first = budget(database, created=at("2026-09-01"))
    change(database, first, at("2026-11-03"), amount="1000")
    charge(database, "90", slot="2026-10-10")
    evaluate(database)
    assert crossed(database) == [(1, 80)]


def test_a_new_period_starts_from_nothing(database: Database) -> None:
    budget(database)
    charge(database, "100")
    evaluate(database)
    charge(database, "80", slot="2026-12-01")
    evaluate(database, at("2026-12-01T01:00"))
    assert crossed(database) == [(1, 80), (1, 100), (1, 80)]


def test_a_closed_budget_is_silent(database: Database) -> None:
    closed = budget(database)
    with database.write() as session:
        budgets.close(session, TENANT, closed.id, at("2026-11-14"))
    charge(database, "100")
    evaluate(database)
    assert crossed(database) == []


def test_the_zone_cuts_the_period(database: Database) -> None:
    # Midnight of 1 November in Kathmandu is 18:15 UTC of the day before.
    budget(database, timezone="Asia/Kathmandu", created=at("2026-11-02"))
    charge(database, "50", slot="2026-10-31T18:00")
    charge(database, "80", slot="2026-10-31T18:15")
    evaluate(database)
    assert crossed(database) == [(1, 80)]


def test_only_spend_that_fits_the_filter_in_the_currency_counts(database: Database) -> None:
    budget(database, filter={"team": ["search", "ads"], "provider": ["openai"]})
    budget(database, name="idle", filter={"team": ["idle"]}, amount="5")
    budget(database, name="all", filter={}, amount="1000000")
    charge(database, "30")
    charge(database, "30", team="ads")
    charge(database, "100", team="support")
    with database.write() as session:
        mistral = Route(provider="mistral", model="mistral-large")
        put_charge(session, "2026-11-10", "500", route=mistral)
        put_charge(session, "2026-11-10", "4", IDLE, Route(provider="vllm"), pool_id=1)
        put_charge(session, "2026-11-10", "500", currency="EUR")
    evaluate(database)
    assert crossed(database) == [(1, 80)]
    assert "idle" in waiting(database)[0]


def test_eight_replicas_at_a_time_find_one_crossing(database: Database) -> None:
    budget(database)
    charge(database, "100")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: evaluate(database), range(8)))
    assert sorted(crossed(database)) == [(1, 80), (1, 100)]
    assert len(waiting(database)) == 2


UNREADABLE: dict[str, dict[str, object]] = {
    "zone": {"timezone": "Not/Here"},
    "dimension": {"filter": {"mood": []}},
    "period": {"period": "fortnight"},
    "fiscal year": {"period": "fiscal-year", "fiscal": {"kind": "4-4-4"}},
    "own period": {"period": "custom", "own_period": {"every": "full moon"}},
}


def test_a_budget_that_cannot_be_compared_harms_no_other_and_says_why(database: Database) -> None:
    table = tables.budgets
    for name in (*UNREADABLE, "ours"):
        budget(database, name=name)
    with database.write() as session:
        for name, values in UNREADABLE.items():
            session.execute(update(table).where(table.c.name == name).values(**values))
    charge(database, "80")
    assert evaluate(database).note == "1 budgets, 1 messages, 5 cannot be compared"
    assert len(crossed(database)) == 1
    assert "ours" in waiting(database)[0]
    with database.read() as session:
        found = statuses(session, TENANT, budgets.all_in_force(session, TENANT, NOW), NOW)
    troubles = {each.budget.terms.name: each.trouble for each in found}
    assert troubles.pop("ours") is None
    assert all(troubles.values())
    assert troubles["dimension"] == "'mood' is not known to this version of spanledger"


def test_a_budget_that_cannot_be_judged_silences_no_other(database: Database) -> None:
    for name in ("hers", "ours"):
        budget(database, name=name, filter={"team": [name]})
        charge(database, "80", team=name)
    evaluate(database)
    with database.write() as session:
        hers = tables.budgets.c.name == "hers"
        # Later than there are years.
        session.execute(update(tables.budgets).where(hers).values(remind_hours=2**31 - 1))
    charge(database, "20", team="ours")
    evaluate(database)
    assert crossed(database) == [(1, 80), (1, 80), (1, 100)]


def test_an_earlier_version_that_cannot_be_read_leaves_the_present_one(database: Database) -> None:
    first = budget(database, created=at("2026-10-01"))
    change(database, first, at("2026-11-02"), amount="90")
    with database.write() as session:
        version = tables.budgets.c.version == 1
        session.execute(update(tables.budgets).where(version).values(filter={"mood": []}))
    charge(database, "80")
    evaluate(database)
    assert crossed(database) == [(2, 80)]


def test_a_crossing_that_cannot_be_written_loses_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third"):
        budget(database, name=name, thresholds=[80])
    charge(database, "80")
    told = evaluate_budgets.tell

    def tell(session: Session, tenant: int, notice: Notice, **its: Any) -> int:
        if "second" in notice.title:
            session.execute(text("SELECT 1 / 0"))
        return told(session, tenant, notice, **its)

    monkeypatch.setattr(evaluate_budgets, "tell", tell)
    evaluate(database)
    assert [title.split()[4] for title in waiting(database)] == ["first", "third"]
    monkeypatch.undo()
    evaluate(database)
    assert [title.split()[4] for title in waiting(database)] == ["first", "third", "second"]


def test_as_many_statements_are_made_for_fifty_budgets_as_for_five(database: Database) -> None:
    statements: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_: statements.append(statement),
    )
    charge(database, "5", team="t3")
    made = []
    for numbers in (range(5), range(5, 50)):
        for number in numbers:
            its = {"name": f"team {number}", "filter": {"team": [f"t{number}"]}}
            zone = ("UTC", "Europe/Berlin", "Asia/Kathmandu")[number % 3]
            period = ("month", "week", "quarter", "day")[number % 4]
            budget(database, timezone=zone, period=period, pace_thresholds=[200], **its)
        statements.clear()
        evaluate(database)
        made.append(len(statements))
    assert made[0] == made[1] < 15


def test_two_weeks_at_the_end_of_a_year_tile_it(database: Database) -> None:
    budget(database, period="week", created=at("2026-12-01"))
    charge(database, "80", slot="2026-12-31")
    evaluate(database, at("2027-01-03T23:59"))
    evaluate(database, at("2027-01-03T23:59") + timedelta(minutes=1))
    assert crossed(database) == [(1, 80)]
    assert "week 2026-W53, 2026-12-28 to 2027-01-03" in waiting(database)[0]
