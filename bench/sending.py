"""The sender: a process of its own with many connections, which costs little CPU.

It sends as fast as it is answered, or so many requests a second whenever they are due (the time
from due to answered is then what counts, so that one slow answer is not only one). What is not
taken for the moment is sent again, as SDKs do.
"""

import http.client
import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from typing import Final

from bench.bodies import Template

_BUSY: Final = frozenset({429, 502, 503, 504})
_PATIENCE: Final = 60.0
"""Seconds for one answer, and for all repetitions of one request."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, where to, for how long."""

    address: str
    """host:port"""
    templates: list[Template]
    connections: int
    seconds: float
    requests_a_second: float | None = None
    """None: each connection sends again as soon as it is answered."""
    twice_in: int = 0
    """One request in so many is sent twice. 0: none."""
    path: str = "/v1/traces"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of it."""

    requests: int
    """Different ones, each answered as stored."""
    spans: int
    repeated: int
    """Requests that were sent a second time on purpose, and answered as well."""
    busy: int
    """Answers that asked to come again."""
    seconds: float
    """From the first byte to the last answer."""
    answered_after: list[float]
    """Seconds, of each request, ascending."""
    cpu_seconds: float

    @property
    def spans_a_second(self) -> float:
        """Of different spans."""
        return self.spans / self.seconds


class NotStored(Exception):  # noqa: N818  # says what happened
    """An answer that is neither 'stored' nor 'come again': the bench is wrong, or the product."""


def percentile(ascending: list[float], percent: float) -> float:
    """The value that so many percent of all do not exceed."""
    return ascending[min(len(ascending) - 1, int(len(ascending) * percent / 100))]


@contextmanager
def sending(load: Load) -> Iterator["Sender"]:
    """A sender at work, for as long as the block lasts; ``result()`` waits for its end."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(load, theirs), daemon=True
    )
    process.start()
    theirs.close()
    try:
        yield Sender(ours)
    finally:
        process.terminate()
        process.join()


class Sender:
    """The process that sends, seen from ours."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        if pipe.recv() != "begins":
            raise NotStored("the sender did not begin")

    def is_done(self, timeout: float) -> bool:
        """Whether it ended within so many seconds."""
        return self._pipe.poll(timeout)

    def result(self) -> Sent:
        """What became of it all. Raises NotStored."""
        told = self._pipe.recv()
        if isinstance(told, Sent):
            return told
        raise NotStored(told)


def send(load: Load) -> Sent:
    """Sends a load and waits for its end."""
    with sending(load) as sender:
        return sender.result()


def _run(load: Load, pipe: Connection) -> None:
    course = _Course(load)
    threads = [threading.Thread(target=course.send, daemon=True) for _ in range(load.connections)]
    pipe.send("begins")
    cpu = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = time.process_time() - cpu
    if course.failure:
        pipe.send(course.failure)
        return
    answered = len(course.answered_after)
    spans = sum(len(load.templates[n % len(load.templates)].ids_at) for n in range(answered))
    pipe.send(
        Sent(
            requests=answered,
            spans=spans,
            repeated=course.repeated,
            busy=course.busy,
            seconds=course.last - course.began,
            answered_after=sorted(course.answered_after),
            cpu_seconds=cpu,
        )
    )


class _Course:
    """What the connections share."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._numbers = count()
        self._turn = threading.Lock()
        self._gaps = random.Random(4)  # noqa: S311  # the same in each run
        self.began = self._due = time.perf_counter()
        self._end = self.began + load.seconds
        self.last = self.began
        self.repeated = self.busy = 0
        self.answered_after: list[float] = []
        self.failure: str | None = None

    def send(self) -> None:
        """One connection's part."""
        connection = http.client.HTTPConnection(self._load.address, timeout=_PATIENCE)
        try:
            while (turn := self._next()) is not None:
                number, due = turn
                body = self._load.templates[number % len(self._load.templates)].fresh()
                if due > time.perf_counter():
                    time.sleep(due - time.perf_counter())
                self._until_stored(connection, body)
                now = time.perf_counter()
                self.answered_after.append(now - due)
                self.last = max(self.last, now)
                if self._load.twice_in and number % self._load.twice_in == 0:
                    self._until_stored(connection, body)
                    self.repeated += 1
        except (NotStored, OSError, http.client.HTTPException) as error:
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    def _next(self) -> tuple[int, float] | None:
        """The number of a request, and when it is due; None when all are sent."""
        with self._turn:
            now = time.perf_counter()
            rate = self._load.requests_a_second
            due = now
            if rate:
                # As of senders that know nothing of each other.
                self._due += self._gaps.expovariate(rate)
                due = self._due
            if self.failure or max(due, now) > self._end:
                return None
            return next(self._numbers), due

    def _until_stored(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        headers = {"content-type": "application/x-protobuf", **self._load.headers}
        give_up = time.monotonic() + _PATIENCE
        while True:
            connection.request("POST", self._load.path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status in range(200, 300):
                return
            if answer.status not in _BUSY or time.monotonic() > give_up:
                raise NotStored(f"{answer.status} {said[:300]!r}")
            self.busy += 1
            time.sleep(float(answer.headers.get("retry-after") or 1))
