"""What is wrong with a month and nobody's to settle: it can be closed if somebody accepts it."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from spend.months import Warned
from spend.periods import Period
from store.tables.budgets import crossings, outbox
from store.tables.heard import batches
from store.unpriced import unpriced

DEAD_LETTERS: Final = "dead-letters"
REFUSED: Final = "refused"
UNPRICED: Final = "unpriced"
NAMES: Final = (DEAD_LETTERS, REFUSED, UNPRICED)
"""All that a warning can be called."""

_MOST_NAMED: Final = 10
"""Of models without a price: the rest is a number."""
_MOST_COUNTED: Final = 1000


def warnings(session: Session, tenant: int, period: Period) -> list[Warned]:
    """What somebody has to accept before a period (UTC) is closed, each with its volume."""
    return [
        *_dead_letters(session, tenant, period),
        *_refused(session, tenant, period),
        *_unpriced(session, tenant, period),
    ]


def _dead_letters(session: Session, tenant: int, period: Period) -> Iterator[Warned]:
    """Alerts that nobody got: of this time, or of budgets of this time."""
    count = session.scalar(
        select(func.count())
        .select_from(
            outbox.join(
                crossings,
                and_(
                    crossings.c.tenant_id == outbox.c.tenant_id,
                    crossings.c.id == outbox.c.crossing_id,
                ),
            )
        )
        .where(
            outbox.c.tenant_id == tenant,
            outbox.c.status == "dead",
            crossings.c.period_start < period.end,
            crossings.c.crossed_at >= period.start,
        )
    )
    if count:
        yield Warned(DEAD_LETTERS, f"{_many(count, 'alert')} could not be delivered")


def _refused(session: Session, tenant: int, period: Period) -> Iterator[Warned]:
    count = session.scalar(
        select(func.sum(batches.c.refused)).where(
            batches.c.tenant_id == tenant,
            batches.c.received_at >= period.start,
            batches.c.received_at < period.end,
        )
    )
    if count:
        yield Warned(REFUSED, f"{_many(count, 'span')} could not be understood, and were refused")


def _unpriced(session: Session, tenant: int, period: Period) -> Iterator[Warned]:
    found = unpriced(session, tenant, period.start, period.end, at_most=_MOST_COUNTED)
    if not found:
        return
    named = [
        f"{each.provider or 'no provider'} {each.model or 'no model'}"
        f" ({_many(each.calls, 'call')}, {each.reason})"
        for each in found[:_MOST_NAMED]
    ]
    more = [f"{len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
    calls = _many(sum(each.calls for each in found), "call")
    yield Warned(UNPRICED, f"{calls} of unknown cost: {', '.join(named + more)}")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
