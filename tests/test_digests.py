"""A week in short, told once to each channel that wants it; and what was done with a month."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from budgeted import budget, evaluate, send
from filled_ledger import (
    CLAUDE,
    GPT,
    IDLE,
    LLAMA,
    SEARCH,
    SUPPORT,
    asking,
    at,
    put_cell,
    put_charge,
    put_run,
)
from slack_stand_in import slack_stand_in
from sqlalchemy import insert, select

from jobs.context import JobContext, JobSettings
from jobs.digests import digest
from spend.alerts.digests import last_week
from spend.channels.notices import Notice, notice_of
from spend.months.months import CLOSED, REOPEN, LedgerMonth, MonthAct, Warned
from store.channels import notify
from store.months import months
from store.postgres.sessions import Database, open_database
from store.tables.alerting import channels
from store.tables.budgets import outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

SETTINGS = JobSettings(timezone="Europe/Berlin")
DUE = at("2026-11-16T07:00")
"""Monday, 8 o'clock in Berlin."""
HASH = "d0b2a1ee" * 8


def channel(database: Database, name: str, created: str = "2026-10-01", **said: Any) -> None:
    usual = {"to": [], "teams": [], "default": False, "levels": "all", "digest": True}
    with database.write() as session:
        session.execute(
            insert(channels).values(
                tenant_id=TENANT,
                name=name,
                kind="webhook",
                settings=usual | {"quiet": None} | said,
                created_at=at(created),
            )
        )


def two_weeks(database: Database) -> None:
    with database.write() as session:
        for day, times in (("2026-11-03", 1), ("2026-11-11", 2)):
            put_charge(session, day, f"{612.123456 * times:.6f}", SEARCH, GPT)
            put_charge(session, day, "120.5", SEARCH, CLAUDE)
            put_charge(session, day, "250.25", SUPPORT, GPT)
            put_charge(session, day, "44.4", IDLE, LLAMA, pool_id=1, meter="idle")
            put_charge(session, day, "10", SUPPORT, GPT, currency="EUR")
            put_cell(session, day, SUPPORT, CLAUDE, calls=120, input=10**6, unpriced=120)
        # Its last quarter hour, and the first one after it.
        put_charge(session, "2026-11-15T22:45", "1", SEARCH, GPT)
        put_charge(session, "2026-11-15T23:00", "1000", SEARCH, GPT)
        for job in ("roll", "charge"):
            put_run(session, job, "2026-11-16T06:58")


def run(database: Database, now: datetime = DUE) -> str:
    return digest.run(JobContext(database, now, SETTINGS)).note


def told(database: Database) -> dict[str, Any]:
    """Key -> notice, as it waits to be sent."""
    with database.read() as session:
        rows = session.execute(
            select(outbox.c.key, outbox.c.body)
            .where(outbox.c.crossing_id.is_(None))
            .order_by(outbox.c.id)
        )
        return {row.key: notice_of(row.body) for row in rows}


def test_the_numbers_of_a_digest_are_those_of_v1_spend(database: Database) -> None:
    two_weeks(database)
    channel(database, "finance", default=True)
    channel(database, "of search", teams=["search"])
    channel(database, "wants none", digest=False)
    budget(database, amount="1490")
    budget(database, name="support", filter={"team": ["support"]})
    evaluate(database, at("2026-11-15T12:00"))
    assert run(database) == "2 digests, 0 messages of months"
    notices = told(database)
    assert list(notices) == ["digest:2026-W46:1:1", "digest:2026-W46:2:1"]
    whole, own = notices.values()
    client = asking(database, now="2026-11-16T07:00")
    asked = {"from": "2026-11-09", "to": "2026-11-16", "timezone": "Europe/Berlin"}
    by_team = client.get("/v1/spend", params=asked | {"group_by": "team"}).json()
    assert whole.data["total"]["cost"] == by_team["total"]["cost"]
    assert {each["name"]: each["cost"] for each in whole.data["teams"]} == {
        row["team"]: row["cost"] for row in by_team["rows"]
    }
    before = asked | {"from": "2026-11-02", "to": "2026-11-09", "team": "search"}
    assert own.data["total"] == {
        "name": "",
        "cost": next(row["cost"] for row in by_team["rows"] if row["team"] == "search"),
        "before": client.get("/v1/spend", params=before).json()["total"]["cost"],
    }
    assert whole.data["nobody_used"] == "44.40"
    assert whole.data["elsewhere"] == {"EUR": "10.00"}
    assert own.data["elsewhere"] == {}
    assert [each["name"] for each in own.data["budgets"]] == ["search"]
    assert whole.title == "Week 2026-W46: 1,640.40 USD, 60 % more"
    assert own.team == "search"
    tables = {table.title: table.lines() for table in whole.tables}
    assert tables["Teams, USD"] == (
        "search   1,345.75  +84 %",
        "support    250.25    0 %",
        "idle        44.40    0 %",
    )
    assert tables["What grew most, USD"] == ("search gpt-4o  +613.12  +100 %",)
    # Cut, as elsewhere: 500.5 and 206.6 per cent.
    assert [line.split()[:2] for line in tables["Budgets"]] == [
        ["support", "500"],
        ["search", "206"],
    ]
    unpriced = "120 calls with 1,000,000 tokens, of anthropic claude-sonnet-4-5."
    assert whole.paragraphs == (
        f"Not in it, as no price is known: {unpriced}",
        "Not in it, as no exchange rate is known: 10.00 EUR.",
    )
    assert whole.small == "9 to 15 Nov 2026, Europe/Berlin · complete until 2026-11-16 06:58 UTC"


def test_two_replicas_and_a_restart_tell_each_channel_once(
    database: Database, database_url: str
) -> None:
    two_weeks(database)
    channel(database, "finance", default=True)
    another = open_database(database_url, application="another")
    try:
        with ThreadPoolExecutor(4) as replicas:
            list(replicas.map(run, [database, another] * 2))
    finally:
        another.engine.dispose()
    run(database, at("2026-11-16T07:01"))
    assert list(told(database)) == ["digest:2026-W46:1:1"]


def test_a_digest_is_told_when_it_is_due_or_up_to_three_days_late(database: Database) -> None:
    channel(database, "finance")
    channel(database, "made since", created="2026-11-16T07:01")
    # Too early; and so late that nobody wants it any more.
    for now in ("2026-11-16T06:59", "2026-11-19T07:00"):
        run(database, at(now))
        assert told(database) == {}
    run(database, at("2026-11-19T06:59"))
    [(key, notice)] = told(database).items()
    # That nothing was heard is worth knowing, too.
    assert (key, notice.title) == ("digest:2026-W46:1:1", "Week 2026-W46: 0.00 USD")
    assert notice.data["total"] == {"name": "", "cost": "0.00", "before": "0.00"}


def test_weeks_are_those_of_the_zone() -> None:
    berlin = SETTINGS.zone
    # The night in which Berlin's clocks go back is in it: an hour more.
    week = last_week(at("2026-10-26T07:00"), berlin)
    assert (week.name, week.period.end - week.period.start) == (
        "2026-W43",
        week.before.end - week.before.start + (at("2026-01-01T01:00") - at("2026-01-01")),
    )
    assert week.due == at("2026-10-26T07:00")
    assert last_week(at("2027-01-04T12:00"), berlin).name == "2026-W53"


def test_what_is_done_with_a_month_is_told_once_and_who_did_it(database: Database) -> None:
    two_weeks(database)
    channel(database, "finance", default=True)
    channel(database, "of search", teams=["search"])
    channel(database, "made since", created="2026-12-02T08:00")
    calendar = SETTINGS.calendar
    month = LedgerMonth("2026-11", calendar.named("2026-11").period, calendar)

    def act(does: str, when: str, note: str | None) -> None:
        warned = (Warned("unpriced", "120 calls have no price"),) if does == "close" else ()
        with database.write() as session:
            months.note_act(
                session, TENANT, "2026-11", MonthAct(does, at(when), "ann", note, warned)
            )
            record = '{"versions": {"telling": {"currency": "USD", "policy": "daily"}}}'
            state = CLOSED if does == "close" else "soft-closed"
            closed = {"record": record, "sha256": HASH} if does == "close" else {}
            months.write(session, TENANT, month, state=state, **closed)

    # So long ago that nobody wants to hear of it.
    act("soft-close", "2026-11-29", None)
    act(REOPEN, "2026-12-02", "a late bill")
    act("close", "2026-12-02T01:00", "reviewed")
    for _again in range(2):
        run(database, at("2026-12-02T08:30"))
    notices = {key: each for key, each in told(database).items() if key.startswith("month")}
    assert list(notices) == [f"month-act:{each}:1" for each in ("2:1", "2:2", "3:1", "3:2")]
    opened, _, closed, own = notices.values()
    assert opened.title == "2026-11 is open again: 3,667.67 USD"
    assert "Why: a late bill" in opened.paragraphs
    assert closed.title == "2026-11 is closed: 3,667.67 USD"
    assert ("Closed by", "ann") in closed.facts
    assert f"spanledger months verify --hash {HASH}" in " ".join(closed.paragraphs)
    assert "Accepted: 120 calls have no price" in closed.paragraphs
    assert own.title == "2026-11 is closed: 3,078.37 USD of search"
    assert own.data["teams"] == [{"name": "search", "amount": "3078.37", "before": "0.00"}]


def test_a_digest_stays_a_page_where_many_messages_become_one(database: Database) -> None:
    with database.write() as session:
        notice = Notice(
            kind="digest", level="info", title="Week", summary="Week", link="http://x/?a&b"
        )
        notify.tell(session, TENANT, notice, key="digest:x", now=DUE)
        for number in range(11):
            other = Notice(kind="actual", level="over", title=f"{number}", summary=f"{number}")
            notify.tell(session, TENANT, other, key=f"crossing:{number}", now=DUE)
    with slack_stand_in() as slack:
        send(database, slack.url, DUE)
    assert [text.split(":")[0] for text in slack.texts] == ["Week", "11 messages at once"]
    assert "<http://x/?a&amp;b|>" in str(slack.messages[0])
