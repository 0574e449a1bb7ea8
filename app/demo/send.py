"""Sends the company's past in one go, and its present as it happens.

Both come from one plan: an exchange is sent once it has ended. So whoever stops the demo and
starts it again, today or next week, repeats what was sent (and nothing counts twice), fills what
was missed meanwhile, and goes on.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Event

from app.demo.emit import NotTakenError, Sender
from app.demo.traffic import HOUR, SECOND, Exchange, plan_between, plan_of_hour

SOON = 1.0
"""Seconds between two looks at what has ended meanwhile."""


def beginning(now: datetime, weeks: int) -> datetime:
    """The midnight (UTC) at which the history begins: whole days, so that it can be repeated."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(weeks=weeks)


def send_history(
    sender: Sender, *, first: datetime, now: datetime, seed: int, scale: float
) -> Iterator[tuple[int, int]]:
    """Send what has ended before ``now``. Raises NotTakenError.

    Answers after each hour of the plan how many hours are done, and how many calls were in them.
    """
    calls, until = 0, _ns(now)
    for done, (_, plan) in enumerate(plan_between(first, now, seed=seed, scale=scale), start=1):
        calls += send_all(sender, (e for e in plan if e.end_ns <= until))
        yield done, calls
    sender.post()


def send_all(sender: Sender, exchanges: Iterable[Exchange]) -> int:
    """Send exchanges; returns how many calls they hold. Raises NotTakenError."""
    calls = 0
    for exchange in exchanges:
        sender.send(exchange)
        calls += len(exchange.calls)
    return calls


def send_live(
    sender: Sender,
    *,
    since: datetime,
    seed: int,
    scale: float,
    stop: Event,
    clock: Callable[[], datetime],
    told: Callable[[Exchange], None],
    pause: float = SOON,
) -> None:
    """Send each exchange when it has ended, until ``stop``; what ended before ``since`` was sent.

    While the collector takes nothing, it waits and is sent again.
    """
    seen = _ns(since)
    while not stop.wait(pause):
        now = clock()
        for exchange in _ended(seen, now, seed=seed, scale=scale):
            with suppress(NotTakenError):
                sender.send(exchange)
            told(exchange)
        seen = _ns(now)
        with suppress(NotTakenError):
            sender.post()


@lru_cache(maxsize=4)
def _plan(hour: datetime, *, seed: int, scale: float) -> tuple[Exchange, ...]:
    return tuple(plan_of_hour(hour, seed=seed, scale=scale))


def _ended(after_ns: int, now: datetime, *, seed: int, scale: float) -> list[Exchange]:
    this = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    # No exchange lasts an hour: what ends now began in this hour or in the one before.
    plans = (_plan(hour, seed=seed, scale=scale) for hour in (this - HOUR, this))
    ended = [e for plan in plans for e in plan if after_ns < e.end_ns <= _ns(now)]
    return sorted(ended, key=lambda exchange: exchange.end_ns)


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * (SECOND // 1_000_000)
