"""Alert rules on the command line, and in the file that the documents begin with."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filled_ledger import GPT, SEARCH, put_cell
from watching import complete

from app.commands import budgets
from app.commands.alert_rules import command
from spend.alerts.rule_kinds import KINDS
from spend.calls import Outcome
from spend.checked_fields import shortest
from store.alerts import alert_rules
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

PAGE = (Path(__file__).parent.parent / "docs" / "alert-rules.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def ledger(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    return database


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.usefixtures("ledger")
def test_a_rule_is_made_listed_shown_changed_and_closed() -> None:
    assert "no alert rules" in run("list").output
    made = run(
        *("create", "--name", "[red]slow", "--kind", "latency", "--over", "8000"),
        *("--on", "team=search", "--on", "feature=", "--by", "model", "--set", "percentile=p99"),
    )
    assert (made.exit_code, made.output) == (0, "alert rule 1 is in force\n")
    listed = run("list").output
    assert "[red]slow" in listed
    assert "feature=(none), team=search" in listed
    assert "nothing measured" in listed
    shown = run("show", "[red]slow").output
    assert re.search(r"percentile: +p99", shown)
    assert re.search(r"window_minutes: +60", shown)
    changed = run("change", "1", "--warning", "5000", "--clear", "by")
    assert changed.output == "version 2 of alert rule 1 is in force\n"
    assert run("change", "1", "--warning", "5000").output == "alert rule 1 says that already\n"
    assert run("close", "1").output == "alert rule 1 is closed\n"
    gone = run("show", "1")
    assert (gone.exit_code, "no alert rule 1 is in force" in gone.output) == (1, True)


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--over", "many"), "over: a number such as"),
        (("--on", "mood=good"), "filter.mood"),
        (("--on", "team"), "--on team: write NAME=VALUE"),
        (("--set", "mood=good"), "mood: a rule of kind error-rate has the fields"),
        (("--channel", "nowhere"), "channels: no channel 'nowhere'"),
    ],
)
def test_a_mistake_is_told_by_field(arguments: tuple[str, ...], said: str) -> None:
    result = run("create", "--name", "a", "--kind", "error-rate", *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_what_a_rule_finds_now_is_shown(ledger: Database) -> None:
    assert "nothing is measured" in run("try", "--kind", "error-rate").output
    with ledger.write() as session:
        put_cell(session, "2026-10-20T11:45", SEARCH, GPT, calls=50, outcome=Outcome.TIMEOUT)
    complete(ledger)
    run("create", "--name", "errors", "--kind", "error-rate", "--over", "5")
    for trial in (
        run("try", "--kind", "error-rate", "--by", "team", "--warning", "5"),
        run("try", "errors", "--by", "team", "--warning", "4"),
    ):
        assert "100 % of calls of team search fail" in trial.output
        assert "Calls: 50 of 50 failed" in trial.output
    assert "say --kind" in run("try").output


def test_the_starter_file_is_taken_and_has_every_kind_but_one(
    ledger: Database, tmp_path: Path
) -> None:
    (starter,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    file = tmp_path / "rules.toml"
    file.write_text(starter, encoding="utf-8")
    taken = CliRunner().invoke(budgets.command, ["import", str(file)])
    assert taken.exit_code == 0, taken.output
    with ledger.read() as session:
        made = alert_rules.all_in_force(session, TENANT)
    assert {each.terms.kind for each in made} == KINDS.keys() - {"commitment-runs-out"}


def test_the_documents_tell_of_every_kind_and_setting_with_its_defaults() -> None:
    rows = {
        cells[1].strip().strip("`"): [each.strip() for each in cells[2:-1]]
        for cells in (line.split("|") for line in PAGE.splitlines() if line.startswith("| `"))
    }
    for name, kind in KINDS.items():
        bounds = ["" if each is None else shortest(each) for each in (kind.warning, kind.over)]
        assert rows[name] == [
            kind.says,
            kind.unit,
            str(kind.window_minutes),
            *bounds,
            f"{shortest(kind.minimum)} {kind.minimum_of}",
            ", ".join(kind.by),
        ]
        for setting in kind.settings:
            assert f"`{setting}`" in PAGE, (name, setting)
