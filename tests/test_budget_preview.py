"""``budgets preview``: what a budget would have told is what the jobs tell of the same spend."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from budgeted import budget, charge, evaluate, said
from click.testing import CliRunner
from filled_ledger import at
from rich.console import Console
from sqlalchemy import select
from test_budget_forecasts import forecast, spent_daily

from app.commands.budgets import command
from reports.tables.budget_preview import preview_table
from spend.budgets.budget_preview import Message, Spent, walked
from spend.budgets.budgets import Terms
from spend.periods import Period
from spend.slots import SLOT
from store.budgets.budget_preview import preview
from store.postgres.sessions import Database
from store.tables.budgets import crossings, outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

BEGIN = at("2026-11-14")
END = at("2026-11-15T12:00")
SPEND = {
    "2026-11-14T09:00": "30",
    "2026-11-14T09:45": "5",
    "2026-11-14T10:30": "5",
    "2026-11-15T08:00": "2",
    "2026-11-15T08:15": "60",
    "2026-11-15T09:00": "20.5",
    "2026-11-15T10:00": "37.5",
    "2026-11-15T10:15": "1",
}
EVERYTHING = {
    "period": "custom",
    "own_period": {"starts_on": "2026-11-14", "days": 1},
    "thresholds": [30, 80, 100],
    "forecast_thresholds": [10, 50],
    "pace_thresholds": [300, 1000],
    "rollover_cap": "20",
    "remind_hours": 1,
}


def quarters() -> Iterator[datetime]:
    """Those in which something may change: the others take their time."""
    now = BEGIN
    while now <= END:
        if 8 <= now.hour <= 12 or now.minute == 15 or now.hour == 0:
            yield now
        now += SLOT


def told_by_jobs(database: Database) -> list[tuple[datetime, str, str, int]]:
    with database.read() as session:
        rows = session.execute(
            select(outbox.c.created_at, outbox.c.key, crossings.c.kind, crossings.c.threshold)
            .join(crossings, crossings.c.id == outbox.c.crossing_id)
            .order_by(outbox.c.id)
        ).all()
    told = {"crossing": "crossed"}
    return sorted(
        (at_, told.get(what := key.partition(":")[0], what), kind, threshold)
        for at_, key, kind, threshold in rows
    )


def told_by_preview(found: list[Message]) -> list[tuple[datetime, str, str, int]]:
    return sorted((e.at, e.change.what, e.change.kind, e.change.threshold) for e in found)


def previewed(database: Database, terms: Terms, now: datetime = END) -> list[Message]:
    with database.read() as session:
        return preview(session, TENANT, [terms], 1, now)[0]


def test_a_preview_tells_what_the_jobs_tell_when_they_are_fed_slot_by_slot(
    database: Database,
) -> None:
    spent_daily(database, 60, days=30, until=BEGIN)
    budget(database, **EVERYTHING)
    coming = {at(slot): amount for slot, amount in SPEND.items()}
    for now in quarters():
        for slot in [each for each in coming if each < now]:
            charge(database, coming.pop(slot), slot.isoformat())
        if now in {BEGIN, at("2026-11-15")}:
            forecast(database, now)
        evaluate(database, now)
    told = told_by_jobs(database)
    found = previewed(database, said(**EVERYTHING))
    assert told_by_preview(found) == told
    kinds = {(each.change.what, each.change.kind) for each in found}
    assert kinds >= {
        ("crossed", "actual"),
        ("crossed", "forecast"),
        ("crossed", "pace"),
        ("reminder", "actual"),
    }
    # 100 and the 20 that were left over.
    assert {each.limit for each in found if each.at > at("2026-11-15")} == {Decimal(120)}
    with database.read() as session:
        spent = session.scalars(select(crossings.c.spent).where(crossings.c.kind == "actual"))
        is_crossed = ("crossed", "actual")
        its = [e.spent for e in found if (e.change.what, e.change.kind) == is_crossed]
        assert sorted(spent) == sorted(its)


def test_spend_exactly_at_a_threshold_is_told_at_the_end_of_its_quarter_hour() -> None:
    spent = Spent({at("2026-11-10T10:00"): Decimal(80), at("2026-11-12T00:00"): Decimal("19.99")})
    span = Period(at("2026-11-01"), at("2026-12-15"))
    found = list(walked(said(), spent, span, {}))
    assert [(each.at, each.change.threshold) for each in found] == [(at("2026-11-10T10:15"), 80)]


def test_what_a_period_leaves_over_is_in_the_next_ones_limit() -> None:
    spent = Spent({at("2026-10-10"): Decimal(90), at("2026-11-10"): Decimal(85)})
    terms = said(rollover_cap="5")
    found = list(walked(terms, spent, Period(at("2026-10-01"), at("2026-12-01")), {}))
    assert [(each.change.threshold, each.limit) for each in found] == [
        (80, Decimal(100)),
        (80, Decimal(105)),
    ]


def test_it_is_shown_by_month_and_closes_with_a_line(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent_daily(database, 10, days=100, today=today, until=now)
    said = '[[budgets]]\nname = "search"\nfilter = { team = ["search"] }\namount = "150"\n'

    def run(said: str, *more: str) -> str:
        file = tmp_path / "budgets.toml"
        file.write_text(said)
        asked = ["preview", str(file), "--months", "1", *more]
        done = CliRunner().invoke(command, asked, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    elsewhere = 'channels = ["nobody-has-it"]\nparent = "all"\n'
    shown = run(said + "forecast_thresholds = [100]\n" + elsewhere)
    assert f"{today:%Y-%m}" in shown
    assert " thresholds, " in shown
    assert " forecast" in shown.splitlines()[-1]
    assert "noisiest: search with" in shown
    assert "By the time of use" in shown
    found = json.loads(run(said, "--format", "json"))
    assert found["budgets"][0]["messages"] == len(found["messages"]) > 0
    first = found["messages"][0]
    assert (first["kind"], first["threshold"], first["limit"]) == ("actual", 80, "150.00")


def test_a_year_that_began_long_ago_makes_no_columns_for_months_nobody_asked_for() -> None:
    year, month = said(name="year", period="year"), said(name="month")
    spans = [Period(at(start), at("2026-11-22")) for start in ("2026-01-01", "2026-09-01")]
    messages = list(walked(year, Spent({at("2026-08-10"): Decimal(85)}), spans[0], {}))

    def header(told: list[Message]) -> list[str]:
        console = Console(width=200)
        with console.capture() as shown:
            console.print(preview_table([year, month], told, spans, 2))
        return shown.get().splitlines()[0].split()

    assert header([]) == ["budget", "2026-09", "2026-10", "2026-11", "all"]
    assert header(messages)[1] == "2026-08"


def test_a_file_that_makes_no_sense_is_refused_with_the_field(tmp_path: Path) -> None:
    file = tmp_path / "budgets.json"
    file.write_text('{"budgets": [{"name": "a", "filter": {"mood": ["good"]}, "amount": "1"}]}')
    done = CliRunner().invoke(command, ["preview", str(file)])
    assert done.exit_code == 1
    assert "budgets.json: budgets 1, filter.mood: 'mood' is not one of" in done.output
