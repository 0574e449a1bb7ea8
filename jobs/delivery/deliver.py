"""Delivers what is due to one place: claims, sends, marks, and leaves it alone when it asks.

A message is claimed, and that committed, before it is sent: no transaction is open while a place
takes its time. What fails is tried again for about a day; what can never succeed is dead, shown in
/v1/alerts, and told to others.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import unescape
from random import SystemRandom
from typing import Final
from zlib import crc32

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from jobs.budgets.budget_picture import picture_of
from jobs.context import JobContext
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.storm import many
from jobs.delivery.transports import TRANSPORTS
from jobs.delivery.undelivered import tell_others
from jobs.delivery.verdicts import ATTEMPTS, FIRST_WAIT, AskLater, Verdict, wait_after
from spend.channels.destinations import DestinationRefused
from spend.channels.notices import Notice, notice_of
from store.channels import outbox
from store.channels.channel_removal import GONE
from store.channels.message_places import rest
from store.channels.outbox import Claim
from store.tenants import TENANT

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=60)
LONGEST_SEND: Final = 20.0
"""Seconds from the claim of a message to the end of all its requests: a sender that was held up
before it sent does not send."""
LONGEST_RUN: Final = timedelta(seconds=45)
"""A round ends by then, and the next one goes on: dead places must not hold the clock."""
SINGLY: Final = 10
"""More messages than these that are due for a place at once are sent as one."""
TOGETHER: Final = 40
"""At most so many: they fit the blocks of one Slack message."""
BURST: Final = 3
"""Messages that a place gets without a pause. Slack: one a second, and short bursts."""
REFUSED: Final = "the destination is refused"
"""What an error begins with that the settings of the sender, or another address, mend."""
PAUSE: Final = 0.5
"""Seconds until a database that did not listen is told again."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the job: its time goes on while places take theirs."""

    context: JobContext
    began: float = field(default_factory=time.monotonic)

    @property
    def now(self) -> datetime:
        """UTC: when the run began, and what has passed since."""
        return self.context.now + timedelta(seconds=time.monotonic() - self.began)

    @property
    def over(self) -> bool:
        """Whether nothing more is begun."""
        return self.now >= self.context.now + LONGEST_RUN


def deliver(of: Round, place: Place) -> Counter[str]:
    """Sends what is due for a place; answers how many messages were sent, wait, or are dead."""
    counts: Counter[str] = Counter()
    for number in range(SINGLY):
        if of.over:
            break
        # Counted from before the lease, and over long before it is.
        until = time.monotonic() + LONGEST_SEND
        with of.context.database.write() as session:
            claimed = outbox.claim(
                session,
                TENANT,
                place.keys,
                place.id,
                now=of.now,
                lease=LEASE,
                singly=SINGLY,
                at_most=TOGETHER,
            )
        if not claimed:
            break
        if number >= BURST:
            time.sleep(of.context.settings.message_gap)
        with of.context.steps("deliver", None) as told:
            verdict = _deliver(of, place, claimed, until)
            told.update(kind=place.kind, messages=len(claimed), outcome=verdict.outcome)
        counts[verdict.outcome] += len(claimed)
        if verdict.outcome == "later":
            break
    return counts


def _deliver(of: Round, place: Place, claimed: Sequence[Claim], until: float) -> Verdict:
    """One attempt, with what was claimed together; all requests of it are over by ``until``."""
    sending = Sending(of.context.settings, of.now, until)
    try:
        if claimed[0].unsure:
            claimed = _not_shown(of, place, claimed, sending)
        if not claimed:
            return Verdict("sent")
        verdict = _sent(of, place, claimed, sending)
    except AskLater as later:
        verdict = later.verdict
    if verdict.outcome == "later" and claimed[0].tries >= ATTEMPTS:
        verdict = Verdict("never", f"given up after {ATTEMPTS} attempts: {verdict.error}")
    _mark(of, place, claimed, verdict)
    return verdict


def _not_shown(
    of: Round, place: Place, claimed: Sequence[Claim], sending: Sending
) -> Sequence[Claim]:
    """What of messages that may have arrived did not, as far as the place can be asked."""
    transport = TRANSPORTS.get(place.kind)
    if transport is None or transport.shown is None:
        return claimed
    try:
        shown = transport.shown(place, _parcel(claimed), sending) or frozenset()
    except DestinationRefused:
        return claimed
    arrived = [each for each in claimed if _id(each) in shown]
    if arrived:
        _mark(of, place, arrived, Verdict("sent"))
    return [each for each in claimed if each not in arrived]


def _sent(of: Round, place: Place, claimed: Sequence[Claim], sending: Sending) -> Verdict:
    transport = TRANSPORTS.get(place.kind)
    if transport is None:
        known = place.kind == GONE
        return Verdict("never", GONE if known else f"there is no kind {place.kind}")
    parcel = _parcel(claimed)
    sending = replace(sending, picture=lambda: picture_of(of.context, parcel.notice))
    try:
        return transport.send(place, parcel, sending)
    except DestinationRefused as refused:
        # Not dead: nothing was sent, and mending the setting sends it.
        return Verdict("later", f"{REFUSED}: {refused}")
    except Exception as error:  # one message's trouble must not stop the others
        log.exception("a message could not be sent", message=claimed[0].id)
        return Verdict("later", type(error).__name__, unsure=True)


def _mark(of: Round, place: Place, claimed: Sequence[Claim], verdict: Verdict) -> None:
    """Writes down what became of messages, however long the database takes to listen.

    What is known here and nowhere else is that they were sent.
    """
    deadline = time.monotonic() + LEASE.total_seconds()
    while True:
        try:
            with of.context.database.write() as session:
                marked = _written_down(session, of, place, claimed, verdict)
            break
        except SQLAlchemyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
    if marked < len(claimed):
        log.warning("a message took longer than its lease", message=claimed[0].id)
    log.info(
        "a message was tried",
        message=claimed[0].id,
        together=len(claimed),
        attempt=claimed[0].attempts,
        outcome=verdict.outcome,
        error=verdict.error or None,
    )


def _written_down(
    session: Session, of: Round, place: Place, claimed: Sequence[Claim], verdict: Verdict
) -> int:
    now = of.now
    if verdict.outcome == "later":
        wait = wait_after(claimed[0].tries, SystemRandom().uniform(0.8, 1.2))
        marked = outbox.mark_failed(
            session,
            TENANT,
            claimed,
            verdict.error,
            now + max(wait, verdict.wait or timedelta(0)),
            unsure=verdict.unsure,
            left=verdict.left,
        )
        # What is down or asks us to wait is not asked for its other messages at once.
        rest(session, TENANT, place.keys, now + (verdict.wait or FIRST_WAIT))
        return marked
    if verdict.outcome == "sent":
        marked = outbox.mark_sent(session, TENANT, claimed, now, verdict.error or None)
    else:
        marked = outbox.mark_dead(session, TENANT, claimed, verdict.error)
    if verdict.error and marked:
        tell_others(
            session,
            TENANT,
            place,
            _notice(claimed[0]),
            verdict.error,
            settings=of.context.settings,
            now=now,
        )
    return marked


def _parcel(claimed: Sequence[Claim]) -> Parcel:
    first = claimed[0]
    ids = tuple(map(_id, claimed))
    notices = [_notice(each) for each in claimed]
    return Parcel(
        id=ids[0] if len(ids) == 1 else f"{ids[0]}_{len(ids)}_{crc32(' '.join(ids).encode()):08x}",
        ids=ids,
        notice=notices[0] if len(notices) == 1 else many(notices),
        written_at=first.written_at,
        unsure=first.unsure,
        left=first.left,
    )


def _id(claimed: Claim) -> str:
    """The same however often it is tried, and in whatever company."""
    return f"msg_{TENANT}_{claimed.id}_{int(claimed.written_at.timestamp())}"


def _notice(claimed: Claim) -> Notice:
    if "blocks" not in claimed.body:
        return notice_of(claimed.body)
    # Messages of before revision 0022 are Slack's already.
    said = unescape(str(claimed.body["text"]))
    title = unescape(str(claimed.body["blocks"][0]["text"]["text"]))
    return Notice(kind="actual", level="warning", title=title, summary=said, paragraphs=(said,))
