"""Budgets on the command line."""

import pytest
from budgeted import charge
from click.testing import CliRunner, Result

from app.commands.budgets import command
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


@pytest.fixture(autouse=True)
def _settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_a_budget_is_made_listed_and_looked_at(database: Database) -> None:
    assert "no budgets" in run("list").output
    assert "no budgets" in run("status").output
    made = run(
        *("create", "--name", "[red]search", "--amount", "1000.00", "--threshold", "50"),
        *("--on", "team=search", "--on", "team=ads", "--on", "feature="),
    )
    assert (made.exit_code, made.output) == (0, "budget 1 is in force\n")
    listed = run("list").output
    assert "[red]search" in listed
    assert "feature=(none), team=search or ads" in listed
    assert "1,000.00 USD" in listed
    assert "50 %" in listed
    charge(database, "1", slot="2020-01-01")
    for output in (run("status").output, run("status", "1").output):
        assert "1,000.00 USD" in output
        assert "0 %" in output
        assert "ok" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--amount", "1e3"), "amount: a number such as"),
        (("--on", "mood=good"), "filter.mood"),
        (("--on", "team"), "--on team: write DIMENSION=VALUE"),
        (("--threshold", "0"), "thresholds: percentages"),
        (("--timezone", "Mars"), "timezone: 'Mars' is not a time zone"),
        (("--webhook-url", "http://10.0.0.1/x"), "webhook_url: the URL must begin with https://"),
    ],
)
def test_a_mistake_is_told_by_field(arguments: tuple[str, ...], said: str) -> None:
    result = run("create", "--name", "a", "--amount", "1", *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_what_is_not_there_or_taken_is_told() -> None:
    missing = run("status", "7")
    assert (missing.exit_code, missing.output) == (1, "Error: no budget 7 is in force\n")
    run("create", "--name", "a", "--amount", "1")
    taken = run("create", "--name", "a", "--amount", "1")
    assert (taken.exit_code, taken.output) == (1, "Error: there is a budget named 'a'\n")


def test_a_budget_is_changed_now_or_later_and_closed(database: Database) -> None:
    run("create", "--name", "all", "--amount", "5000", "--owner", "Ada")
    made = run(
        *("create", "--name", "search", "--on", "team=search", "--amount", "10", "--parent", "all"),
        *("--period", "custom", "--starts-on", "2026-11-02", "--days", "14", "--currency", "USD"),
        *("--forecast", "100", "--pace", "200", "--rollover-cap", "5", "--remind-hours", "24"),
    )
    assert made.exit_code == 0, made.output
    listed = run("list").output
    assert "  search" in listed
    assert "each 14 days from 2026-11-02, rolls over up to 5.00" in listed
    assert "80, 100 %; forecast 100 %; pace 200 %" in listed
    said = run("change", "search", "--amount", "20", "--clear", "pace", "--clear", "parent")
    assert said.output == "version 2 of budget 2 is in force\n"
    assert run("change", "2", "--amount", "20").output == "budget 2 says that already\n"
    later = run("change", "search", "--amount", "30", "--effective-from", "2999-01-01")
    assert later.exit_code == 2, "no year from which no calendar day can be reckoned"
    later = run("change", "search", "--amount", "30", "--effective-from", "2100-01-01")
    assert later.output == "version 3 of budget 2 holds from 2100-01-01 UTC on\n"
    assert "search: version 3 from 2100-01-01: amount 30.00" in run("list").output
    assert run("change", "search", "--amount", "40").exit_code == 1
    assert run("change", "search", "--withdraw").output == "version 3 of budget 2 is withdrawn\n"
    assert run("close", "search").output == "budget 2 is closed\n"
    assert run("close", "search").output == "Error: no budget search is in force\n"
    charge(database, "1", slot="2020-01-01")
    assert "0.00 allocated" not in run("status").output


def test_every_command_shows_an_example() -> None:
    for name in ("", "create", "list", "status", "change", "close", "export", "import"):
        assert "Example:\n    spanledger budgets" in run(*name.split(), "--help").output
