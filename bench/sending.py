"""The sender: a process of its own with many connections, which costs little CPU.

It sends as fast as it is answered, or so many requests a second whenever they are due (the time
from due to answered is then what counts, so that one slow answer is not only one). What is not
taken for the moment is sent again, as SDKs do.
"""

import http.client
import multiprocessing
import random
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from multiprocessing.connection import Connection
from typing import Final, Self

from bench.bodies import Request, Template

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
    threads = [
        threading.Thread(target=course.send, args=[_share(load, n)], daemon=True)
        for n in range(load.connections)
    ]
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
    pipe.send(
        Sent(
            requests=len(course.answered_after),
            spans=course.spans,
            repeated=course.repeated,
            busy=course.busy,
            seconds=course.last - course.began,
            answered_after=sorted(course.answered_after),
            cpu_seconds=cpu,
        )
    )


def _share(load: Load, connection: int) -> list[Template]:
    """The templates of one connection: each has some of its own where there are enough."""
    count = len(load.templates)
    own = load.templates[connection % count :: load.connections]
    return own or [load.templates[connection % count]]


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
        self.spans = self.repeated = self.busy = 0
        self._salt = secrets.randbits(32)
        self.answered_after: list[float] = []
        self.failure: str | None = None

    def send(self, templates: list[Template]) -> None:
        """One connection's part, with requests of its own."""
        try:
            with _Connection(self._load) as connection:
                for request in cycle([Request(template) for template in templates]):
                    turn = self._next()
                    if turn is None:
                        return
                    number, due = turn
                    body = request.renew(self._salt + number)
                    time.sleep(max(0.0, due - time.perf_counter()))
                    self._until_stored(connection, body)
                    self._answered(request.spans, due)
                    if self._load.twice_in and number % self._load.twice_in == 0:
                        self._until_stored(connection, body)
                        with self._turn:
                            self.repeated += 1
        except (NotStored, OSError, http.client.HTTPException) as error:
            self.failure = f"{type(error).__name__}: {error}"

    def _answered(self, spans: int, due: float) -> None:
        with self._turn:
            self.last = time.perf_counter()
            self.answered_after.append(self.last - due)
            self.spans += spans

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

    def _until_stored(self, connection: "_Connection", body: bytearray) -> None:
        give_up = time.monotonic() + _PATIENCE
        while True:
            answer, said = connection.post(body)
            if answer.status in range(200, 300):
                return
            if answer.status not in _BUSY or time.monotonic() > give_up:
                raise NotStored(f"{answer.status} {said[:300]!r}")
            with self._turn:
                self.busy += 1
            time.sleep(float(answer.headers.get("retry-after") or 1))


class _Connection:
    """HTTP as it must be and no more: a body is handed to the kernel as it lies in memory."""

    def __init__(self, load: Load) -> None:
        host, _, port = load.address.rpartition(":")
        self._address = host.strip("[]"), int(port)
        headers = {"host": load.address, "content-type": "application/x-protobuf", **load.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f"POST {load.path} HTTP/1.1\r\n{lines}".encode()
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def post(self, body: bytearray) -> tuple[http.client.HTTPResponse, bytes]:
        """The answer and its body."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=_PATIENCE)
        head = self._head + b"content-length: %d\r\n\r\n" % len(body)
        sent = self._socket.sendmsg([head, body]) - len(head)
        if sent < len(body):
            self._socket.sendall(memoryview(body)[max(sent, 0) :])
        answer = http.client.HTTPResponse(self._socket, method="POST")
        answer.begin()
        said = answer.read()
        if answer.will_close:
            self.__exit__()
        return answer, said
