"""What became of an attempt to send a message, and when the next one is due."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from jobs.delivery.destinations import Answer

FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=15)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
ATTEMPTS: Final = 104
"""Their waits add up to a day (5 s, 10 s, … 15 min, 15 min …)."""

# Of all 4xx these may be answered otherwise the next time.
_PASSING: Final = (408, 425, 429)
_ACCEPTED, _REDIRECTED, _FAILED = 2, 3, 5
"""Hundreds of a status."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one attempt."""

    outcome: Literal["sent", "later", "never"]
    error: str = ""
    """Why; of what was sent: whom it did not reach."""
    wait: timedelta | None = None
    """At least so long before the next attempt, as the destination asks."""
    unsure: bool = False
    """Nobody knows whether it arrived."""
    left: tuple[str, ...] = ()
    """Of a mail: who is still to get it."""


class AskLater(Exception):  # noqa: N818  # a state of the place, as the verdict says
    """A place does not tell just now what it has shown: ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.error)
        self.verdict = verdict


def judged(answer: Answer, now: datetime) -> Verdict:
    """What a status means to anybody: 2xx is sent, 5xx and 429 pass, all else never succeeds."""
    reason = f"answered {answer.status}"
    kind = answer.status // 100
    if answer.status in _PASSING or kind == _FAILED:
        return Verdict("later", reason, asked_wait(answer.retry_after, now))
    if kind != _ACCEPTED:
        redirected = " (redirects are not followed)" if kind == _REDIRECTED else ""
        return Verdict("never", reason + redirected)
    return Verdict("sent")


def asked_wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After (seconds or a date, RFC 9110) asks for; None when it says neither."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if re.fullmatch("[0-9]{1,9}", text):
        return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year or an offset of twenty digits
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), LONGEST_RETRY_AFTER)


def wait_after(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many attempts; ``jitter`` (0.8 to 1.2) keeps senders apart."""
    doubled: timedelta = FIRST_WAIT * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_WAIT) * jitter
