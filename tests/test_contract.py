"""The contract of a receiver, after the OpenTelemetry Collector's own checker of receivers.

What is behind the doors takes requests, fails for now or refuses for good, by chance. Senders send
again what failed for now. Then every id was taken once or refused once, whichever way it came, and
what was taken is stored once.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock
from typing import Any
from zlib import crc32

import grpc
import pytest
from deliveries import as_otlp_json
from doors import JSON, PROTOBUF, Doors, call, open_doors, request
from records import api_request, logs
from serving import PATIENCE
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from collector import batches, receive
from collector.errors import Busy, Malformed
from collector.signals import Signal
from store.postgres.sessions import Database
from store.tables.heard import sightings

pytestmark = pytest.mark.one_server

ALWAYS_OK: tuple[str, ...] = ()
PERMANENT = ("refuse",)
TEMPORARY = ("fail", "fail at the store", "fail after the commit")
MIXED = (*PERMANENT, *TEMPORARY)
IDS, IN_ONE = 30, 3


class Behind:
    """What stands behind the doors: by chance it is not well."""

    def __init__(self, decisions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        self._chance = random.Random(7)
        self._decisions = decisions
        self._lock = Lock()
        self._asked: Counter[str] = Counter()
        check, put_down, commit = receive.check_items, batches.put_down, Database.write

        def checked(body: bytes, *arguments: Any) -> Any:
            # Whoever is refused for good is so each time: it is a fact of the request.
            if "refuse" in decisions and crc32(body) % 3 == 0:
                raise Malformed("refused for good, by chance")
            if self._decide("fail"):
                raise Busy("failed for now, by chance")
            return check(body, *arguments)

        def put(*arguments: Any, **named: Any) -> Any:
            if self._decide("fail at the store"):
                raise OperationalError("failed for now, by chance", None, Exception())
            return put_down(*arguments, **named)

        def write(database: Database) -> Any:
            return self._lost(commit(database))

        monkeypatch.setattr(receive, "check_items", checked)
        monkeypatch.setattr(batches, "put_down", put)
        monkeypatch.setattr(Database, "write", write)

    def _decide(self, failure: str) -> bool:
        """Whether it fails so now: the first time, and a third of all times."""
        if failure not in self._decisions:
            return False
        with self._lock:
            self._asked[failure] += 1
            return self._asked[failure] == 1 or self._chance.random() < 1 / 3

    def _lost(self, transaction: Any) -> Any:
        """A transaction of which nobody hears, at times, that it is committed."""
        behind = self

        class Lost:
            def __enter__(self) -> Any:
                return transaction.__enter__()

            def __exit__(self, *raised: object) -> Any:
                done = transaction.__exit__(*raised)
                if raised[0] is None and behind._decide("fail after the commit"):
                    raise OperationalError("lost, by chance", None, Exception())
                return done

        return Lost()


Way = Callable[[Doors, tuple[int, ...]], str]
"""Sends some ids, and says what it was told: taken, refused, or again."""


def told(status: int) -> str:
    return {200: "taken", 400: "refused", 503: "again"}[status]


def spans(ids: tuple[int, ...]) -> bytes:
    return request(*(call(number, trace=number, tokens=number) for number in ids))


def as_protobuf(doors: Doors, ids: tuple[int, ...]) -> str:
    return told(doors.post(spans(ids), PROTOBUF).status)


def as_json(doors: Doors, ids: tuple[int, ...]) -> str:
    return told(doors.post(as_otlp_json(spans(ids), Signal.TRACES), JSON).status)


def as_grpc(doors: Doors, ids: tuple[int, ...]) -> str:
    codes = {grpc.StatusCode.INVALID_ARGUMENT: "refused", grpc.StatusCode.UNAVAILABLE: "again"}
    with grpc.insecure_channel(doors.grpc) as channel:
        try:
            channel.unary_unary(f"/{Signal.TRACES.service}/Export")(spans(ids), timeout=20)
        except grpc.RpcError as error:
            return codes[error.code()]
    return "taken"


def as_logs(doors: Doors, ids: tuple[int, ...]) -> str:
    records = [
        api_request(attributes={"input_tokens": number, "event.sequence": number}) for number in ids
    ]
    return told(doors.post(logs(*records), PROTOBUF, path="/v1/logs").status)


WAYS: tuple[Way, ...] = (as_protobuf, as_json, as_grpc, as_logs)


@pytest.mark.parametrize(
    "decisions",
    [ALWAYS_OK, PERMANENT, TEMPORARY, MIXED],
    ids=["ok", "permanent", "temporary", "mixed"],
)
def test_each_id_is_taken_once_or_refused_once(
    database: Database, decisions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = count(1_000)
    with open_doors(database) as doors, ThreadPoolExecutor(len(WAYS)) as senders:
        assert as_protobuf(doors, (1,)) == "taken"
        Behind(decisions, monkeypatch)

        def send(way: Way, ids: list[int]) -> list[tuple[int, str]]:
            done = []
            for first in range(0, IDS, IN_ONE):
                few = tuple(ids[first : first + IN_ONE])
                ends, until = "again", time.monotonic() + PATIENCE
                while ends == "again":
                    assert time.monotonic() < until, "it is to be sent again, and again"
                    ends = way(doors, few)
                done += [(number, ends) for number in few]
            return done

        sent = [senders.submit(send, way, [next(numbers) for _ in range(IDS)]) for way in WAYS]
        ends = [end for sending in sent for end in sending.result(60)]
        monkeypatch.undo()
        sums = doors.accounted()
    taken = sorted(number for number, end in ends if end == "taken")
    refused = [number for number, end in ends if end == "refused"]
    assert len(ends) == len(WAYS) * IDS
    with database.read() as session:
        stored = session.execute(select(sightings.c.input).order_by(sightings.c.input)).scalars()
        assert list(stored)[1:] == taken
    assert sums.pop("heard") == sum(sums.values())
    assert bool(refused) == ("refuse" in decisions)
    assert bool(sums["duplicate"]) == ("fail after the commit" in decisions)
