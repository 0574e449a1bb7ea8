"""Behind PgBouncer in transaction mode everything is as it is without: what is stored, what it
costs, who is warned, and how the database came to its shape.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from doors import open_doors
from fastapi.testclient import TestClient
from filled_ledger import described
from pooling import needs_pgbouncer, pgbouncer
from serving import spanledger
from slack_stand_in import StandIn, slack_stand_in
from spans import call, request
from sqlalchemy import text
from sqlalchemy.engine import make_url

from api.app import create_app
from api.settings import ApiSettings
from jobs.context import JobContext, JobSettings
from jobs.delivery import send_alerts
from jobs.timetable import run_job
from migrations.run import differences, downgrade, upgrade
from migrations.shapes import Fit, shape_of
from store.postgres.sessions import Database, open_database

pytestmark = [pytest.mark.one_server, needs_pgbouncer]

# Both the one that refuses our options and the one that loses them.
REFUSES = ""
IGNORES = "ignore_startup_parameters = options"
NOW = datetime.now(UTC).replace(microsecond=0)
CALLED = int((NOW - timedelta(hours=30)).timestamp()) * 10**9
FEW = 3
"""Connections that all share."""

QUESTIONS = (
    "/v1/spend?group_by=team,provider,model&from=2026-01-01&to=2026-12-31",
    "/v1/charges?from=2026-01-01&to=2026-12-31&limit=1000",
    "/v1/performance?group_by=model",
    "/v1/prices",
    "/v1/budgets",
    "/v1/budgets/1/status",
    "/v1/budgets/check?team=search",
    "/v1/alerts",
    "/v1/months",
    "/",
    "/explore",
)


@contextmanager
def behind(url: str, folder: Path, *, size: int = FEW, more: str = REFUSES) -> Iterator[Database]:
    with pgbouncer(url, folder, size=size, more=more) as pooled:
        database = open_database(pooled, application="tests", pool_size=20)
        yield database
        database.engine.dispose()


@pytest.mark.parametrize("more", [REFUSES, IGNORES], ids=["refused", "ignored"])
def test_every_transaction_has_its_settings(database_url: str, tmp_path: Path, more: str) -> None:
    asked = text(
        "SELECT current_setting('timezone'), current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout'),"
        " current_setting('application_name'), current_setting('transaction_read_only'), :n"
    )
    with (
        pgbouncer(database_url, tmp_path / "pooler", size=1, more=more) as pooled,
        open_and_close(pooled) as one,
        open_and_close(pooled) as other,
    ):
        # Often enough to be prepared, by two who are lent the same connection.
        for number, database in product(range(8), (one, other)):
            with database.read() as session:
                found = session.execute(asked, {"n": number}).one()
            assert tuple(found) == ("UTC", "30s", "1min", "spanledger tests", "on", number)
            with database.write() as session:
                assert session.execute(asked, {"n": number}).one()[4] == "off"
    with open_and_close(database_url) as straight, straight.read() as session:
        assert session.execute(asked, {"n": 0}).one()[1:3] == ("30s", "1min")


@contextmanager
def open_and_close(url: str) -> Iterator[Database]:
    database = open_database(url, application="tests")
    yield database
    database.engine.dispose()


def test_a_life_behind_it_is_the_same_life(
    database_url: str, another_database: Database, tmp_path: Path
) -> None:
    url = another_database.engine.url.set(drivername="postgresql")
    with slack_stand_in() as slack, slack_stand_in() as other:
        straight, _ = lived(database_url, slack)
        hidden = url.render_as_string(hide_password=False)
        with pgbouncer(hidden, tmp_path / "pooler", size=FEW) as pooled:
            shared, connections = lived(pooled, other)
            with another_database.read() as session:
                servers = session.scalar(text(BACKENDS))
    assert shared == straight
    assert servers <= FEW + 1 < connections, "nothing was shared"
    assert [len(each.messages) for each in (slack, other)] == [2, 2]


BACKENDS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def lived(url: str, slack: StandIn) -> tuple[dict[str, Any], int]:
    """Hears calls twice, prices them, warns of a budget, and tells all that it can be asked.

    And how many connections that took, as each process has its own.
    """
    with open_and_close(url) as ours, open_and_close(url) as theirs, open_and_close(url) as heard:
        app = create_app(ours, ApiSettings(allow_private_destinations=True), lambda: NOW)
        described(app)
        settings = JobSettings(slack_webhook_url=slack.url, allow_private_destinations=True)
        context = JobContext(theirs, NOW, settings, by_hand=True)
        with TestClient(app) as api, open_doors(heard) as doors, ThreadPoolExecutor(8) as senders:
            assert api.post("/v1/prices", json=PRICES).status_code == 201
            # One after the other, then all at once and again: their keys are there already.
            bodies = [body(number) for number in range(24)]
            answers = [doors.post(each) for each in bodies[:3]]
            answers += senders.map(doors.post, bodies * 2)
            assert {each.status for each in answers} == {200}
            accounted = doors.accounted()
            assert (accounted["stored"], doors.stored()) == (24 * 8, 24 * 8)
            for job in ("partitions", "roll", "charge", "forecast", "watch", "digest"):
                run_job(job, context)
            assert api.post("/v1/budgets", json=BUDGET).status_code == 201
            run_job("budgets", context)
            list(senders.map(lambda _: send_alerts.run(context), range(2)))
            told = dict(zip(QUESTIONS, senders.map(api.get, QUESTIONS), strict=True))
        assert {each.status_code for each in told.values()} == {200}, told
        pools = [each.engine.pool.checkedin() for each in (ours, theirs, heard)]  # type: ignore[attr-defined]  # QueuePool has it
    # What is dated by Postgres's clock, not by ours, is left out.
    said = {
        question: re.sub(r'"20\d\d-[^"]*Z"', "a time", answer.text)
        for question, answer in told.items()
        if question.startswith("/v1")
    }
    texts = sorted(re.sub(r"\d\d:\d\d", "", each) for each in slack.texts)
    return {"heard": accounted, "told": said, "messages": texts}, sum(pools)


PRICES = [
    {"provider": "openai", "model": "gpt-4o", "meter": meter, "unit_price": price,
     "currency": "USD", "valid_from": "2026-01-01T00:00:00Z"}
    for meter, price in (("input", "2.50"), ("output", "10.00"))
]  # fmt: skip
BUDGET = {"name": "Search", "filter": {"team": ["search"]}, "amount": "0.01", "currency": "USD",
          "period": "year", "thresholds": [80, 100]}  # fmt: skip


def body(number: int) -> bytes:
    """Eight calls."""
    calls = (
        call(
            attributes={"gen_ai.usage.input_tokens": 1000 + each, "gen_ai.usage.output_tokens": 7},
            trace_id=bytes([7, number]) * 8,
            span_id=bytes([number + 1, each + 1]) * 4,
            start=CALLED + each * 10**9,
            end=CALLED + (each + 1) * 10**9,
        )
        for each in range(8)
    )
    return request(*calls, resource={"service.name": "search-api", "team": "search"})


def test_migrations_go_through_it(database: Database, database_url: str, tmp_path: Path) -> None:
    code = "import sys; from migrations.run import upgrade; upgrade(sys.argv[1])"
    with pgbouncer(database_url, tmp_path / "pooler", size=3) as pooled:
        downgrade(pooled, "0020")
        beside = subprocess.Popen([sys.executable, "-c", code, pooled])  # noqa: S603  # our own code
        upgrade(pooled)
        assert beside.wait(60) == 0
        ran = spanledger(tmp_path / "data", "keys", "list", DATABASE_URL=pooled)
        assert ran.returncode == 0, ran.stderr
        with database.engine.connect() as connection:
            assert shape_of(connection).fit is Fit.NEWEST
            assert differences(connection) == []
            # Nothing was left on a connection that others get.
            held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
            own = "(SELECT oid FROM pg_database WHERE datname = current_database())"
            assert connection.scalar(text(f"{held} {own}")) == 0
        with open_and_close(pooled) as shared, shared.engine.connect() as connection:
            assert {connection.scalar(text("SHOW lock_timeout")) for _ in range(3)} == {"0"}


def test_a_server_that_goes_away_behind_it_is_no_end(database_url: str, tmp_path: Path) -> None:
    with behind(database_url, tmp_path / "pooler") as database:
        with database.read() as session:
            session.execute(text("SELECT 1"))
        with open_and_close(database_url) as straight, straight.engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        with database.read() as session:
            assert session.scalar(text("SELECT 1")) == 1


def test_a_postgres_that_is_away_behind_it_is_told_as_away(
    database_url: str, tmp_path: Path
) -> None:
    gone = make_url(database_url).set(port=1).render_as_string(hide_password=False)
    with behind(gone, tmp_path / "pooler", more="query_wait_timeout = 1") as database:
        app = create_app(database, ApiSettings(), lambda: NOW)
        with TestClient(app) as api:
            told = [api.get(place) for place in ("/v1/budgets", "/readyz")]
    assert {each.status_code for each in told} == {503}
    assert {each.headers["Retry-After"] for each in told} == {"3"}
