"""The command line."""

import importlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from serving import spanledger

from app.cli import COMMANDS, cli
from app.examination import durability
from app.greeting import greet
from app.settings import Settings
from store.access.keys import find_key
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

HELP = [[name] for name in COMMANDS] + [
    ["keys", "create"],
    ["keys", "list"],
    ["keys", "revoke"],
    ["jobs", "run"],
    ["jobs", "list"],
]


@pytest.fixture
def run(database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(data_dir))
    return Run()


class Run:
    """Runs a command in this process."""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.stdout


@pytest.mark.parametrize("arguments", [[], *HELP], ids=" ".join)
def test_every_help_shows_an_example(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, [*arguments, "--help"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "Example:" in result.output
    assert f"spanledger {' '.join(arguments)}".strip() in result.output.partition("Example:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_command_says_of_itself(name: str) -> None:
    command = importlib.import_module(f"app.commands.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)
    assert command.get_short_help_str(limit=200) == COMMANDS[name]


def test_help_is_there_without_a_database_and_at_once() -> None:
    result = CliRunner(env={"SPANLEDGER_DATABASE_URL": "postgresql://127.0.0.1:1/x"}).invoke(
        cli, ["--help"]
    )
    assert all(name in result.output for name in COMMANDS)


def test_of_a_command_that_is_none_the_nearest_one_is_told() -> None:
    result = CliRunner().invoke(cli, ["repot"])
    assert result.exit_code == 2
    assert "No such command 'repot': did you mean report?" in result.stderr
    assert "did you mean" not in CliRunner().invoke(cli, ["xyzzy"]).stderr


def test_a_wrong_setting_ends_with_one_line_and_2() -> None:
    result = CliRunner(env={"SPANLEDGER_TIMEZONE": "Mars"}).invoke(cli, ["keys", "list"])
    assert result.exit_code == 2
    assert result.stderr.startswith("SPANLEDGER_TIMEZONE: 'Mars'")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_database_that_is_away_ends_with_one_line_and_1_and_keeps_its_password() -> None:
    url = "postgresql://me:hidden@127.0.0.1:1/x"
    result = CliRunner(env={"SPANLEDGER_DATABASE_URL": url}).invoke(cli, ["keys", "list"])
    assert result.exit_code == 1
    assert "127.0.0.1:1 is away: Connection refused" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "hidden" not in result.output


def test_the_version_is_told() -> None:
    assert "spanledger 0." in CliRunner().invoke(cli, ["--version"]).output


def test_a_key_is_shown_once_works_and_can_be_ended(
    run: Run, database: Database, data_dir: Path
) -> None:
    assert "no keys" in run("keys", "list")
    text = run("keys", "create", "--kind", "read", "--name", "board", "--team", "search").strip()
    assert text.startswith("sl_read_")
    pepper = (data_dir / "key.pepper").read_text().strip().encode()
    with database.read() as session:
        now = datetime.now(UTC)
        found = find_key(session, text, pepper=pepper, now=now)
        assert found
        assert (found[1].kind, found[1].name, found[1].team) == ("read", "board", "search")
        assert find_key(session, text, pepper=b"another", now=now) is None
        assert find_key(session, text.replace("read", "admin"), pepper=pepper, now=now) is None
        assert (
            find_key(
                session,
                text[:-1] + ("a" if text[-1] != "a" else "b"),
                pepper=pepper,
                now=datetime.now(UTC),
            )
            is None
        )
    listed = run("keys", "list")
    assert found[1].id in listed
    assert text not in listed
    run("keys", "revoke", found[1].id)
    run("keys", "revoke", found[1].id, code=1)
    with database.read() as session:
        assert find_key(session, text, pepper=pepper, now=datetime.now(UTC)) is None


def test_who_makes_a_first_key_is_told_that_reading_needs_one_from_now_on(run: Run) -> None:
    def made() -> Result:
        return CliRunner().invoke(cli, ["keys", "create", "--kind", "ingest", "--name", "a"])

    both = [made(), made()]
    assert ["--kind admin" in each.stderr for each in both] == [True, False]
    for each in both:
        run("keys", "revoke", each.stdout.strip().removeprefix("sl_ingest_")[:8])
    assert "--kind admin" in made().stderr, "without one in force pages had been open again"


def test_the_pepper_is_made_once_and_readable_by_its_owner_only(run: Run, data_dir: Path) -> None:
    run("keys", "create", "--kind", "ingest", "--name", "a")
    first = (data_dir / "key.pepper").read_text()
    run("keys", "create", "--kind", "ingest", "--name", "b")
    assert (data_dir / "key.pepper").read_text() == first
    assert (data_dir / "key.pepper").stat().st_mode & 0o077 == 0
    assert [path.name for path in data_dir.iterdir()] == ["key.pepper"]


def test_a_round_by_hand_runs_every_job_in_order_and_the_list_tells_of_it(run: Run) -> None:
    assert "never" in run("jobs", "list")
    said = run("jobs", "run", "--all")
    jobs = [line.split()[0] for line in said.splitlines()]
    assert jobs == [
        "partitions",
        "contents",
        "roll",
        "prices",
        "charge",
        "reprice",
        "archive",
        "forecast",
        "budgets",
        "watch",
        "digest",
        "export",
        "secrets",
        "alerts",
    ]
    assert "never" not in run("jobs", "list")


def test_a_job_is_run_by_its_name(run: Run) -> None:
    assert run("jobs", "run", "partitions").startswith("partitions ")
    run("jobs", "run", code=2)
    run("jobs", "run", "nonsense", code=2)
    run("jobs", "run", "roll", "--all", code=2)


def test_the_doctor_finds_what_is_wrong_and_is_content_when_it_is_not(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_API_ADDR", "127.0.0.1:1")  # where nobody may listen
    said = run("doctor", code=1)
    assert "never ran" in said
    run("jobs", "run", "--all")
    # Servers of tests forget what they like.
    monkeypatch.setattr(durability, "_MUST_BE_ON", {"autovacuum": ""})
    said = run("doctor")
    assert "wrong" not in said
    assert "nobody listens at 127.0.0.1:1" in said
    assert "→ is serve running?" in said
    told = json.loads(run("doctor", "--json"))
    assert said.endswith(f"\n{told['look']} to look at, {told['ok']} ok\n")
    assert told["wrong"] == 0 < told["ok"]
    assert {"what", "state", "said", "do"} == told["findings"][0].keys()


def test_the_doctor_tells_of_a_misspelt_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLEDGER_SLACK_WEBHOKK", "x")
    assert "SPANLEDGER_SLACK_WEBHOOK_URL?" in run("doctor", code=1)


def test_migrate_brings_an_empty_embedded_database_to_the_newest_shape(data_dir: Path) -> None:
    first = spanledger(data_dir, "migrate")
    assert first.returncode == 0, first.stderr
    assert "newest shape" in first.stdout
    assert json.loads(first.stderr)["event"] == "database migrated"
    assert spanledger(data_dir, "migrate").stderr == ""


def test_the_first_steps_carry_a_key_where_one_is_needed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    where = {"otlp_http": "127.0.0.1:1", "otlp_grpc": "127.0.0.1:2", "api": "127.0.0.1:3"}
    for keys in (False, True):
        greet(Settings(), where, postgres="18", keys=keys)
        said = capsys.readouterr().out
        assert said.count("Authorization: Bearer $") == (2 if keys else 0)
        assert ("keys create --kind ingest" in said) is keys
        assert "Pages      http://127.0.0.1:3\n" in said
        told = dict(re.findall(r"export OTEL_EXPORTER_OTLP_(\w+)=(\S+)", said))
        assert (told["ENDPOINT"], told["PROTOCOL"]) == ("http://127.0.0.1:1", "http/protobuf")
