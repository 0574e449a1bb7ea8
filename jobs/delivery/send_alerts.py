"""Sends what the outbox holds, to all places at a time: one that hangs holds up no other."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final

import structlog

from jobs.context import Done, JobContext
from jobs.delivery.deliver import Round, deliver
from jobs.delivery.parcels import Place
from jobs.delivery.places import places
from store.channels import outbox, quiet_channels, silences
from store.tenants import TENANT

log = structlog.get_logger(__name__)

WORKERS: Final = 6
"""Places that are sent to at a time."""


def run(context: JobContext) -> Done:
    """Sends everything that is due at ``context.now``."""
    this = Round(context)
    with context.database.write() as session:
        silences.settle(session, TENANT, context.now)
        quiet_channels.hold(session, TENANT, context.now)
        due = outbox.due(session, TENANT, context.now)
        found = places(session, TENANT, due, context.settings)
        waiting = sum(
            outbox.say_why_waiting(session, TENANT, keys, why, context.now)
            for why, keys in found.lacking.items()
        )
    # Each in a context of its own, so that whoever traces us sees them as parts of this run.
    asked = [(copy_context(), place) for place in found.there]
    with ThreadPoolExecutor(WORKERS) as workers:
        counts = sum(
            workers.map(lambda each: each[0].run(_tried, this, each[1]), asked), Counter[str]()
        )
    note = f"{counts['sent']} sent, {counts['later']} to try again, {counts['never']} dead"
    return Done(
        note + (f", {waiting} wait for a place to go to" if waiting else ""),
        counts={each: counts[each] for each in ("sent", "later", "never")},
    )


def _tried(this: Round, place: Place) -> Counter[str]:
    try:
        return deliver(this, place)
    except Exception:  # one place's trouble must not stop the others
        log.exception("a place could not be sent to", place=place.name)
        return Counter()
