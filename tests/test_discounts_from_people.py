"""Discounts and regional surcharges: all of a file or none of it; corrected, never overwritten."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from filled_ledger import asking

from app.commands import prices as prices_command
from spend.prices.discount_files import REQUIRED, discount_lines
from spend.written_rows import RowsRefusedError, rows_of_csv, rows_of_json
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

NOW = "2026-10-20T12:00"
HEADER = "kind,provider,model,percent,valid_from,valid_to,region,service_tier,meter\n"
GOOD = "discount,openai,gpt-4*,12.5,2026-10-01,,,,"
DISCOUNT: dict[str, Any] = {
    "kind": "discount",
    "provider": "OpenAI",
    "model": "gpt-4*",
    "percent": "12.5",
    "valid_from": "2026-10-01",
}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("rebate,openai,gpt-4*,10,2026-10-01,,,,", "kind"),
        (",openai,gpt-4*,10,2026-10-01,,,,", "kind"),
        ("discount,,gpt-4*,10,2026-10-01,,,,", "provider"),
        ("discount,openai,,10,2026-10-01,,,,", "model"),
        ("discount,openai,gpt*4,10,2026-10-01,,,,", "model"),
        ("discount,openai,gpt-5,-10,2026-10-01,,,,", "percent"),
        ("discount,openai,gpt-5,1e1,2026-10-01,,,,", "percent"),
        ("discount,openai,gpt-5,100.5,2026-10-01,,,,", "percent"),
        ("discount,openai,gpt-5,0,2026-10-01,,,,", "percent"),
        ("discount,openai,gpt-5,10%,2026-10-01,,,,", "percent"),
        ("discount,openai,gpt-5,0.1234567,2026-10-01,,,,", "percent"),
        ("uplift,openai,gpt-5,1000,2026-10-01,,,,", "percent"),
        ("uplift,openai,gpt-5,10,2026-10-01,2026-09-01,,,", "valid_to"),
        ("uplift,openai,gpt-5,10,2026-10-01T00:01,,,,", "valid_from"),
        ("uplift,openai,gpt-5,10,2026-10-01,,,,tokens", "meter"),
        ("discount,OpenAI,gpt-4*,10,2026-11-01,,,,", "valid_from"),
    ],
)
def test_a_wrong_discount_is_named_with_its_field(wrong: str, field: str) -> None:
    with pytest.raises(RowsRefusedError) as refused:
        discount_lines(rows_of_csv(f"{HEADER}{GOOD}\n{wrong}\n", REQUIRED), source="x")
    assert [(each.line, each.field) for each in refused.value.refusals] == [(3, field)]


def test_a_json_file_of_discounts_says_the_same_as_a_csv_file() -> None:
    text = """[{"kind": "discount", "provider": "openai", "model": "gpt-4*", "percent": 12.5,
        "valid_from": "2026-10-01"}]"""
    from_json = discount_lines(rows_of_json(text), source="x")
    assert from_json == discount_lines(rows_of_csv(HEADER + GOOD, REQUIRED), source="x")


@pytest.fixture
def client(database: Database) -> TestClient:
    return asking(database, now=NOW)


def test_a_discount_said_again_corrects_what_was_known(
    client: TestClient, database: Database
) -> None:
    assert client.post("/v1/discounts", json=DISCOUNT).status_code == 201
    assert client.post("/v1/discounts", json=DISCOUNT).status_code == 201, "changes nothing"
    uplift = DISCOUNT | {"kind": "uplift", "region": "eu", "percent": "10"}
    later = asking(database, now="2026-10-21T12:00")
    said = later.post("/v1/discounts", json=[DISCOUNT | {"percent": "15"}, uplift]).json()
    assert [(each["kind"], each["percent"]) for each in said["discounts"]] == [
        ("discount", "15.00"),
        ("uplift", "10.00"),
    ]
    now = client.get("/v1/discounts").json()["discounts"]
    assert [(each["percent"], each["entered_by"]) for each in now] == [
        ("15.00", "anybody on this machine"),
        ("10.00", "anybody on this machine"),
    ]
    before = client.get("/v1/discounts", params={"known_at": "2026-10-21T11:59:00Z"}).json()
    assert [each["percent"] for each in before["discounts"]] == ["12.50"]
    early = client.get("/v1/discounts", params={"at": "2026-09-01"}).json()
    assert early == {"discounts": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (DISCOUNT | {"percent": 12.5}, "0.percent"),
        (DISCOUNT | {"percent": "101"}, "percent"),
        ([DISCOUNT, DISCOUNT | {"kind": "x"}], "1.kind"),
        (DISCOUNT | {"colour": "red"}, "0.colour"),
        ([], "body"),
    ],
)
def test_a_mistake_in_a_discount_names_its_field(
    client: TestClient, body: object, field: str
) -> None:
    answer = client.post("/v1/discounts", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert client.get("/v1/discounts").json() == {"discounts": []}


def test_discounts_on_the_command_line(
    client: TestClient, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)

    def told(*arguments: str) -> Result:
        return CliRunner().invoke(prices_command.command, ["discounts", *arguments])

    assert "no discounts" in told("list").output
    file = tmp_path / "discounts.csv"
    file.write_text(f"{HEADER}{GOOD}\nuplift,azure,*,10,2026-10-01,,eu,,\n")
    entered = told("import", str(file), "--by", "Ada").output
    assert "2 discounts and uplifts read: 2 entered, 0 closed\n" in entered
    assert "\n  spanledger prices reprice --from 2026-10-01 --to 20" in entered
    file.write_text(f"{HEADER}{GOOD.replace('12.5', '-1')}\n")
    assert "line 2, percent: must not be negative" in told("import", str(file)).output
    listed = told("list").output
    for word in ("gpt-4*", "-12.50", "* eu", "+10.00", "discounts.csv, entered by Ada"):
        assert word in listed
    answer = client.post("/v1/discounts", json=DISCOUNT)
    assert answer.status_code == 409
    assert "overlaps the discount of 'discounts.csv'" in answer.json()["detail"]
