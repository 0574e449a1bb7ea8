"""Sends a sample now, and says what became of it."""

import time
from dataclasses import dataclass
from typing import Final

from jobs.context import JobContext
from jobs.delivery.deliver import LONGEST_SEND, Round, deliver
from jobs.delivery.places import places
from spend.channels.notices import Notice
from store.channels import outbox
from store.channels.channel_deliveries import (
    Delivery,
    delivery,
    drop_unsent,
    is_being_sent,
    put_sample,
)
from store.channels.message_places import DEFAULT
from store.tenants import TENANT

PAUSE: Final = 0.1
NOT_NOW: Final = "nothing is sent there just now: it asked for a rest, or another message is tried"


@dataclass(frozen=True, slots=True)
class Sample:
    """What is sent to try out a channel."""

    channel_id: int | None
    """None: to where the setting says."""
    notice: Notice
    key: str
    """One that no other sample has."""


def try_out(context: JobContext, sample: Sample) -> Delivery:
    """Sends it as an alert would be sent, with what else is due there; one attempt is made.

    What could not be sent is dropped: a sample is no use to anybody tomorrow.
    """
    with context.database.write() as session:
        message = put_sample(
            session, TENANT, sample.channel_id, sample.notice, sample.key, context.now
        )
    with context.database.write() as session:
        due = [
            each
            for each in outbox.due(session, TENANT, context.now)
            if each.channel_id == sample.channel_id
            and (sample.channel_id is not None or each.key == DEFAULT)
        ]
        found = places(session, TENANT, due, context.settings)
        for why, keys in found.lacking.items():
            outbox.say_why_waiting(session, TENANT, keys, why, context.now)
    for place in found.there:
        deliver(Round(context), place)
    return _outcome(context, message)


def _outcome(context: JobContext, message: int) -> Delivery:
    """What became of it, once nobody is sending it any more: the clock may have been quicker."""
    ends = time.monotonic() + LONGEST_SEND
    while True:
        with context.database.write() as session:
            found = delivery(session, TENANT, message)
            if not is_being_sent(session, TENANT, message) or time.monotonic() > ends:
                if found.status == "pending":
                    drop_unsent(session, TENANT, message, found.last_error or NOT_NOW)
                    found = delivery(session, TENANT, message)
                return found
        time.sleep(PAUSE)
