"""Who watches the log while Postgres is away reads what is the matter, and reads it once."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from app.database import bring_up_to_date
from app.errors import DatabaseUnavailable
from collector.batches import Writer
from collector.limits import Limits
from jobs import timetable
from jobs.context import JobContext
from store.postgres.sessions import open_database

NOWHERE = "postgresql://127.0.0.1:1/none"


def test_a_database_that_is_waited_for_is_told_of_once() -> None:
    with capture_logs() as logged, pytest.raises(DatabaseUnavailable):
        bring_up_to_date(NOWHERE, wait=0.7)
    assert [line["event"] for line in logged] == ["waiting for the database"]
    assert "127.0.0.1:1 is away: Connection refused" in logged[0]["why"]


def test_an_outage_is_told_of_once_and_in_a_line_without_advice() -> None:
    database = open_database(NOWHERE, application="tests")
    writer = Writer(database, Limits())
    with capture_logs() as logged:
        writer.probe()
        writer.probe()
    database.engine.dispose()
    [line] = logged
    assert line["event"] == "the database is away"
    assert line["error"].endswith("Connection refused")


def test_a_job_that_waits_for_the_database_is_told_of_without_a_traceback() -> None:
    database = open_database(NOWHERE, application="tests")
    with capture_logs() as logged:
        timetable._tick("alerts", JobContext(database, now=datetime.now(UTC)))
    database.engine.dispose()
    [line] = logged
    assert (line["event"], line["job"]) == ("the database is away, a job waits", "alerts")
    assert "Connection refused" in line["why"]
    assert "exc_info" not in line
