"""Reads what collectors put down lately, and how long it waited for the rollups: by time.

From ``batches``, one row for each transaction of a collector: their number grows with time and
load, not with calls, and a window is read by its index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Interval, func, literal, select
from sqlalchemy.orm import Session

from store.tables.heard import batches

COUNTS: Final = ("heard", "stored", "duplicate", "not_a_call", "refused")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was put down in a stretch of time: heard = stored + duplicate + not_a_call + refused."""

    at: datetime
    """When it began (UTC)."""
    heard: int = 0
    """Spans, log records and points."""
    stored: int = 0
    duplicate: int = 0
    not_a_call: int = 0
    refused: int = 0
    longest_wait: timedelta | None = None
    """Of its batches from their commit until they were in the rollups; None where none is yet."""


def heard_lately(
    session: Session, tenant: int, since: datetime, until: datetime, step: timedelta
) -> Sequence[Stretch]:
    """Every stretch of ``step`` from ``since`` to, exclusive, ``until`` (UTC): also empty ones."""
    began = func.date_bin(literal(step, Interval()), batches.c.received_at, since).label("began")
    found = session.execute(
        select(
            began,
            *(func.sum(batches.c[count]).label(count) for count in COUNTS),
            func.max(batches.c.rolled_at - batches.c.received_at).label("longest_wait"),
        )
        .where(
            batches.c.tenant_id == tenant,
            batches.c.received_at >= since,
            batches.c.received_at < until,
        )
        .group_by(began)
    ).mappings()
    told = {
        row["began"].astimezone(UTC): Stretch(
            row["began"].astimezone(UTC),
            **{count: int(row[count]) for count in COUNTS},
            longest_wait=row["longest_wait"],
        )
        for row in found
    }
    times = (since + number * step for number in range(-((since - until) // step)))
    return [told.get(at) or Stretch(at) for at in times]
