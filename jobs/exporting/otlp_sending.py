"""Sends to somebody else's OTLP over HTTP: what it answers, and when it is worth another try.

Where it goes is set by whoever runs us, in the environment, and mostly is a Collector within the
network: so inner addresses and http are let through here whatever ALLOW_PRIVATE_DESTINATIONS says,
which holds back those who may set a webhook. Link-local addresses, a cloud's metadata, are not.
Source: OTLP specification 1.9, "OTLP/HTTP Response".
"""

import gzip
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Final, Literal
from urllib.parse import urlsplit

from jobs.delivery.destinations import Unreachable, post
from jobs.delivery.verdicts import asked_wait
from spend.channels.destinations import DestinationRefused

Headers = Iterable[tuple[str, str]]

_AGAIN: Final = frozenset({429, 502, 503, 504})
_PAUSE: Final = timedelta(seconds=1)
_LEAST: Final = timedelta(milliseconds=100)
_ATTEMPTS: Final = 5
_TICK: Final = 0.1
_TAKEN: Final = 2
"""Hundreds of a status."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a request. No text of it holds a header or the path of the address."""

    outcome: Literal["taken", "refused", "away"]
    """refused: the same request will never be taken; away: another time it may be."""
    why: str
    """For people: 'answered 403'."""
    answer: bytes = b""
    """What a taken request was answered."""


def send(
    url: str,
    body: bytes,
    headers: Headers,
    *,
    now: datetime,
    until: float,
    going_on: Callable[[], bool] = lambda: True,
) -> Sent:
    """Posts protobuf, again where that may help, and is over by ``until`` (time.monotonic).

    ``now`` (UTC) is what a date in Retry-After counts from. ``going_on``: False, and nothing is
    tried again.
    """
    packed = gzip.compress(body, 6, mtime=0)
    said = {"content-type": "application/x-protobuf", "content-encoding": "gzip", **dict(headers)}
    pause = _PAUSE
    for attempt in count(1):
        sent, asked = _once(url, packed, said, now, until)
        wait = pause if asked is None else max(asked, _LEAST)
        ends = time.monotonic() + wait.total_seconds()
        if sent.outcome != "away" or attempt == _ATTEMPTS or ends >= until:
            return sent
        while time.monotonic() < ends:
            if not going_on():
                return sent
            time.sleep(_TICK)
        pause *= 2
    raise AssertionError("unreachable: the last attempt returns")


def _once(
    url: str, packed: bytes, headers: dict[str, str], now: datetime, until: float
) -> tuple[Sent, timedelta | None]:
    """One attempt, and how long it is asked to wait."""
    try:
        answer = post(url, packed, headers=headers, allow_private=True, until=until)
    except DestinationRefused as refused:
        return Sent("refused", f"the address is refused: {refused}"), None
    except Unreachable as unreachable:
        return Sent("away", f"{host_of(url)}: {unreachable}"), None
    why = f"{host_of(url)} answered {answer.status}"
    if answer.status // 100 == _TAKEN:
        return Sent("taken", why, answer.body), None
    if answer.status in _AGAIN:
        return Sent("away", why), asked_wait(answer.retry_after, now)
    return Sent("refused", why), None


def host_of(url: str) -> str:
    """What of an address may be told: its host and port."""
    return urlsplit(url).netloc
