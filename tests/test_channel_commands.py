"""``spanledger channels``, ``alerts test``: no secret is an argument, or is printed."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from slack_stand_in import StandIn, answer, slack_stand_in

from app.cli import cli
from app.examination.examine import examine
from app.examination.findings import State
from app.settings import read_settings

pytestmark = pytest.mark.one_server


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def shell(
    database_url: str, tmp_path: object, slack: StandIn, monkeypatch: pytest.MonkeyPatch
) -> "Shell":
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SPANLEDGER_ALLOW_PRIVATE_DESTINATIONS", "true")
    monkeypatch.setenv("HOOK", slack.url)
    monkeypatch.delenv("SPANLEDGER_SLACK_WEBHOOK_URL", raising=False)
    return Shell()


class Shell:
    """Runs commands, and remembers all that they printed."""

    printed = ""

    def __call__(self, said: str, *, code: int = 0, stdin: str | None = None) -> str:
        done = CliRunner().invoke(cli, said.split(), input=stdin)
        self.printed += done.output
        assert done.exit_code == code, done.output
        return done.output


def test_channels_are_made_listed_changed_and_removed(shell: Shell, slack: StandIn) -> None:
    add = "channels add --kind slack-webhook --name"
    made = shell(f"{add} search --team search --quiet 22:00-07:00 --secret-from-env HOOK")
    assert made == "channel 1 (search) is in force\n"
    shell(f"{add} shop --default --secret-from-stdin", stdin=slack.url + "\n")
    listed = shell("channels list")
    assert re.search(
        r"1 +search +slack-webhook +…cret +team search; not 22:00-07:00 \(UTC\)", listed
    )
    assert "what no team's channel takes" in listed
    shell("channels change search --levels over --no-quiet --team search --team web")
    assert "team search; team web; only what is over" in shell("channels list")
    shell("channels remove shop")
    assert "shop" not in shell("channels list")
    assert "there is no channel shop: there are search" in shell("channels remove shop", code=1)
    assert "there is a channel named 'search'" in shell(
        f"{add} search --secret-from-env HOOK", code=1
    )
    assert "say --secret-from-stdin" in shell(f"{add} x", code=2)
    assert "to.0: " in shell("channels add --name m --kind email --to nobody", code=2)
    shell("channels add --name ops --kind email --to ops@example.com --digest")
    key = shell("channels add --name w --kind webhook --secret-from-env HOOK").splitlines()[1]
    assert key.startswith("whsec_")
    assert slack.url not in shell.printed


def test_a_sample_is_sent_at_once_and_what_was_answered_is_said(
    shell: Shell, slack: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("channels add --name search --kind slack-webhook --levels over --secret-from-env HOOK")
    assert "channel search took it: message 1" in shell("alerts test search")
    assert "This is a sample from spanledger to search" in slack.texts[0]
    assert "Channel: search" in str(slack.messages[0])
    assert "no Slack webhook is set" in shell("alerts test", code=1)
    shell("channels change search --default")
    assert "channel search took it" in shell("alerts test")
    slack.script = [answer(404, b"no_service"), answer(500)]
    refused = shell("alerts test search", code=1)
    assert "channel search did not take it: answered 404 no_service" in refused
    assert "answered 500" in shell("alerts test search", code=1)
    # It is not tried again tomorrow.
    assert "dropped" in shell("channels list")
    monkeypatch.setenv("SPANLEDGER_SLACK_WEBHOOK_URL", slack.url)
    assert "the webhook of the settings took it" in shell("alerts test")
    assert len(slack.texts) == 5
    assert slack.url not in shell.printed


def test_the_doctor_says_that_secrets_were_sealed_with_another_pepper(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("channels add --name search --kind slack-webhook --secret-from-env HOOK")
    said = {each.what: each for each in examine(read_settings(), datetime.now(UTC))}
    assert said["channels"].state is not State.WRONG
    monkeypatch.setenv("SPANLEDGER_KEY_PEPPER", "another pepper of sixteen")
    said = {each.what: each for each in examine(read_settings(), datetime.now(UTC))}
    assert said["channels"].state is State.WRONG
    assert "SPANLEDGER_KEY_PEPPER" in said["channels"].said
    add = "channels add --name shop --kind slack-webhook --secret-from-env HOOK"
    assert "sealed with another pepper" in shell(add, code=1)
