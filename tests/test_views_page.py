"""What docs/views.md asks is answered, and says what ``spanledger report`` says."""

import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
import reported
from click.testing import CliRunner

from app.cli import cli
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

QUESTIONS = [
    each
    for each in re.findall(r"```sql\n(.*?)```", reported.PAGE.read_text("utf-8"), re.DOTALL)
    if each.startswith("SELECT")
]
BY_TEAM, BY_MODEL = (each for each in QUESTIONS if "WHERE month = '2026-10-01'" in each)


def url_of(database: Database) -> str:
    url = database.engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def test_each_question_of_the_page_is_answered(company: Database) -> None:
    assert len(QUESTIONS) > 10
    with reported.may_read(url_of(company)) as url, psycopg.connect(url) as reader:
        for question in QUESTIONS:
            answer = reader.execute(question.encode())
            assert answer.description, question


def test_its_first_questions_say_what_the_report_says(company: Database) -> None:
    month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    environment = {"SPANLEDGER_DATABASE_URL": url_of(company), "SPANLEDGER_TIMEZONE": "UTC"}
    said = CliRunner().invoke(
        cli, ["report", f"{month:%Y-%m}", "--format", "json"], env=environment
    )
    assert said.exit_code == 0, said.output
    report = json.loads(said.stdout)
    # Who has nothing in this month, and had something in the one before, is in the report alone.
    for part in ("teams", "rows"):
        report[part] = [row for row in report[part] if row["calls"] or row["cost"] is not None]
    with psycopg.connect(url_of(company)) as reader:
        by_team, by_model = (
            reader.execute(each.replace("2026-10-01", f"{month:%Y-%m}-01").encode()).fetchall()
            for each in (BY_TEAM, BY_MODEL)
        )
    teams = {row["team"]: (exact(row["cost"]), row["calls"]) for row in report["teams"]}
    assert {team: (cost, calls) for team, cost, calls, _tokens in by_team} == teams
    assert len(teams) > 4
    models: dict[tuple[str, str], list[Decimal | None]] = defaultdict(list)
    for row in report["rows"]:
        models[row["provider"], row["model"]].append(exact(row["cost"]))
    assert {(row[0], row[1]): row[2] for row in by_model} == {
        model: None if all(each is None for each in costs) else sum(each or 0 for each in costs)
        for model, costs in models.items()
    }


def exact(cost: str | None) -> Decimal | None:
    return None if cost is None else Decimal(cost)
