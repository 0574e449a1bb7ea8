"""``spanledger channels listen``: an alert arrives in a terminal, through all that sends alerts."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from serving import PATIENCE, environment, eventually

from app.listener import is_left_behind, listening
from app.pepper import pepper_for
from app.settings import Settings
from jobs.context import JobContext, JobSettings
from jobs.delivery import send_alerts
from jobs.delivery.webhooks import signature
from spend.channels.notices import Notice
from store.access.secrets import new_signing_key
from store.channels.channels import all_channels
from store.channels.notify import tell_at
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

ALERT = Notice(
    kind="actual",
    level="warning",
    title="84 % of budget search is spent",
    summary="…",
    facts=(("Spent", "84 of 100 USD"), ("Threshold", "80 %")),
    link="http://127.0.0.1:8321/alerts/1",
)


class Listening:
    """The command at work, and the job that sends."""

    def __init__(
        self, process: subprocess.Popen[str], said: Path, database: Database, data_dir: Path
    ) -> None:
        self.process = process
        self._said = said
        self._database = database
        self._pepper = pepper_for(Settings(data_dir=data_dir))

    @property
    def said(self) -> str:
        """On stderr."""
        return self._said.read_text()

    def tell(self) -> None:
        """Writes an alert that belongs to no channel into the outbox."""
        with self._database.write() as session:
            tell_at(session, TENANT, ALERT, [None], key="an alert", now=datetime.now(UTC))

    def send(self, *, allow_private: bool = True) -> None:
        """A round of the job."""
        settings = JobSettings(allow_private_destinations=allow_private, key_pepper=self._pepper)
        send_alerts.run(JobContext(self._database, datetime.now(UTC), settings))

    def ended(self) -> tuple[int, str]:
        """Its exit code, and what it printed."""
        printed, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, printed


@pytest.fixture
def listen(database: Database, database_url: str, data_dir: Path, tmp_path: Path) -> "Listen":
    return Listen(database, database_url, data_dir, tmp_path / "said")


class Listen:
    def __init__(self, database: Database, url: str, data_dir: Path, said: Path) -> None:
        self._database, self._url, self._data_dir, self._said = database, url, data_dir, said

    @contextmanager
    def __call__(self, *options: str) -> Iterator[Listening]:
        with (
            self._said.open("w") as stderr,
            subprocess.Popen(  # noqa: S603  # this very program
                [sys.executable, "-P", "-m", "app", "channels", "listen", *options],
                env=environment(self._data_dir, DATABASE_URL=self._url),
                cwd="/",
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as process,
        ):
            try:
                eventually(lambda: "listening at" in self._said.read_text(), "it listens")
                eventually(lambda: self.channels() == ["listener"], "its channel is there")
                yield Listening(process, self._said, self._database, self._data_dir)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()

    def channels(self) -> list[str]:
        with self._database.read() as session:
            return [each.name for each in all_channels(session, TENANT)]


def test_an_alert_arrives_in_the_terminal_and_the_channel_goes_with_it(listen: Listen) -> None:
    with listen("--once") as listening:
        listening.send()
        eventually(lambda: "a sample arrived" in listening.said, "the sample arrived")
        listening.tell()
        listening.send()
        code, printed = listening.ended()
    assert code == 0
    head, *rest = printed.strip().splitlines()
    assert head.endswith(" UTC  warning  84 % of budget search is spent")
    assert rest == [
        "  Spent      84 of 100 USD",
        "  Threshold  80 %",
        "  http://127.0.0.1:8321/alerts/1",
    ]
    assert listen.channels() == []


def test_who_writes_a_receiver_sees_the_message_as_it_came(listen: Listen) -> None:
    with listen("--json") as listening:
        listening.tell()
        listening.send()
        line = listening.process.stdout.readline() if listening.process.stdout else ""
        listening.process.terminate()
        assert listening.ended() == (0, "")
    message = json.loads(line)
    assert message["type"] == "alert.actual"
    assert message["data"]["facts"][0] == {"label": "Spent", "value": "84 of 100 USD"}
    assert listen.channels() == [], "removed when it is told to end"


def test_a_server_that_may_not_send_to_this_machine_is_told_of_with_what_helps(
    listen: Listen,
) -> None:
    with listen() as listening:
        listening.send(allow_private=False)
        code, _ = listening.ended()
    assert code == 1
    assert "SPANLEDGER_ALLOW_PRIVATE_DESTINATIONS=true" in listening.said
    assert listen.channels() == []


def test_what_a_killed_one_left_behind_is_removed_by_the_next(listen: Listen) -> None:
    with listen() as first:
        first.process.kill()
        first.ended()
        assert listen.channels() == ["listener"]
    with listen("--once") as second:
        second.tell()
        second.send()
        code, printed = second.ended()
    assert (code, listen.channels()) == (0, [])
    assert "84 % of budget search" in printed


def posted(url: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        request = urllib.request.Request(url, body, headers)  # noqa: S310  # http, to this machine
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_only_what_is_signed_is_taken_and_what_comes_twice_is_shown_once() -> None:
    key, body = new_signing_key(), b'{"data": {}}'
    stamp = int(datetime.now(UTC).timestamp())
    good = {"webhook-id": "m", "webhook-timestamp": str(stamp)}
    good["webhook-signature"] = signature(key, "m", stamp, body)
    old = {**good, "webhook-timestamp": str(stamp - 400)}
    old["webhook-signature"] = signature(key, "m", stamp - 400, body)
    with listening(key) as listener:
        assert not is_left_behind(listener.url)
        assert posted(listener.url, body, {}) == 401
        assert posted(listener.url, body + b" ", good) == 401
        assert posted(listener.url, body, good | {"webhook-timestamp": "now"}) == 401
        assert posted(listener.url, body, old) == 401
        # It is refused by what it says of itself: nobody reads that much first.
        assert posted(listener.url, body, good | {"Content-Length": str(1024**2 + 1)}) == 413
        assert listener.next(0) is None
        assert [posted(listener.url, body, good) for _ in range(2)] == [204, 204]
        assert listener.next(0) == {"data": {}}
        assert listener.next(0) is None
    assert is_left_behind(listener.url)
    assert not is_left_behind("https://example.com/hook")
