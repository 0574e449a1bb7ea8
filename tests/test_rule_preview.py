"""``budgets preview`` of alert rules: what they would have told is what the job tells."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from filled_ledger import GPT, SEARCH, SUPPORT, at, put_cell, put_charge
from sqlalchemy import select
from watching import complete, go_round, rule

from app.commands import rule_preview
from app.commands.budgets import command
from spend.alerts.alert_rules import RuleTerms
from spend.alerts.rule_preview import apart, moments
from spend.alerts.rule_terms import rule_of_fields
from spend.calls import Outcome
from spend.channels.notices import notice_of
from spend.periods import Period
from store.postgres.sessions import Database
from store.tables.alerting import rule_states
from store.tables.budgets import crossings, outbox
from store.tenants import TENANT
from store.watched.rule_preview import replayed

pytestmark = pytest.mark.one_server

SPAN = Period(at("2026-10-20T01:00"), at("2026-10-20T16:00"))
FAILED = {
    "2026-10-20T01:15": 10,
    "2026-10-20T02:30": 50,
    "2026-10-20T03:45": 6,
    "2026-10-20T07:30": 1,
    "2026-10-20T13:00": 30,
}
"""Of 100 calls."""
RULES = (
    ("error-rate", {"by": ["team"], "warning": 5, "over": 20, "remind_hours": 2}),
    ("anomaly", {"over": 100}),
)
Told = list[tuple[datetime, str, str, str, str | None]]


def terms(kind: str, **said: object) -> RuleTerms:
    return rule_of_fields({"name": f"my {kind}", "kind": kind, "window_minutes": 240} | said)


def fill(database: Database, start: datetime, end: datetime) -> None:
    """What was called and spent in a time."""
    with database.write() as session:
        for slot, failed in FAILED.items():
            if start <= at(slot) < end:
                put_cell(session, slot, SEARCH, GPT, calls=100 - failed)
                put_cell(session, slot, SEARCH, GPT, calls=failed, outcome=Outcome.TIMEOUT)
                put_cell(session, slot, SUPPORT, GPT, calls=failed)
        for week in range(7):
            slot = at("2026-10-20T10:15") - timedelta(weeks=week)
            if start <= slot < end:
                put_charge(session, slot.isoformat(), "20" if week else "400", SEARCH)


def told_by_the_job(database: Database) -> Told:
    with database.read() as session:
        rows = session.execute(select(outbox.c.created_at, outbox.c.body)).all()
    said = [(row.created_at, notice_of(row.body)) for row in rows]
    return sorted(
        (
            when,
            each.data["rule"],
            each.data["subject"],
            each.kind if each.kind in {"recovered", "reminder"} else "crossed",
            each.data["value"],
        )
        for when, each in said
    )


def test_a_preview_of_rules_tells_what_the_job_tells_at_the_same_moments(
    database: Database,
) -> None:
    fill(database, at("2026-01-01"), SPAN.start)
    for kind, said in RULES:
        rule(database, kind, window_minutes=240, recover_minutes=0, **said)
    before = SPAN.start
    for now in moments(terms("anomaly", over=1), SPAN):
        fill(database, before, now)
        go_round(database, now)
        before = now
    complete(database, SPAN.end + timedelta(days=1))
    found: Told = []
    with database.read() as session:
        kept = session.execute(select(rule_states)).all(), session.execute(select(crossings)).all()
        for kind, said in RULES:
            assert apart(terms(kind, **said)) == timedelta(hours=1)
            for _, messages in replayed(session, TENANT, terms(kind, **said), SPAN):
                found += [
                    (e.at, e.rule, e.measured.subject, e.what, f"{e.measured.value:f}")
                    for e in messages
                ]
    assert sorted(found) == told_by_the_job(database)
    whats = {(name, what) for _, name, _, what, _ in found}
    assert whats == {
        *(("my error-rate", what) for what in ("crossed", "recovered", "reminder")),
        *(("my anomaly", what) for what in ("crossed", "recovered")),
    }
    with database.read() as session:
        after = session.execute(select(rule_states)).all(), session.execute(select(crossings)).all()
    assert after == kept


@pytest.mark.parametrize(
    ("kind", "window", "minutes"),
    [
        ("error-rate", 15, 15),
        ("error-rate", 60, 30),
        ("latency", 200, 45),
        ("error-rate", 44640, 360),
        ("no-data", 1440, 30),
        ("anomaly", 60, 60),
        ("idle-capacity", 1440, 360),
    ],
)
def test_it_is_measured_each_quarter_of_a_window(kind: str, window: int, minutes: int) -> None:
    its = terms(kind, window_minutes=window, over=60)
    assert apart(its) == timedelta(minutes=minutes)


def test_who_interrupts_it_sees_what_was_found_and_what_was_not_looked_at(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with database.write() as session:
        slot = (today - timedelta(days=20)).isoformat()
        put_cell(session, slot, SEARCH, GPT, calls=30, outcome=Outcome.TIMEOUT)
    complete(database, now)
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    replay = rule_preview.replayed

    def interrupted(*asked: object) -> object:
        for at_, messages in replay(*asked):  # type: ignore[arg-type]
            yield at_, messages
            if at_ > today - timedelta(days=10):
                raise KeyboardInterrupt

    monkeypatch.setattr(rule_preview, "replayed", interrupted)
    file = tmp_path / "rules.toml"
    file.write_text(
        "".join(
            f'[[alert_rules]]\nname = "{name}"\nkind = "{kind}"\nwindow_minutes = 1440\n'
            for name, kind in (
                *(("prices", "price-drift"), ("errors", "error-rate"), ("silence", "no-data")),
            )
        )
    )

    def run(*more: str) -> str:
        asked = ["preview", str(file), "--months", "1", *more]
        done = CliRunner().invoke(command, asked, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "errors: " in done.stderr
        return done.stdout

    shown = run()
    assert "  errors               over  100 %    5 %" in shown
    assert "Not previewed: prices: prices are compared as they are known now" in shown
    assert f"Not previewed: errors, looked at until {today - timedelta(days=10):%Y-%m-%d}" in shown
    assert "Not previewed: silence: stopped" in shown
    assert shown.splitlines()[-1] == (
        "Alert rules: 1 message in 1 month: 1 over; noisiest: errors with 1"
    )
    said = json.loads(run("--format", "json"))
    assert [each["left_out"] is None for each in said["alert_rules"]] == [False, False, False]
    (first,) = said["rule_messages"]
    assert (first["rule"], first["what"], first["level"]) == ("errors", "crossed", "over")
    assert (first["value"], first["bound"], first["unit"]) == ("100.000000", "5", "percent")


def test_a_rule_that_makes_no_sense_is_refused_with_its_field(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text('{"alert_rules": [{"name": "a", "kind": "mood"}]}')
    done = CliRunner().invoke(command, ["preview", str(file)])
    assert done.exit_code == 1
    assert "rules.json: alert_rules 1, kind: 'mood' is not one of" in done.output
