"""Settings: read from the environment, checked before anything runs."""

import os
from pathlib import Path

import pytest

from app.addresses import Address, parse_address, server_url
from app.errors import WrongSetting
from app.job_settings import job_settings
from app.settings import Settings, read_settings, unknown_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("SPANLEDGER_")]:
        monkeypatch.delenv(variable)


def test_without_any_setting_everything_stays_on_this_machine() -> None:
    settings = read_settings()
    assert settings.database_url is None
    assert str(settings.otlp_http_addr) == "127.0.0.1:4318"
    assert str(settings.otlp_grpc_addr) == "127.0.0.1:4317"
    assert str(settings.api_addr) == "127.0.0.1:8321"
    assert (settings.timezone, settings.currency) == ("UTC", "USD")
    assert settings.slack_webhook_url is None
    assert settings.allow_private_destinations is False


def test_data_live_where_the_platform_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    monkeypatch.setattr("sys.platform", "linux")
    assert read_settings().data_dir == Path("/somewhere/spanledger")


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", "")
    assert read_settings().database_url is None


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("API_ADDR", "8321", "write host:port"),
        ("API_ADDR", "http://127.0.0.1:8321", "without http://"),
        ("API_ADDR", "::1:8321", "brackets"),
        ("API_ADDR", "[nonsense]:8321", "nonsense"),
        ("OTLP_HTTP_ADDR", "127.0.0.1:65536", "65536"),
        ("OTLP_GRPC_ADDR", "127.0.0.1:", "not a number"),
        ("OTLP_CORS_ORIGINS", "*", "no wildcard"),
        ("OTLP_CORS_ORIGINS", "https://*.example", "no wildcard"),
        ("OTLP_CORS_ORIGINS", "https://a.example,b.example", "'b.example' is no origin"),
        ("OTLP_CORS_ORIGINS", "https://a.example/app", "has a path"),
        ("PAGES_URL", "spend.example", "no origin"),
        ("PAGES_URL", "https://example.com/spend", "has a path"),
        ("SPOOL", "perhaps", "write true or false"),
        ("SPOOL_BYTES", "1GB", "integer"),
        ("SPOOL_BYTES", "1000", "1048576"),
        ("SPOOL_HOURS", "0", "greater than 0"),
        ("TIMEZONE", "Europe/Berln", "did you mean Europe/Berlin"),
        ("TIMEZONE", "localtime", "IANA"),
        ("CURRENCY", "eur", "EUR"),
        ("DATABASE_URL", "sqlite:///x", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:hidden@h:port/x", "cannot read"),
        ("DATA_DIR", "/dev/null", "not a folder"),
        ("SLACK_WEBHOOK_URL", "http://hooks.example/hidden", "https"),
        ("SLACK_WEBHOOK_URL", "hidden", "URL"),
        ("ALLOW_PRIVATE_DESTINATIONS", "perhaps", "true or false"),
        ("KEY_PEPPER", "hidden", "16 characters"),
    ],
)
def test_a_wrong_setting_is_one_line_that_says_which_and_why(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(f"SPANLEDGER_{name}", value)
    with pytest.raises(WrongSetting) as refusal:
        read_settings()
    said = str(refusal.value)
    assert said.startswith(f"SPANLEDGER_{name}: ")
    assert why in said
    assert "\n" not in said
    assert "hidden" not in said


def test_several_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLEDGER_CURRENCY", "Euro")
    monkeypatch.setenv("SPANLEDGER_TIMEZONE", "Berlin time")
    with pytest.raises(WrongSetting) as refusal:
        read_settings()
    assert len(str(refusal.value).splitlines()) == 2


def test_webhooks_may_go_to_this_machine_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPANLEDGER_SLACK_WEBHOOK_URL", "http://127.0.0.1:9/hook")
    monkeypatch.setenv("SPANLEDGER_ALLOW_PRIVATE_DESTINATIONS", "true")
    assert read_settings().slack_webhook_url == "http://127.0.0.1:9/hook"


def test_origins_are_written_as_browsers_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "HTTPS://App.Example:443/ , http://localhost:3000,http://b.example:80"
    monkeypatch.setenv("SPANLEDGER_OTLP_CORS_ORIGINS", told)
    assert read_settings().otlp_cors_origins == {
        "https://app.example", "http://localhost:3000", "http://b.example",
    }  # fmt: skip


def test_messages_link_to_where_people_open_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLEDGER_KEY_PEPPER", "sixteen characters")
    assert job_settings(read_settings()).api_url == "http://127.0.0.1:8321"
    monkeypatch.setenv("SPANLEDGER_PAGES_URL", "https://Spend.example/")
    assert job_settings(read_settings()).api_url == "https://spend.example"


def test_a_misspelt_setting_is_noticed() -> None:
    variables = {"SPANLEDGER_DATABSE_URL": "x", "SPANLEDGER_CURRENCY": "EUR", "PATH": "x"}
    (line,) = unknown_settings(variables)
    assert "SPANLEDGER_DATABASE_URL?" in line


def test_what_the_sdk_and_the_server_for_models_read_is_no_mistake() -> None:
    theirs = ("ENDPOINT", "API_KEY", "API_URL", "READ_KEY")
    assert unknown_settings({f"SPANLEDGER_{name}": "x" for name in theirs}) == []


def test_settings_cannot_change_while_we_run() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().currency = "EUR"  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::1]:4318", "0.0.0.0:80", "a.example:1"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  # not bound
        ("::", False),
        ("10.0.0.1", False),
        ("a.example", False),
    ],
)
def test_only_loopback_is_taken_for_loopback(host: str, loopback: bool) -> None:
    assert Address(host, 1).is_loopback is loopback


@pytest.mark.parametrize(
    "text",
    ["http://127.0.0.1:8321", "https://a_b.example/behind/it", "http://[::1]:1", "https://0.0.0.0"],
)
def test_where_a_server_is_asked_is_a_url_without_a_slash_at_its_end(text: str) -> None:
    assert server_url(f" {text}/ ") == text


@pytest.mark.parametrize(
    "text",
    [
        "a.example:80",
        "ftp://zq",
        "https://",
        "http://zq:0",
        "http://zq:99999",
        "http://[::1",
        "http://256.1.1.1",
        "http://z q",
        "http://z\nq",
        "http://zq\u200b",
        "https://zq@a.example",
        "http://a.example/?zq",
        "http://a.example#zq",
    ],
)
def test_what_is_no_url_of_a_server_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"write http|an address alone") as refused:
        server_url(text)
    assert "zq" not in str(refused.value)


def test_an_address_that_is_everywhere_is_told_as_one_that_works() -> None:
    assert Address("0.0.0.0", 80).url_of("http") == "http://127.0.0.1:80"  # noqa: S104  # not bound
    assert Address("::", 80).url_of("https") == "https://[::1]:80"


def test_secrets_stand_in_files_and_a_variable_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "SPANLEDGER_DATABASE_URL").write_text("postgresql://u@files/x\n")
    (tmp_path / "SPANLEDGER_KEY_PEPPER").write_text("a pepper of some length\n")
    (tmp_path / "SPANLEDGER_SMTP_URL").write_text("\n")
    (tmp_path / "somebody-elses").write_text("not ours")
    monkeypatch.setenv("SPANLEDGER_SECRETS_DIR", str(tmp_path))
    settings = read_settings()
    assert settings.database_url == "postgresql://u@files/x"
    assert settings.key_pepper == "a pepper of some length"
    assert settings.smtp_url is None
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", "postgresql://u@variable/x")
    assert read_settings().database_url == "postgresql://u@variable/x"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("SPANLEDGER_DATABSE_URL", b"postgresql://u:hidden@h/x", "SPANLEDGER_DATABSE_URL is no"),
        ("SPANLEDGER_database_url", b"postgresql://u:hidden@h/x", "is no setting"),
        ("SPANLEDGER_KEY_PEPPER", b"\xff\xfehidden", "is no text"),
    ],
)
def test_a_secret_that_cannot_be_taken_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("SPANLEDGER_SECRETS_DIR", str(tmp_path))
    with pytest.raises(WrongSetting, match=why) as refusal:
        read_settings()
    assert "hidden" not in str(refusal.value)


def test_a_folder_of_secrets_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPANLEDGER_SECRETS_DIR", str(tmp_path / "away"))
    with pytest.raises(WrongSetting, match=r"SECRETS_DIR: .*away cannot be read"):
        read_settings()
