"""For how long nothing was heard of what was heard of before."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule
from spend.moments import moment_text
from spend.slots import SLOT
from store.breakdowns.grouping import Key, Part, added_up
from store.completeness import rolled_until
from store.spending.performance_by import MOST_BUCKETS
from store.tables.heard import batches
from store.tables.rollups import cells
from store.watched.window import asked, named, window_to

_MINUTE = timedelta(minutes=1)


def measure(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """Minutes since the quarter hour of the last call ended: it was silent for at least so long.

    Only of what had calls in the window. It is counted to the moment until which all that was heard
    is added up: jobs that lag raise no alarm.
    """
    terms = rule.terms
    period = window_to(terms, rolled_until(session), now)
    if period is None:
        return []
    calls: defaultdict[Key, int] = defaultdict(int)
    last: dict[Key, datetime] = {}
    for key, row in added_up(
        session,
        asked(terms, period),
        tenant,
        (Part(cells, {"calls": func.sum(cells.c.calls)}, where=(cells.c.calls > 0,)),),
        also_by=("slot",),
        most=MOST_BUCKETS,
    ):
        calls[key] += int(row.calls)
        last[key] = max(row.slot, last.get(key, row.slot))
    if not terms.by and not last:
        return [Measured("", None, "minutes", period.start, period.end)]
    heard = _heard_after(session, tenant, last, period.end)
    found = []
    for key, slot in last.items():
        subject, team = named(terms, key)
        silent = max((period.end - slot - SLOT) // _MINUTE, 0)
        found.append(
            Measured(
                subject,
                Decimal(silent) if calls[key] >= terms.minimum else None,
                "minutes",
                period.start,
                period.end,
                facts=(
                    ("Last heard", f"{slot:%Y-%m-%d %H:%M} to {slot + SLOT:%H:%M} UTC"),
                    ("Calls before", f"{calls[key]:,}"),
                    *heard.get(slot, ()),
                ),
                detail={"last_slot": moment_text(slot), "calls": calls[key]},
                team=team,
            )
        )
    return found


def _heard_after(
    session: Session, tenant: int, last: dict[Key, datetime], until: datetime
) -> dict[datetime, tuple[tuple[str, str], ...]]:
    """For each slot after which something is silent, whether anything else was heard since.

    Asked once, of the earliest.
    """
    silent = {slot for slot in last.values() if until - slot > 2 * SLOT}
    if not silent:
        return {}
    newest = session.scalar(
        select(func.max(batches.c.received_at)).where(
            batches.c.tenant_id == tenant,
            batches.c.received_at > min(silent) + SLOT,
            batches.c.heard > 0,
        )
    )
    return {
        slot: (
            ("Of others", f"something was heard at {newest:%Y-%m-%d %H:%M} UTC")
            if newest is not None and newest > slot + SLOT
            else ("Of others", "nothing: the collector has heard nothing at all"),
        )
        for slot in silent
    }
