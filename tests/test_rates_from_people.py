"""Exchange rates of files and requests: all of them or none; corrected, never overwritten."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from filled_ledger import asking

from app.commands import rates as rates_command
from spend.currencies.rate_files import Writing, rates_in
from spend.periods import Period
from spend.written_rows import RowsRefusedError
from store import rates
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = "2026-10-20T12:00"
WRITING = Writing(today=date(2026, 10, 20), source="ecb")
HEADER = "date,from,to,rate,source,reference\n"
GOOD = "2026-10-01,EUR,USD,1.0845,ecb,"
RATE: dict[str, Any] = {
    "date": "2026-10-01",
    "from": "EUR",
    "to": "USD",
    "rate": "1.0845",
    "source": "ecb",
}
# As the European Central Bank writes its history and its daily file.
HISTORY = """Date,USD,JPY,BGN,HRK,
2026-10-02,1.0901,161.05,N/A,N/A,
2026-10-01,1.0845,160.5,,N/A,
"""
DAILY = "Date, USD, JPY, \n2 October 2026, 1.0901, 161.05, \n"


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ("2026-10-02,EUR,USD,0,ecb,", "rate", "must not be zero"),
        ("2026-10-02,EUR,USD,0.000,ecb,", "rate", "must not be zero"),
        ("2026-10-02,EUR,USD,-1.08,ecb,", "rate", "must not be negative"),
        ("2026-10-02,EUR,USD,NaN,ecb,", "rate", "must be a number such as 1.0845"),
        ("2026-10-02,EUR,USD,Infinity,ecb,", "rate", "must be a number such as 1.0845"),
        ("2026-10-02,EUR,USD,1.08e0,ecb,", "rate", "without an exponent"),
        ("2026-10-02,EUR,USD,,ecb,", "rate", "is missing"),
        ("2026-10-02,EUR,USD,1.12345678901,ecb,", "rate", "more than 10 decimals"),
        ("2026-10-02,EUR,USD,10000000000,ecb,", "rate", "must be less than"),
        ("2026-10-02,EUR,US,1.08,ecb,", "to", "'US' is no currency code"),
        ("2026-10-02,BTC,USD,60000,ecb,", "from", "'BTC' is no currency code"),
        ("2026-10-02,EUR,EUR,1,ecb,", "to", "is the same currency as from"),
        ("2026-10-21,EUR,USD,1.08,ecb,", "date", "is after today, 2026-10-20"),
        ("1998-12-31,EUR,USD,1.08,ecb,", "date", "is before 1999-01-01"),
        ("2026-10-02T00:00,EUR,USD,1.08,ecb,", "date", "must be a day"),
        ("2026-02-30,EUR,USD,1.08,ecb,", "date", "must be a day"),
        ("2026-10-02,EUR,USD,1.08,,", "source", "is missing"),
        ("2026-10-01,EUR,USD,1.0846,ecb,", "rate", "line 2 says 1.0845 of the same day"),
    ],
)
def test_a_wrong_rate_is_named_with_its_line_and_reason(
    wrong: str, field: str, reason: str
) -> None:
    with pytest.raises(RowsRefusedError) as refused:
        rates_in(f"{HEADER}{GOOD}\n{wrong}\n", WRITING)
    assert [(each.line, each.field) for each in refused.value.refusals] == [(3, field)]
    assert reason in refused.value.refusals[0].reason


def test_a_central_banks_file_is_read_as_it_is_published() -> None:
    said = [each.rate for each in rates_in(HISTORY, WRITING)]
    assert [(each.from_currency, each.to_currency, each.day.day, each.rate) for each in said] == [
        ("EUR", "USD", 2, Decimal("1.0901")),
        ("EUR", "JPY", 2, Decimal("161.05")),
        ("EUR", "USD", 1, Decimal("1.0845")),
        ("EUR", "JPY", 1, Decimal("160.5")),
    ]
    assert {each.source for each in said} == {"ecb"}
    assert [each.rate for each in rates_in(DAILY, WRITING)] == said[:2]
    assert rates_in(HISTORY.replace("\n", "\r\n"), WRITING) == rates_in(HISTORY, WRITING)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("Date,USD,XYZ\n2026-10-01,1.08,2\n", "XYZ"),
        ("Date,USD,EUR\n2026-10-01,1.08,1\n", "EUR"),
        ("Date,USD,USD\n2026-10-01,1.08,1.08\n", "USD"),
        ("Date,USD,JPY\n2026-10-01,1.08,0\n", "JPY"),
        ("Date,USD,JPY\n2026-10-01,1.08,NaN\n", "JPY"),
        ("Date,USD,JPY\n2026-10-01,1.08\n", "line"),
        ("Date,USD\n01/10/2026,1.08\n", "Date"),
        ("Date,USD\n2026-10-01,1.08\n2026-10-01,1.09\n", "USD"),
        ("Date,USD\n2026-10-01,N/A\n", "file"),
        ("Date\n2026-10-01\n", "file"),
        ("", "date"),
        ("pair,rate\n", "date"),
    ],
)
def test_a_wrong_cell_of_a_wide_file_is_named(wrong: str, field: str) -> None:
    with pytest.raises(RowsRefusedError) as refused:
        rates_in(wrong, WRITING)
    assert refused.value.refusals[0].field == field


@pytest.fixture
def client(database: Database) -> TestClient:
    return asking(database, now=NOW)


def test_a_days_rate_is_corrected_only_where_somebody_says_so(
    client: TestClient, database: Database
) -> None:
    assert client.post("/v1/rates", json=RATE).json() == {"entered": 1, "corrected": 0, "same": 0}
    assert client.post("/v1/rates", json=[RATE]).json() == {"entered": 0, "corrected": 0, "same": 1}
    with database.read() as session:
        before = rates.version(session, TENANT)
    later = asking(database, now="2026-10-21T12:00")
    other = RATE | {"rate": "1.0854", "reference": "corrigendum 7"}
    refused = later.post("/v1/rates", json=[RATE | {"date": "2026-10-02"}, other])
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "1.rate: EUR to USD on 2026-10-01 is 1.0845 already, by 'ecb' (id 1)"
    )
    assert len(later.get("/v1/rates").json()["rates"]) == 1
    corrected = later.post("/v1/rates?correct=true", json=other)
    assert (corrected.status_code, corrected.json()["corrected"]) == (201, 1)
    now, then = later.get("/v1/rates"), later.get("/v1/rates?known_at=2026-10-21T11:59:00Z")
    assert [each["rate"] for each in now.json()["rates"]] == ["1.0854"]
    assert [(each["rate"], each["known_to"]) for each in then.json()["rates"]] == [
        ("1.0845", "2026-10-21T12:00:00Z")
    ]
    with database.read() as session:
        assert rates.version(session, TENANT) > before


@pytest.mark.parametrize("field", ["date", "from", "to", "rate", "source"])
def test_a_request_is_refused_by_its_field(client: TestClient, field: str) -> None:
    answer = client.post("/v1/rates", json=RATE | {field: "?\0"})
    assert answer.status_code == 422
    assert field in str(answer.json())
    assert client.post("/v1/rates", json=RATE | {"rate": 1.0845}).status_code == 422
    assert client.post("/v1/rates", json=[]).status_code == 422


def test_what_is_asked_of_rates_is_answered_or_refused(client: TestClient) -> None:
    said = [RATE, RATE | {"date": "2026-10-02"}, RATE | {"to": "JPY", "rate": "161"}]
    assert client.post("/v1/rates", json=said).status_code == 201
    for asked, count in (("from=EUR", 3), ("to=JPY", 1), ("first=2026-10-02", 1), ("limit=2", 2)):
        assert len(client.get(f"/v1/rates?{asked}").json()["rates"]) == count, asked
    assert client.get("/v1/rates?after=2").json()["next"] is None
    for wrong in ("from=euro", "first=yesterday", "limit=0", "policy=daily"):
        assert client.get(f"/v1/rates?{wrong}").status_code == 422, wrong


def run(*arguments: str) -> Result:
    return CliRunner().invoke(rates_command.command, arguments)


def test_rates_are_taken_from_a_file_and_listed(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del database  # migrated
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    file = tmp_path / "history.csv"
    file.write_text("Date,USD,JPY,\n2025-10-02,1.09,161.05,\n2025-10-01,1.08,N/A,\n")
    assert run("list").output == (
        "no such rates: take them from a file with spanledger rates import\n"
    )
    assert (
        "3 rates read: 3 entered, 0 corrected, 0 known already"
        in run("import", str(file), "--source", "ecb").output
    )
    file.write_text("Date,USD\n2025-10-02,1.10\n2025-10-03,1.11\n")
    refused = run("import", str(file))
    assert refused.exit_code == 1
    assert "line 2, USD: EUR to USD on 2025-10-02 is 1.09 already, by 'ecb'" in refused.output
    assert "--correct" in refused.output
    assert (
        "1 entered, 1 corrected" in run("import", str(file), "--correct", "--by", "treasury").output
    )
    shown = run("list", "--to", "usd").output.splitlines()
    assert [line.split()[:4] for line in shown[1:]] == [
        ["2025-10-03", "EUR", "USD", "1.11"],
        ["2025-10-02", "EUR", "USD", "1.10"],
        ["2025-10-01", "EUR", "USD", "1.08"],
    ]
    assert run("list", "--to", "XYZ").exit_code == 2
    wrong = tmp_path / "own.csv"
    wrong.write_text(
        "date,from,to,rate,source\n2025-10-01,EUR,GBP,0.8,a\n2025-10-01,EUR,SEK,1e1,a\n"
    )
    told = run("import", str(wrong))
    assert (told.exit_code, "line 3, rate: must be written without" in told.output) == (1, True)
    assert "GBP" not in run("list").output


def test_what_a_report_needs_of_rates_is_what_was_known_at_its_moment(
    client: TestClient, database: Database
) -> None:
    day = RATE | {"date": "2026-09-30"}
    said = [
        day,
        day | {"to": "JPY", "rate": "160"},
        day | {"to": "GBP", "rate": "0.86"},
        day | {"date": "2024-09-30", "rate": "2"},
    ]
    assert client.post("/v1/rates", json=said).status_code == 201
    later = asking(database, now="2026-10-21T12:00")
    later.post("/v1/rates?correct=true", json=day | {"rate": "1.1"})
    october = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    now = datetime(2026, 10, 22, tzinfo=UTC)
    found = {}
    with database.read() as session:
        for known_at in (None, datetime(2026, 10, 20, 13, tzinfo=UTC)):
            exchange = rates.exchange(
                session,
                TENANT,
                {"USD", "EUR", "SEK"},
                october,
                ZoneInfo("UTC"),
                to="JPY",
                policy="daily",
                now=now,
                known_at=known_at,
            )
            used = exchange.rate("USD", date(2026, 10, 5))
            assert used is not None
            assert exchange.rate("SEK", date(2026, 10, 5)) is None
            found[known_at] = str(used.rate)
    assert list(found.values()) == ["145.4545454545", "147.5334255417"]
