"""What was heard, and whether it is in the reports."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from app.examination.findings import Finding, Looking, State
from store.intake.heard_counts import refused_in_earnest
from store.postgres.partitions import PARTITIONED, name_of
from store.tables.heard import batches

_DAYS_AHEAD: Final = 2
_LAG: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)
_MANY: Final = 0.05
"""A share of what was heard."""


def partitions(looking: Looking) -> Iterator[Finding]:
    """Whether days to come have their partitions."""
    today = looking.now.astimezone(UTC).date()
    wanted = [
        name_of(table, today + timedelta(days=ahead))
        for table in PARTITIONED
        for ahead in range(_DAYS_AHEAD + 1)
    ]
    regclass = func.to_regclass
    absent = [name for name in wanted if looking.session.scalar(select(regclass(name))) is None]
    if absent:
        said = f"missing: {', '.join(absent)}"
        yield Finding("partitions", State.WRONG, said, "spanledger jobs run partitions")
    else:
        yield Finding("partitions", State.WELL, f"made for {_DAYS_AHEAD} days ahead at least")


def lag(looking: Looking) -> Iterator[Finding]:
    """Whether what was heard is counted."""
    oldest: datetime | None = looking.session.scalar(
        select(func.min(batches.c.received_at)).where(batches.c.rolled_at.is_(None))
    )
    if oldest is None or looking.now - oldest < _LAG:
        yield Finding("lag", State.WELL, "what was heard is in the reports, or will be soon")
    else:
        said = f"calls heard at {oldest.astimezone(UTC):%Y-%m-%d %H:%M} UTC still wait"
        yield Finding("lag", State.WRONG, said, "start the jobs: spanledger jobs")


def refused(looking: Looking) -> Iterator[Finding]:
    """Whether senders are heard, and send what can be kept."""
    c = batches.c
    last: datetime | None = looking.session.scalar(select(func.max(c.received_at)))
    if last is None:
        yield Finding("heard", State.LOOK, "nothing yet", "docs/instrument.md")
        return
    if looking.now - last > _DAY:
        said = f"nothing since {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        yield Finding("heard", State.LOOK, said, "do applications still send here?")
        return
    heard, kept_out = looking.session.execute(
        select(func.sum(c.heard), func.sum(refused_in_earnest())).where(
            c.received_at > looking.now - _DAY
        )
    ).one()
    heard, kept_out = int(heard or 0), int(kept_out or 0)
    said = f"{heard:,} in the last day, {kept_out:,} of them refused"
    if heard and kept_out / heard > _MANY:
        yield Finding("heard", State.LOOK, said, "senders are told why: docs/otlp.md")
    else:
        yield Finding("heard", State.WELL, said)
