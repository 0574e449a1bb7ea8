"""A name that is not found, or that nobody answers for, harms the messages that go there alone."""

import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from serving import eventually
from slack_stand_in import StandIn, slack_stand_in
from test_places import channel, rows, send, tell

from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

HOST = "hooks.slow.example"


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


def test_a_name_that_hangs_delays_its_own_message_alone(
    database: Database, slack: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, found = socket.getaddrinfo, threading.Event()
    hung: list[bool] = []

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        if host != HOST:
            return real(host, *rest, **more)
        if not found.is_set():
            # It hangs until the other message has arrived, and is not known then.
            eventually(lambda: slack.bodies, "the other message arrives")
            hung.append(True)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    slow = slack.url.replace(urlsplit(slack.url).hostname or "", HOST)
    tell(database, 1, channel(database, slow, "slow"), channel(database, slack.url, "quick"))
    send(database)
    assert hung == [True], "the other one arrived while the name hung"
    assert sorted(row.status for row in rows(database)) == ["pending", "sent"]
    (waits,) = [row for row in rows(database) if row.status == "pending"]
    assert waits.last_error
    found.set()
    send(database, seconds=3600)
    assert {row.status for row in rows(database)} == {"sent"}
