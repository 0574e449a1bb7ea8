"""Who pays, on the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filled_ledger import SEARCH
from owned import moved, price, rules, run, use

from app.commands.owners import command
from spend.ownership.ownership_files import fields_of
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

TOML = """
[[rules]]
name = "search moved"
match = { team = "search" }
gives = { team = "discovery" }
from = 2026-10-17

[[rules]]
name = "nobody's"
match = { team = "nobody" }
gives = { team = "somebody" }

[[splits]]
name = "platform"
match = { team = "platform" }
shares = { chat = 60, discovery = 40 }
"""


@pytest.fixture(autouse=True)
def _settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)


def owners(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments])


def test_rules_are_tried_applied_and_listed(database: Database, tmp_path: Path) -> None:
    price(database)
    use(database, "2026-10-17T08:00", SEARCH, 1234)
    run(database)
    file = tmp_path / "owners.toml"
    file.write_text(TOML)
    assert "no rules" in owners("list").output
    tried = owners("apply", file, "--dry-run", "--from", "2026-10-01", "--to", "2026-11-01").output
    told = [line.split() for line in tried.splitlines()]
    assert told[1:3] == [
        ["discovery", "0.00", "1,234.00", "+1,234.00", "0", "1"],
        ["search", "1,234.00", "0.00", "-1,234.00", "1", "0"],
    ]
    assert "decide nothing of this time: nobody's\nnothing was applied\n" in tried
    assert "no rules" in owners("list").output
    applied = owners("apply", file, "--by", "finance").output
    assert applied.startswith("version 1 is in force: rules: 2, splits: 1; the next run")
    run(database)
    assert owners("apply", file).output.endswith("splits: 1, as before\n")
    listed = owners("list", "--version", "1").output
    assert "owners.toml, by finance" in listed
    assert "team=discovery" in listed
    assert "shares: chat 60, discovery 40" in listed
    assert owners("list", "--version", "2").exit_code == 1


def test_a_dry_run_names_what_the_file_no_longer_says(tmp_path: Path) -> None:
    file = tmp_path / "owners.toml"
    file.write_text(TOML)
    owners("apply", file)
    file.write_text(TOML.partition("[[splits]]")[0].replace("nobody's", "theirs"))
    tried = owners("apply", file, "--dry-run", "--from", "2026-10-01", "--to", "2026-11-01").output
    assert "are not in the file, and would end: nobody's, platform\nnothing was applied" in tried


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TOML.replace("= 60", "= 61"), "splits 1, shares: must add up to 100; they are 101"),
        (TOML.replace("2026-10-17", "2026-10-32"), "file: not TOML"),
        ("", "rules: is missing"),
    ],
)
def test_a_file_is_refused_whole(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "owners.toml"
    file.write_text(text)
    refused = owners("apply", file)
    assert refused.exit_code == 1
    assert said in refused.output
    assert "no rules" in owners("list").output


def test_what_the_api_shows_can_be_applied_as_json(tmp_path: Path) -> None:
    file = tmp_path / "owners.json"
    file.write_text(str(fields_of(rules(moved("a", "b")))).replace("'", '"'))
    assert "rules: 1, splits: 0" in owners("apply", file).output
