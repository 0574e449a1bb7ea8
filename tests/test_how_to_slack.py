"""docs/how-to/budgets-in-slack.md: its commands run as they stand, with a stand-in for Slack."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from budgeted import charge
from click.testing import CliRunner
from slack_stand_in import StandIn, slack_stand_in
from told_steps import Shown, Typed, steps

from app.cli import cli
from app.commands import channels
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

PAGE = Path(__file__).parent.parent / "docs/how-to/budgets-in-slack.md"


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


def run(line: str) -> str:
    done = CliRunner().invoke(cli, shlex.split(line.removeprefix("spanledger ")))
    assert done.exit_code == 0, f"{line}: {done.output}"
    return done.output


def test_the_page_of_budgets_in_slack_leads_to_a_message_that_somebody_knows_of(
    database: Database,
    database_url: str,
    data_dir: Path,
    slack: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(data_dir))
    monkeypatch.setenv("SPANLEDGER_ALLOW_PRIVATE_DESTINATIONS", "true")
    # What somebody types where it asks.
    monkeypatch.setattr(channels, "secret_said", lambda *_, **_named: slack.url)
    charge(database, "6800", f"{datetime.now(UTC):%Y-%m-%d}")
    shown = ""
    for step in steps(PAGE.read_text(encoding="utf-8")):
        match step:
            case Typed():
                shown = "".join(run(line) for line in step.commands.splitlines())
                if "budgets create" in step.commands:
                    run("jobs run budgets")
                    run("jobs run alerts")
            case Shown():
                assert step.missing_in(shown) is None, shown
    assert "sample" in slack.texts[0]
    assert any("85" in text and "budget search" in text for text in slack.texts[1:])
    assert "ann knows" in run("alerts list")
