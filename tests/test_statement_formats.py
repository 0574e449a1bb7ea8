"""A statement says the same in every format, and what it is given to say is never run."""

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from filled_ledger import GPT, asking, put_cell, put_charge
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_books import CALENDAR, OCTOBER, SEPTEMBER, TEAMS, books, money
from pypdf import PdfReader

from app.cli import cli
from reports.statements.printable import printable
from reports.statements.statement_columns import COLUMNS, Holds
from reports.statements.statement_csv import HEADER
from reports.statements.statement_files import WRITERS
from spend.booked import Booked
from spend.calls import Owner
from spend.money import minor_digits, plain
from spend.statements.statements import Sources, Statement, draw_up
from store.postgres.sessions import Database

BASES = ("cost", "list_cost", "contracted_cost", "billed_cost")
COINS = tuple(column.name for column in COLUMNS if column.holds is Holds.COINS)


def statement(
    now: list[Booked], last: list[Booked], currency: str = "USD", team: str | None = None
) -> Statement:
    sources = Sources(now=now, last=last)
    return draw_up(OCTOBER, SEPTEMBER, CALENDAR.zone, currency, sources, team=team)


def told(found: Statement) -> list[dict[str, Any]]:
    """Its lines by the columns of every format."""
    return [{column.name: column.of(found, line) for column in COLUMNS} for line in found.lines]


def cells(sheet: Any) -> list[list[Any]]:
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def book(found: Statement) -> Any:
    return openpyxl.load_workbook(io.BytesIO(WRITERS["xlsx"](found)))


def pages(found: Statement) -> str:
    reader = PdfReader(io.BytesIO(WRITERS["pdf"](found)))
    return "\n".join(page.extract_text() for page in reader.pages)


MONTHS = st.sampled_from(("USD", "JPY", "KWD")).flatmap(
    lambda currency: st.tuples(st.just(currency), books(currency), books(currency))
)


@settings(max_examples=40)
@given(MONTHS)
def test_lines_and_totals_are_the_ledgers_in_four_bases(
    month: tuple[str, list[Booked], list[Booked]],
) -> None:
    currency, now, last = month
    found = statement(now, last, currency)
    coin = Decimal(1).scaleb(-minor_digits(currency))
    for base in BASES:
        exact = [getattr(row.totals, base) for row in now if row.currency]
        if base == "list_cost" and None in exact:
            continue
        whole = sum((each for each in exact if each is not None), Decimal(0))
        lines = [getattr(line.figures.spent, base) for line in found.lines]
        assert sum((each for each in lines if each is not None), Decimal(0)) == whole
        shown = [getattr(line.figures.coins, base) for line in found.lines]
        coins = sum((each for each in shown if each is not None), Decimal(0))
        assert abs(coins - whole) <= coin / 2
        if found.lines and any(each is not None for each in shown):
            assert coins == getattr(found.total.coins, base)
    amounts = [place.amount for place in found.places if place.amount is not None]
    assert sum(amounts, Decimal(0)) == (found.total.amount or 0)


@settings(max_examples=40)
@given(MONTHS)
def test_csv_and_parquet_are_the_lines(month: tuple[str, list[Booked], list[Booked]]) -> None:
    currency, now, last = month
    found = statement(now, last, currency)
    rows = list(csv.DictReader(io.StringIO(WRITERS["csv"](found).decode())))
    table = pq.read_table(io.BytesIO(WRITERS["parquet"](found)))
    assert len(rows) == table.num_rows == len(found.lines)
    for line, row, other in zip(told(found), rows, table.to_pylist(), strict=True):
        for name, value in line.items():
            if isinstance(value, Decimal):
                assert Decimal(row[name]) == other[name] == value
            elif isinstance(value, str):
                assert row[name].removeprefix("'") == other[name] == value
            else:
                assert row[name] == ("" if value is None else str(value))
                assert other[name] == value


def test_every_months_parquet_has_one_schema() -> None:
    empty, full = (
        pq.read_schema(io.BytesIO(WRITERS["parquet"](statement(now, []))))
        for now in ([], [money("search", "openai", "gpt", cost=Decimal("0.1"))])
    )
    assert empty.equals(full, check_metadata=True)
    assert tuple(full.names) == HEADER
    assert full.field("amount").type == pa.decimal128(38, 4)
    assert full.field("cost").type == pa.decimal128(38, 22)
    assert full.field("input_tokens").type == pa.int64()
    assert full.metadata[b"spanledger.month"] == b"2026-10"
    assert full.metadata[b"spanledger.schema"] == b"1"


@settings(max_examples=25)
@given(MONTHS)
def test_a_workbook_says_the_same_and_runs_nothing(
    month: tuple[str, list[Booked], list[Booked]],
) -> None:
    currency, now, last = month
    found = statement(now, last, currency)
    made = book(found)
    for sheet in made:
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    header, *rows, total = cells(made["Lines"])
    assert [name.replace(" ", "_") for name in header] == list(HEADER)
    assert len(rows) == len(found.lines)
    for line, row in zip(told(found), rows, strict=True):
        for column, value in zip(COLUMNS, row, strict=True):
            said = line[column.name]
            if column.holds is Holds.EXACT:
                assert value == ("unknown" if said is None else f"{said:f}")
            elif column.holds is Holds.COINS:
                assert value == "unknown" if said is None else Decimal(repr(value)) == said
            elif column.holds is Holds.TEXT:
                assert (value or "") == printable(said or "")
            else:
                assert value == said
    whole = dict(zip(HEADER, total, strict=True))
    for name, said in (("amount", found.total.amount), ("calls", found.total.spent.calls)):
        assert whole[name] == "unknown" if said is None else Decimal(repr(whole[name])) == said


@settings(max_examples=12)
@given(MONTHS)
def test_a_pdf_says_every_amount(month: tuple[str, list[Booked], list[Booked]]) -> None:
    currency, now, last = month
    found = statement(now, last, currency)
    said = Counter(re.split(r"\s+", pages(found).replace("\u2212", "-")))
    amounts = [line.figures.amount for line in found.lines]
    amounts += [found.total.amount, found.total.coins.billed_cost, found.total.last_amount]
    expected = Counter(f"{amount:,f}" for amount in amounts if amount is not None)
    assert expected <= said


@settings(max_examples=40)
@given(MONTHS)
def test_a_teams_own_statement_is_its_part_of_the_statement_of_all(
    month: tuple[str, list[Booked], list[Booked]],
) -> None:
    currency, now, last = month
    everybody = statement(now, last, currency)
    for part in everybody.parts:
        own = statement(now, last, currency, part.team)
        assert own.parts == (part,)
        assert own.total == part.figures
        assert own.why == part.why
        mine = [line for line in told(everybody) if line["team"] == part.team]
        assert told(own) == mine
        assert own.corrected == tuple(
            line for line in everybody.corrected if line.team == part.team
        )


def many() -> Statement:
    now = [
        money(team, "openai", f"model-{number}", cost=Decimal("1.01") * (number + 1))
        for team in TEAMS
        for number in range(20)
    ]
    return statement(now, now[:9])


@pytest.mark.parametrize("shape", WRITERS)
def test_the_same_statement_is_the_same_file(shape: str) -> None:
    found = many()
    assert WRITERS[shape](found) == WRITERS[shape](found)


def test_a_pdf_of_many_lines_has_numbered_pages_of_a4_with_headings() -> None:
    reader = PdfReader(io.BytesIO(WRITERS["pdf"](many())))
    count = len(reader.pages)
    assert count > 3
    for number, page in enumerate(reader.pages, 1):
        assert f"page {number} of {count}" in page.extract_text()
        assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
    # The heading of the lines is on each page that has some.
    assert sum("Provider" in page.extract_text() for page in reader.pages) >= count - 1
    catalog: Any = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Statement 2026-10"


def test_a_place_where_nothing_was_done_and_paid_is_not_shown() -> None:
    bought = money(
        "commitments", "openai", None, cost=Decimal(0), billed=Decimal(450), place=(None, None)
    )
    found = statement([bought, money("search", "openai", "gpt", cost=Decimal(5))], [])
    assert len(found.places) == 2
    shown = [row[0] for row in cells(book(found)["Where"])]
    assert shown == ["Where the work was done", "Deployment", "Proprietary API"]


def test_names_are_said_in_a_pdf_as_they_are() -> None:
    said = " ".join(pages(many()).split())
    for name in ("=cmd|' /C calc'!A0", "$ sum $ *bold* \\ [x]", '#let x = read("/etc/passwd")'):
        assert name in said


def test_signs_that_turn_a_page_around_are_marked() -> None:
    assert printable("a\u202eb\x00c\x1b[2J") == "a\ufffdb\ufffdc\ufffd[2J"
    assert printable("क्\u200dष 👩\u200d🔬") == "क्\u200dष 👩\u200d🔬"


def fill(database: Database) -> None:
    with database.write() as session:
        for team in TEAMS:
            put_cell(session, "2026-10-10", Owner(team), replace(GPT, model=team[:60]), calls=2)
            put_charge(session, "2026-10-10", "1.005", Owner(team), replace(GPT, model=team[:60]))


@pytest.mark.one_server
def test_over_the_api_every_format_adds_up_whatever_teams_are_called(database: Database) -> None:
    fill(database)
    client = asking(database, now="2026-11-20")
    whole = client.get("/v1/statements/2026-10").json()["total"]["amount"]
    answers = {end: client.get(f"/v1/statements/2026-10.{end}") for end in WRITERS}
    for end, answer in answers.items():
        assert answer.status_code == 200, answer.text
        disposition = answer.headers["content-disposition"]
        assert disposition == f'attachment; filename="statement-2026-10.{end}"'
        named = client.get(
            "/v1/statements/2026-10",
            headers={"Accept": answer.headers["content-type"].partition(";")[0]},
        )
        assert named.content == answer.content
        again = client.get(
            f"/v1/statements/2026-10.{end}", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304
    rows = list(csv.DictReader(io.StringIO(answers["csv"].text)))
    assert plain(sum((Decimal(row["amount"]) for row in rows), Decimal(0))) == whole
    table = pq.read_table(io.BytesIO(answers["parquet"].content))
    assert plain(sum(table["amount"].to_pylist(), Decimal(0)).quantize(Decimal("0.01"))) == whole
    made = openpyxl.load_workbook(io.BytesIO(answers["xlsx"].content))
    assert Decimal(repr(cells(made["Lines"])[-1][HEADER.index("amount")])) == Decimal(whole)
    reader = PdfReader(io.BytesIO(answers["pdf"].content))
    assert whole in reader.pages[0].extract_text()


@pytest.mark.one_server
def test_what_cannot_be_asked_is_refused_by_name(database: Database) -> None:
    fill(database)
    client = asking(database, now="2026-11-20")
    for path, params, field in (
        ("2026-10.docx", {}, "month"),
        ("2026-13.pdf", {}, "month"),
        ("=2026-10.pdf", {}, "month"),
        ("2026-10.pdf.pdf", {}, "month"),
        ("%F0%9F%92%B8.xlsx", {}, "month"),
        ("2026-10.pdf", {"currency": "XXX"}, "currency"),
        ("2026-10.pdf", {"currency": "usd"}, "currency"),
        ("2026-10.csv", {"as_known_at": "2099-01-01"}, "as_known_at"),
        ("2026-10.csv", {"rate_policy": "best"}, "rate_policy"),
        ("2026-10.xlsx", {"team": "a\x00b"}, "team"),
        ("2026-10.pdf", {"timezone": "Mars/Base"}, "timezone"),
    ):
        answer = client.get(f"/v1/statements/{path}", params=params)
        assert answer.status_code == 422, (path, params, answer.text)
        assert answer.json()["field"] == field
    for team, end in zip((*TEAMS[1:6], "\u202eevil"), ("pdf", "xlsx") * 3, strict=True):
        answer = client.get(f"/v1/statements/2026-10.{end}", params={"team": team})
        assert answer.status_code == 200, (team, end, answer.text)


@pytest.mark.one_server
@pytest.mark.parametrize("shape", ["table", "json", *WRITERS])
def test_the_report_is_written_to_a_file(
    database: Database, database_url: str, tmp_path: Path, shape: str
) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-10", "12.34")
    target = tmp_path / f"october.{shape}"
    environment = {
        "SPANLEDGER_DATABASE_URL": database_url,
        "SPANLEDGER_DATA_DIR": str(tmp_path),
    }
    arguments = ["report", "2026-10", "--format", shape, "--output", str(target)]
    result = CliRunner().invoke(cli, arguments, env=environment)
    assert (result.exit_code, result.output) == (0, "")
    written = target.read_bytes()
    assert written.startswith({"pdf": b"%PDF", "xlsx": b"PK", "parquet": b"PAR1"}.get(shape, b""))
    assert shape in {"pdf", "xlsx", "parquet"} or b"12.34" in written
    nowhere = CliRunner().invoke(
        cli, [*arguments[:-1], str(tmp_path / "no" / "where")], env=environment
    )
    assert nowhere.exit_code == 1
    assert "cannot write" in nowhere.output
