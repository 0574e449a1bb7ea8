"""Names that strangers chose, wherever they are shown: in files, messages, logs and headers."""

import csv
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any, Final

import openpyxl
import pyarrow.parquet as pq
import pytest
import structlog
from budgeted import evaluate, send
from conftest import fresh_database
from filled_ledger import asking, put_cell, put_charge, put_run
from hostile import FORMULAS, LINES, MARKUP
from slack_stand_in import slack_stand_in
from test_slack_message import texts

from app.local_postgres import LocalPostgres
from app.logs import configure_logs
from spend.calls import Owner, Route
from store.postgres.sessions import Database, open_database

pytestmark = pytest.mark.one_server

STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - as in hostile.py
NUMBER: Final = re.compile(r"-?[\d.]+(e-?\d+)?")
CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def ledger(postgres: LocalPostgres) -> Iterator[Database]:
    with fresh_database(postgres) as url:
        database = open_database(url, application="tests")
        with database.write() as session:
            for number, name in enumerate(FORMULAS):
                owner = Owner(**dict.fromkeys(("team", "project", "service", "feature"), name))
                route = Route(provider="openai", model=name, operation="chat", deployment="api")
                slot = f"2026-10-{number % 19 + 1:02}T08:00"
                put_cell(session, slot, owner, route, calls=5, input=1000)
                put_charge(session, slot, "12.5", owner, route)
            for job in ("roll", "charge"):
                put_run(session, job, "2026-10-20T11:59")
        yield database
        database.engine.dispose()


def inert(cell: str) -> bool:
    return not cell.startswith(STARTS) or bool(NUMBER.fullmatch(cell))


def escaped(name: str) -> str:
    return f"'{name}" if name.startswith(STARTS) else name


@pytest.mark.parametrize(
    "path",
    [
        "/v1/spend.csv?group_by=team,project,service,feature,model",
        "/v1/statements/2026-10.csv",
        "/v1/focus/2026-10/cost-and-usage.csv",
        "/explore?group_by=team&csv=groups",
        "/teams?csv=teams",
    ],
)
def test_no_cell_of_a_file_is_a_formula_and_every_name_can_be_read_back(
    ledger: Database, path: str
) -> None:
    answer = asking(ledger).get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv"), path
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert len({len(row) for row in rows}) == 1, "a name made cells of its own"
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if not inert(cell)] == []
    assert {escaped(name) for name in FORMULAS} <= set(cells)


def test_no_cell_of_a_workbook_is_a_formula(ledger: Database) -> None:
    answer = asking(ledger).get("/v1/statements/2026-10.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    shown = {str(cell.value) for cell in cells}
    assert {name for name in FORMULAS if name.isprintable()} <= shown
    book.close()


def test_parquet_and_json_say_names_as_they_are(ledger: Database) -> None:
    client = asking(ledger)
    table = pq.read_table(io.BytesIO(client.get("/v1/statements/2026-10.parquet").content))
    assert set(FORMULAS) <= set(table.column("team").to_pylist())
    rows = client.get("/v1/spend?group_by=team&from=2026-10-01&to=2026-11-01").json()["rows"]
    assert {row["team"] for row in rows} == set(FORMULAS)


def test_a_download_is_named_by_us(ledger: Database) -> None:
    client = asking(ledger)
    for name in (LINES[1], LINES[2], 'a"; filename="evil.exe', FORMULAS[0]):
        for path in ("/v1/spend.csv", "/v1/statements/2026-10.csv", "/explore"):
            asked = {"team": name, "group_by": "team", "csv": "groups"}
            known = asked if "explore" in path else {"team": name} if "/v1" in path else {}
            answer = client.get(path, params=known)
            told = answer.headers.get("content-disposition", 'attachment; filename="x.csv"')
            assert re.fullmatch(r'attachment; filename="[\w.-]+"', told), (path, told)
            assert not any(CONTROL.search(value) for value in answer.headers.values())


def test_no_name_rings_or_links_in_a_message_whoever_chose_it(database: Database) -> None:
    with slack_stand_in() as slack:
        client = asking(database, allow_private_destinations=True)
        with database.write() as session:
            for name in MARKUP:
                route = Route(provider="openai", model=name, operation="chat", deployment="api")
                put_cell(session, "2026-11-05", Owner(team=name), route, unpriced=1)
                put_charge(session, "2026-11-05", "90", Owner(team=name), route)
        for name in MARKUP:
            said = {"name": name, "filter": {"team": [name]}, "owner": name, "amount": "100"}
            body = {**said, "currency": "USD", "period": "month", "thresholds": [80]}
            answer = client.post("/v1/budgets", json=body)
            # What turns a line around is refused, or stands as a space.
            assert answer.status_code in {201, 422}, answer.text
        evaluate(database)
        send(database, slack.url)
        assert slack.messages
        for message in slack.messages:
            for shown in texts(message):
                ours = re.sub(r"<http://127\.0\.0\.1[^|>]*\|[^>]*>", "", shown)
                assert "<" not in ours
                assert ">" not in ours
                assert not CONTROL.search(ours.replace("\n", ""))


def test_a_line_of_a_log_is_one_line_whatever_is_in_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for on_a_terminal in (False, True):
        monkeypatch.setattr("sys.stderr.isatty", lambda on=on_a_terminal: on)
        configure_logs("collector")
        for number, hostile in enumerate(LINES):
            structlog.get_logger("x").warning("a thing", name=hostile, number=number)
            structlog.get_logger("x").warning(hostile)
            logging.getLogger("a.library").warning("%s", hostile)
            said = capsys.readouterr().err
            lines = said.removesuffix("\n").split("\n")
            assert len(lines) == 3, (on_a_terminal, said[:300])
            own = re.sub(r"\x1b\[[\d;]*m", "", said) if on_a_terminal else said
            assert not CONTROL.search(own.replace("\n", "")), (on_a_terminal, own[:300])
            if not on_a_terminal:
                told: list[dict[str, Any]] = [json.loads(line) for line in lines]
                assert [line["level"] for line in told] == ["warning"] * 3
