"""Log lines, ours and the libraries'."""

import json
import logging
import warnings

import pytest
import structlog

from app.logs import configure_logs


@pytest.fixture(autouse=True)
def _configured() -> None:
    configure_logs("collector")


def test_our_lines_and_those_of_libraries_have_one_shape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    structlog.get_logger("store.intake.intake").info("batch stored", calls=512)
    logging.getLogger("some.library").warning("%s is %s", "it", "odd")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert ours.keys() - {"calls"} == theirs.keys()
    assert (ours["event"], ours["calls"], ours["level"]) == ("batch stored", 512, "info")
    assert (theirs["event"], theirs["logger"]) == ("it is odd", "some.library")
    assert ours["process"] == theirs["process"] == "collector"


def test_a_traceback_is_in_the_line_and_holds_no_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = "hid" + "den"
    try:
        len(secret) / 0
    except ZeroDivisionError:
        structlog.get_logger("x").exception("it failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]
    assert "hidden" not in line


def test_warnings_of_python_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("something is old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert "something is old" in json.loads(capsys.readouterr().err)["event"]


def test_lines_are_for_people_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    configure_logs("serve")
    logging.getLogger("some.library").warning("odd")
    structlog.get_logger("x").info("part died", part="api")
    said = capsys.readouterr().err
    assert "{" not in said
    assert "part died" in said
    assert "odd" in said


def test_what_looks_like_a_secret_is_in_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "sk-" + "a1b2" * 6
    log = structlog.get_logger("x")
    log.warning("it failed", url=f"https://app:{secret}@host", seen=[{"key": secret}])
    logging.getLogger("some.library").error("no access with %s", secret)
    try:
        int(secret)
    except ValueError:
        log.exception("it failed")
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 3
    assert secret not in said


def test_a_tick_that_a_running_job_skips_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    clock = logging.getLogger("apscheduler.scheduler")
    clock.warning('Execution of job "%s" skipped: maximum number of running instances', "_tick")
    clock.error("the clock broke")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "the clock broke"
