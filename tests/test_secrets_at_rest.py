"""What channels are reached with is in no row, no log, no answer and no repr."""

import logging
from typing import Any

import pytest
from budgeted import NOW, budget, change, charge, evaluate
from filled_ledger import asking
from slack_stand_in import answer, slack_stand_in
from sqlalchemy import func, insert, literal_column, select, update
from structlog.testing import capture_logs

from jobs.context import JobContext, JobSettings
from jobs.delivery import seal_secrets, send_alerts
from spend.channels.notices import Notice
from store.access.secrets import MARK, Seal
from store.budgets import budgets
from store.channels.notify import tell
from store.postgres.sessions import Database
from store.tables.base import METADATA
from store.tables.budgets import budgets as kept_budgets
from store.tables.budgets import outbox
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PEPPER = b"a pepper of sixteen"
SECRET = "t0p5ecretpath"
TOKEN = f"xoxb-{SECRET}-token"
KEY = f"{SECRET}-signing-key"


def rows_of_all_tables(database: Database) -> str:
    """Every row of every table, as Postgres writes it."""
    found = []
    with database.read() as session:
        for table in METADATA.sorted_tables:
            whole = func.row_to_json(literal_column(f'"{table.name}"'))
            found += map(str, session.scalars(select(whole).select_from(table)))
    return "\n".join(found)


def job_settings(url: str) -> JobSettings:
    return JobSettings(
        key_pepper=PEPPER, allow_private_destinations=True, slack_api_url=url, slack_webhook_url=url
    )


def made(client: Any, url: str) -> list[int]:
    """A channel of each kind that has a secret, and one that nobody answers at."""
    port = url.split("/")[2].split(":")[1]
    bot = {"secret": TOKEN, "to": ["C024BE91L"]}
    found = []
    for kind, more in (
        ("slack-webhook", {"secret": f"{url}/{SECRET}"}),
        ("webhook", {"secret": f"{url}/{SECRET}", "signing_key": KEY}),
        ("slack-bot", bot),
        ("apprise", {"secret": f"json://127.0.0.1:{port}/{SECRET}"}),
        ("webhook", {"secret": f"http://127.0.0.1:9/{SECRET}", "signing_key": KEY}),
    ):
        said = {"name": f"{kind} {len(found)}", "kind": kind} | more
        answered = client.post("/v1/channels", json=said)
        assert answered.status_code == 201, answered.text
        found.append(answered.json()["id"])
    return found


# Of plugins of Apprise, as they are loaded.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_channels_are_reached_with_is_nowhere_to_be_read(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    client = asking(
        database,
        now="2026-11-15T12:00",
        key_pepper=PEPPER,
        allow_private_destinations=True,
        has_apprise=True,
    )
    with slack_stand_in() as slack, caplog.at_level(logging.INFO), capture_logs() as logged:
        slack.script = [answer(500, SECRET.encode()) for _ in range(3)]
        ids = made(client, slack.url)
        budget_said = {
            "name": "own",
            "amount": "1",
            "filter": {},
            "webhook_url": slack.url + SECRET,
        }
        assert client.post("/v1/budgets", json=budget_said).status_code == 201
        notice = Notice(kind="actual", level="over", title="t", summary="s")
        with database.write() as session:
            tell(session, TENANT, notice, key="k", channel_ids=ids, now=NOW)
        done = send_alerts.run(JobContext(database, NOW, job_settings(slack.url)))
        paths = ("channels", f"channels/{ids[0]}", "budgets", "alerts")
        told = "".join(client.get(f"/v1/{path}").text for path in paths)
        told += client.get("/channels").text
    assert any("version" in each for each in slack.messages), "Apprise"
    assert any("alert_id" in each.get("data", {}) for each in slack.messages), "a webhook"
    assert any(each["authorization"] for each in slack.headers if "authorization" in each), "a bot"
    everything = {
        "rows": rows_of_all_tables(database),
        "logs": str(logged) + caplog.text,
        "answers": told + done.note,
        "reprs": repr(job_settings(slack.url)) + repr(Seal(PEPPER)),
    }
    for where, text in everything.items():
        assert SECRET not in text, where
    assert "sealed:1:" in everything["rows"]


def test_webhooks_of_before_are_sealed_once_and_go_on_working(database: Database) -> None:
    with slack_stand_in() as slack:
        old = budget(database, webhook_url=slack.url)
        change(database, old, webhook_url=slack.url, name="renamed")
        other = budget(database, name="other", amount="1000")
        charge(database, "85")
        evaluate(database)
        with database.write() as session:
            # As they were kept before.
            session.execute(
                update(kept_budgets)
                .where(kept_budgets.c.id == old.id)
                .values(webhook_url=slack.url)
            )
            notice = Notice(kind="actual", level="over", title="t", summary="s")
            session.execute(
                insert(outbox).values(
                    tenant_id=TENANT,
                    destination=slack.url,
                    body=notice.as_json(),
                    created_at=NOW,
                    next_at=NOW,
                )
            )
        context = JobContext(database, NOW, job_settings("http://127.0.0.1:9/none"))
        assert seal_secrets.run(context).note == "3 secrets sealed"
        first = rows_of_all_tables(database)
        assert seal_secrets.run(context).note == "all secrets are sealed"
        assert rows_of_all_tables(database) == first
        assert slack.url not in first
        with database.read() as session:
            latest = budgets.in_force(session, TENANT, old.id, NOW).terms.webhook_url
            assert budgets.in_force(session, TENANT, other.id, NOW).terms.webhook_url is None
        assert latest is not None
        assert latest.startswith(MARK)
        assert Seal(PEPPER).opened(latest) == slack.url
        send_alerts.run(context)
        assert len(slack.messages) == 2
