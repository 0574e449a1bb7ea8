"""What alert rules watch is told once, by however many; a rule's trouble is its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from filled_ledger import GPT, SEARCH, SUPPORT, put_cell
from sqlalchemy import select, text, update
from structlog.testing import capture_logs
from watching import NOW, complete, go_round, rule, told

from jobs.alerts import watch
from jobs.context import JobContext
from spend.alerts.rule_terms import rule_of_fields
from spend.calls import Outcome
from store.alerts import alert_rules, rule_states
from store.postgres.sessions import Database
from store.tables import alerting as tables
from store.tables.budgets import crossings, outbox
from store.tenants import TENANT
from store.watched import attempts, kinds

pytestmark = pytest.mark.one_server


def calls(database: Database, slot: str, ok: int, failed: int, team: Any = SEARCH) -> None:
    with database.write() as session:
        put_cell(session, slot, team, GPT, calls=ok)
        put_cell(session, slot, team, GPT, calls=failed, outcome=Outcome.TIMEOUT)


def states(database: Database, rule_id: int) -> dict[str, str]:
    with database.read() as session:
        found = rule_states.states(session, TENANT, rule_id)
    return {each.subject: each.state.state for each in found.get(rule_id, ())}


def test_what_passes_a_bound_is_told_once_and_its_recovery_too(database: Database) -> None:
    calls(database, "2026-10-20T11:45", 80, 20)
    calls(database, "2026-10-20T11:45", 100, 0, SUPPORT)
    one = rule(database, "error-rate", by=["team"], window_minutes=15, owner="Ops")
    for minute in range(3):
        go_round(database, later=minute)
    (notice,) = told(database)
    assert notice.title == "my error-rate: 20 % of calls of team search fail"
    assert notice.summary == (
        "my error-rate: 20 % of calls of team search fail, from 2026-10-20 11:45 to 12:00 UTC."
        " Over from 5 % on. Alert 1."
    )
    assert (notice.kind, notice.level, notice.team) == ("error-rate", "over", "search")
    assert (notice.alert_id, notice.rule_id) == (1, one.id)
    assert notice.link == "http://spend.example/alerts/1"
    assert ("Owner", "Ops") in notice.facts
    assert states(database, one.id) == {"team=search": "over", "team=support": "ok"}
    calls(database, "2026-10-20T12:15", 100, 0)
    for minute in range(30, 36):
        go_round(database, later=minute)
    assert [each.kind for each in told(database)] == ["error-rate", "recovered"]
    assert told(database)[1].title == (
        "my error-rate has recovered: 0 % of calls of team search fail"
    )
    assert states(database, one.id) == {"team=search": "recovered", "team=support": "no data"}
    assert "0 messages" in go_round(database, later=36).note


def test_several_replicas_tell_one_message(database: Database) -> None:
    calls(database, "2026-10-20T11:45", 0, 50)
    rule(database, "error-rate")
    complete(database)
    with ThreadPoolExecutor(4) as pool:
        context = JobContext(database, NOW)
        rounds = [pool.submit(watch.run, context) for _ in range(4)]
        assert sorted(each.result().note for each in rounds) == [
            *["1 rules, 0 messages"] * 3,
            "1 rules, 1 messages",
        ]
    assert len(told(database)) == 1


def test_a_rule_that_raises_harms_no_other_and_is_told_of_after_an_hour(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(database, "2026-10-20T11:45", 0, 50)
    broken = rule(database, "latency", over=1)
    rule(database, "error-rate")

    def broken_query(session: Any, *_: object) -> list[Any]:
        session.execute(text("SELECT 1 / 0"))
        return []

    monkeypatch.setattr(attempts, "MEASURES", {**kinds.MEASURES, "latency": broken_query})
    with capture_logs() as logged:
        assert go_round(database).note == "2 rules, 1 messages, 1 failing"
        for minute in (59, 60, 90):
            go_round(database, later=minute)
    # Once, not each minute.
    assert [each["event"] for each in logged] == ["an alert rule fails"]
    with database.read() as session:
        (kept,) = rule_states.states(session, TENANT, broken.id)[broken.id]
    assert kept.state.state == "failing"
    assert kept.last_error == "DivisionByZero: division by zero"
    assert [each.kind for each in told(database)] == ["error-rate", "failing"]
    monkeypatch.undo()
    go_round(database, later=91)
    assert states(database, broken.id) == {"": "no data"}


def test_a_rule_of_another_version_of_the_program_is_shown_as_failing(database: Database) -> None:
    one = rule(database, "error-rate")
    with database.write() as session:
        session.execute(update(tables.alert_rules).values(kind="to-come"))
    with capture_logs():
        go_round(database)
    assert states(database, one.id) == {"": "failing"}


def test_a_rule_that_measures_something_else_forgets_what_is_open(database: Database) -> None:
    calls(database, "2026-10-20T11:45", 0, 50)
    one = rule(database, "error-rate")
    go_round(database)
    with database.write() as session:
        # Another bound is no other measure.
        fields = {"name": "my error-rate", "kind": "error-rate", "over": "50"}
        alert_rules.change(session, TENANT, one.id, rule_of_fields(fields), NOW)
    go_round(database, later=1)
    with database.write() as session:
        other = rule_of_fields(fields | {"filter": {"team": ["support"]}})
        alert_rules.change(session, TENANT, one.id, other, NOW)
    go_round(database, later=2)
    assert len(told(database)) == 1
    assert states(database, one.id) == {"": "no data"}
    with database.write() as session:
        assert session.scalar(select(crossings.c.recovered_at)) == NOW
        alert_rules.close(session, TENANT, one.id, NOW)
    assert go_round(database, later=3).note == "no rules"
    assert states(database, one.id) == {}


def test_reminders_are_of_another_kind_each_with_its_key(database: Database) -> None:
    calls(database, "2026-10-20T11:45", 0, 50)
    rule(database, "error-rate", window_minutes=1440, remind_hours=4)
    for hours in range(10):
        go_round(database, NOW + timedelta(hours=hours))
    assert [each.kind for each in told(database)] == ["error-rate", "reminder", "reminder"]
    assert told(database)[1].title.startswith("Still, for 4 h: my error-rate: 100 % of calls fail")
    with database.read() as session:
        assert len(set(session.scalars(select(outbox.c.key)))) == 3
