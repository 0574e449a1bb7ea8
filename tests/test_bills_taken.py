"""Bills are taken by command and over the API: whole or not at all, once, and shown again."""

from pathlib import Path

import pytest
from billed_files import CSV, FILES, as_gzip, vector
from click.testing import CliRunner
from filled_ledger import asking

from app.commands.bills import command
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


class Run:
    """Runs ``spanledger bills``."""

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        result = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output


@pytest.fixture
def run(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    del database
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    return Run()


def test_a_bill_is_imported_listed_and_shown(run: Run) -> None:
    assert run("import", FILES / "openai-costs.json", "--month", "2026-10").splitlines() == [
        "bill 1: openai, 2026-10: 8 lines, 2.41 USD (openai-costs)",
        "  lines of usage without a model or a meter that we can read: 3, 0.11 USD",
        "  beside what calls were charged: spanledger bills reconcile 1",
    ]
    run("import", FILES / "aws-cur.csv")
    listed = run("list")
    assert [line.split()[:3] for line in listed.splitlines()[1:]] == [
        ["2", "aws", "111122223333"],
        ["1", "openai", "–"],  # noqa: RUF001 - a dash where a name would stand
    ]
    shown = run("show", "1", "--lines")
    assert "Bill 1: openai, 2026-10, 2.41 USD" in shown
    assert "web search tool calls" in shown
    total = next(line for line in shown.splitlines() if line.startswith("Total"))
    assert total.split() == ["Total", "8", "2.41"]
    assert "there is no bill 9" in run("show", "9", code=1)


def test_tables_fit_into_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("aws-cur.csv", "azure-focus.csv", "openai-costs.json"):
        run("import", FILES / name)
    monkeypatch.setattr("app.tables.WIDEST", 80)
    for arguments in (["list"], ["show", "1", "--lines"], ["show", "2"]):
        shown = run(*arguments)
        assert max(map(len, shown.splitlines())) <= 80
        assert "…" not in shown


def test_a_bill_that_is_there_is_told_and_replaced_only_where_that_is_said(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "mistral.csv"
    file.write_text(CSV)
    run("import", file)
    told = run("import", file, code=1)
    assert "nothing was taken: bill 1 is the same file: mistral.csv" in told
    file.write_text(CSV.replace("0.012", "0.013"))
    told = run("import", file, "--invoice", "INV-1", code=1)
    assert "bill 1 is of the same account, period and invoice" in told
    assert "would be taken" in run("import", file, "--replace", "--dry-run")
    assert "bill 1 " in run("import", file, "--dry-run", code=1)
    assert run("import", file, "--replace", "--invoice", "INV-1").startswith(
        "bill 2: mistral, 2026-10, version 2: 2 lines"
    )
    assert len(run("list").splitlines()) == 2
    assert "superseded" in run("list", "--all")
    assert "0.01 EUR" in run("show", "1")


def test_of_several_files_one_that_is_wrong_refuses_all(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(CSV.replace("0.012", '"0,012"'))
    told = run("import", FILES / "plain.csv", wrong, code=1)
    assert "nothing was taken from wrong.csv:\n  line 3, amount: has a decimal comma" in told
    told = run("import", FILES / "plain.csv", "--total", "1", code=1)
    assert "nothing was taken from plain.csv:\n  line 1, total: is 1.00" in told
    assert run("list").startswith("no bills")
    for option, value in (("--total", "x"), ("--total", "NaN"), ("--month", "October")):
        assert "Invalid value" in run("import", wrong, option, value, code=2)


def test_the_api_takes_shows_and_pages_bills(database: Database) -> None:
    client = asking(database, now="2026-11-04")
    body = as_gzip(vector("anthropic-costs.json"))
    made = client.post("/v1/bills?month=2026-10&account=org-1&total=4.81", content=body)
    assert made.status_code == 201, made.text
    [told] = made.json()["bills"]
    assert {name: told[name] for name in ("id", "provider", "account", "total", "lines")} == {
        "id": 1,
        "provider": "anthropic",
        "account": "org-1",
        "total": "4.812891200001",
        "lines": 5,
    }
    shown = client.get("/v1/bills/1").json()
    assert shown | told == shown
    assert shown["sums"][0] == {
        "kind": "usage",
        "model": "claude-sonnet-5",
        "meter": "cache_write_1h",
        "lines": 1,
        "quantity": None,
        "amount": "3.00",
    }
    first = client.get("/v1/bills/1/lines?limit=3").json()
    rest = client.get(f"/v1/bills/1/lines?after={first['next']}").json()
    assert [line["line"] for line in first["lines"] + rest["lines"]] == [1, 2, 3, 4, 5]
    assert (rest["next"], first["lines"][0]["raw"]["amount"]) == (None, "123.78912")

    again = client.post("/v1/bills", content=body)
    assert (again.status_code, "bill 1 is the same file" in again.json()["detail"]) == (409, True)
    dry = client.post("/v1/bills?dry_run=true&replace=true", content=body)
    assert (dry.status_code, dry.json()["bills"][0]["id"]) == (201, None)
    second = client.post("/v1/bills?replace=true&account=org-1", content=body).json()["bills"][0]
    assert (second["id"], second["version"], second["imported_by"]) == (
        2,
        2,
        "anybody on this machine",
    )
    page = client.get("/v1/bills?limit=1").json()
    assert (page["bills"][0]["id"], page["next"]) == (2, 2)
    [old] = client.get("/v1/bills?before=2").json()["bills"]
    assert old["superseded_at"] == "2026-11-04T00:00:00Z"


WRONG = (
    ("", b"", 422, "file"),
    ("?month=2026-09", CSV.encode(), 422, "period"),
    ("?month=October", CSV.encode(), 422, "month"),
    ("?total=much", CSV.encode(), 422, "total"),
    ("?format=xlsx", CSV.encode(), 422, "format"),
    ("?format=focus", CSV.encode(), 422, "file"),
    ("?colour=red", CSV.encode(), 422, "colour"),
    ("?file_name=%00", CSV.encode(), 422, None),
    ("", CSV.replace("0.012", "NaN").encode(), 422, "amount"),
    ("", b"x" * (4 * 1024 * 1024 + 1), 413, None),
    ("", as_gzip(" " * (33 * 1024 * 1024)), 422, "file"),
)


def test_the_api_refuses_with_a_problem_and_takes_nothing(database: Database) -> None:
    client = asking(database)
    for asked, body, status, field in WRONG:
        refused = client.post(f"/v1/bills{asked}", content=body)
        said = (refused.status_code, refused.json().get("field"))
        assert said == (status, field), asked
        assert refused.headers["content-type"] == "application/problem+json"
    assert client.get("/v1/bills").json() == {"bills": [], "next": None}
    for missing in ("/v1/bills/1", "/v1/bills/1/lines"):
        assert client.get(missing).status_code == 404
