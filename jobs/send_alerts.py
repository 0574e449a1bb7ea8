"""Sends what the outbox holds, at least once, and one message in all but a crash's case.

A message is claimed and the claim committed before it is sent: no transaction is open while a
webhook takes its time. What fails is tried again for about a day; what can never succeed is dead,
and shows in /v1/alerts.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Final, Literal
from urllib.parse import urlsplit

import structlog

from jobs.context import Done, JobContext
from jobs.destinations import Answer, Unreachable, post_json
from jobs.slack import message
from spend.destinations import DestinationRefused
from spend.notices import notice_of
from store import outbox, silences
from store.outbox import Claim
from store.tenants import TENANT

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=60)
FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=15)
LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
ATTEMPTS: Final = 104
"""Their waits add up to a day (5 s, 10 s, … 15 min, 15 min …)."""
LONGEST_RUN: Final = timedelta(seconds=45)
"""A round ends by then, and the next one goes on: dead webhooks must not hold the clock."""

_SLACK_HOSTS: Final = ("hooks.slack.com", "hooks.slack-gov.com")
# What Slack answers in a body, some with 200. Source: api.slack.com/messaging/webhooks, and the
# changelog of 2016-05-17.
_NEVER: Final = frozenset(
    {
        b"action_prohibited",
        b"channel_is_archived",
        b"channel_not_found",
        b"invalid_blocks",
        b"invalid_payload",
        b"invalid_token",
        b"no_active_hooks",
        b"no_service",
        b"no_service_id",
        b"no_team",
        b"no_text",
        b"posting_to_general_channel_denied",
        b"team_disabled",
        b"too_many_attachments",
        b"user_not_found",
    }
)
_LATER: Final = frozenset({b"rollup_error", b"rate_limited", b"ratelimited"})
# Of all 4xx these may be answered otherwise the next time.
_PASSING: Final = (408, 425, 429)
_ACCEPTED, _REDIRECTED, _FAILED = 2, 3, 5
"""Hundreds of a status."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one attempt."""

    outcome: Literal["sent", "later", "never"]
    error: str = ""
    wait: timedelta | None = None
    """At least so long before the next attempt, as the destination asks."""


def run(context: JobContext) -> Done:
    """Sends everything that is due at ``context.now``."""
    default = context.settings.slack_webhook_url
    started = time.monotonic()

    def now() -> datetime:
        # Leases run on while we wait for webhooks; the rest of a round's time is context.now.
        return context.now + timedelta(seconds=time.monotonic() - started)

    with context.database.write() as session:
        silences.settle(session, TENANT, context.now)
    counts = {"sent": 0, "later": 0, "never": 0}
    while now() < context.now + LONGEST_RUN:
        with context.database.write() as session:
            claimed = outbox.claim(session, TENANT, now(), LEASE, default)
        if claimed is None:
            break
        verdict = _sent(claimed, now(), allow_private=context.settings.allow_private_destinations)
        if verdict.outcome == "later" and claimed.attempts >= ATTEMPTS:
            verdict = Verdict("never", f"given up after {ATTEMPTS} attempts: {verdict.error}")
        _mark(context, claimed, verdict, now)
        counts[verdict.outcome] += 1
    with context.database.write() as session:
        waiting = outbox.say_why_waiting(session, TENANT, default)
    note = f"{counts['sent']} sent, {counts['later']} to try again, {counts['never']} dead"
    return Done(note + (f", {waiting} wait for a Slack webhook to be set" if waiting else ""))


def _sent(claimed: Claim, now: datetime, *, allow_private: bool) -> Verdict:
    # Messages of before revision 0022 are Slack's already.
    said = claimed.body if "blocks" in claimed.body else message(notice_of(claimed.body))
    body = json.dumps(said, ensure_ascii=False).encode()
    try:
        answer = post_json(claimed.destination, body, allow_private=allow_private)
    except DestinationRefused as refused:
        # Not dead: nothing was sent, and mending the setting sends it.
        return Verdict("later", f"the destination is refused: {refused}")
    except Unreachable as unreachable:
        return Verdict("later", str(unreachable))
    except Exception as error:  # one message's trouble must not stop the others
        log.exception("a message could not be sent", message=claimed.id)
        return Verdict("later", f"{type(error).__name__}")
    slack = urlsplit(claimed.destination).hostname in _SLACK_HOSTS
    return judged(answer, slack=slack, now=now)


def judged(answer: Answer, *, slack: bool, now: datetime) -> Verdict:
    """What an answer means. Of Slack only ``ok`` is good; of others anything that says 2xx."""
    said = answer.body.strip()
    reason = f"answered {answer.status}"
    if said in _NEVER | _LATER:
        reason += f" {said.decode()}"
    kind = answer.status // 100
    if said in _LATER or answer.status in _PASSING or kind == _FAILED:
        return Verdict("later", reason, _asked_wait(answer.retry_after, now))
    if said in _NEVER or kind != _ACCEPTED:
        redirected = " (redirects are not followed)" if kind == _REDIRECTED else ""
        return Verdict("never", reason + redirected)
    if slack and said != b"ok":
        return Verdict("later", f"{reason}, but not ok")
    return Verdict("sent")


def _asked_wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After (seconds or a date, RFC 9110) asks for; None when it says neither."""
    if retry_after is None:
        return None
    if re.fullmatch("[0-9]{1,9}", retry_after.strip()):
        asked = timedelta(seconds=int(retry_after))
    else:
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        asked = until.replace(tzinfo=until.tzinfo or UTC) - now
    return max(timedelta(0), min(asked, LONGEST_RETRY_AFTER))


def wait_after(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many attempts; ``jitter`` (0.8 to 1.2) keeps senders apart."""
    doubled: timedelta = FIRST_WAIT * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_WAIT) * jitter


def _mark(
    context: JobContext, claimed: Claim, verdict: Verdict, now: Callable[[], datetime]
) -> None:
    with context.database.write() as session:
        if verdict.outcome == "sent":
            marked = outbox.mark_sent(session, claimed, now())
        elif verdict.outcome == "never":
            marked = outbox.mark_dead(session, claimed, verdict.error)
        else:
            wait = wait_after(claimed.attempts, SystemRandom().uniform(0.8, 1.2))
            next_at = now() + max(wait, verdict.wait or timedelta(0))
            marked = outbox.mark_failed(session, claimed, verdict.error, next_at)
    if verdict.outcome == "later":
        _let_rest(context, claimed.destination, now() + (verdict.wait or FIRST_WAIT))
    if not marked:
        log.warning("a message took longer than its lease", message=claimed.id)
    log.info(
        "a message was tried",
        message=claimed.id,
        attempt=claimed.attempts,
        outcome=verdict.outcome,
        error=verdict.error or None,
    )


def _let_rest(context: JobContext, destination: str, until: datetime) -> None:
    """What is down or asks us to wait is not asked for its other messages at once."""
    with context.database.write() as session:
        outbox.postpone(session, TENANT, destination, until, context.settings.slack_webhook_url)
