"""Percentiles of how long calls take, and of how long their first token does."""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import func
from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule
from spend.histograms import quantile
from spend.performance import SHARES
from store.breakdowns.grouping import Key, Part, added_up
from store.completeness import rolled_until
from store.spending.performance_by import MOST_BUCKETS
from store.tables.rollups import LATENCY, TTFT, buckets
from store.watched.window import asked, named, window_to

_PLACES: Final = Decimal("0.001")


def latency(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """Milliseconds from the request to the end of the answer, within 1 %."""
    return _measured(session, tenant, rule, LATENCY, now)


def time_to_first_token(session: Session, tenant: int, rule: Rule, now: datetime) -> list[Measured]:
    """Milliseconds from the request to the first token, within 1 %."""
    return _measured(session, tenant, rule, TTFT, now)


def _measured(
    session: Session, tenant: int, rule: Rule, measure: int, now: datetime
) -> list[Measured]:
    terms = rule.terms
    period = window_to(terms, rolled_until(session), now)
    if period is None:
        return []
    percentile = str(terms.settings["percentile"])
    counts = Part(
        buckets, {"calls": func.sum(buckets.c.calls)}, where=(buckets.c.measure == measure,)
    )
    histograms: defaultdict[Key, Counter[int]] = defaultdict(Counter)
    for key, row in added_up(
        session,
        asked(terms, period),
        tenant,
        (counts,),
        also_by=("bucket",),
        most=MOST_BUCKETS,
    ):
        histograms[key][row.bucket] += int(row.calls)
    if not terms.by:
        histograms.setdefault((), Counter())
    found = []
    for key, histogram in histograms.items():
        subject, team = named(terms, key)
        calls = histogram.total()
        us = quantile(histogram, SHARES[percentile]) if calls >= terms.minimum else None
        found.append(
            Measured(
                subject,
                None if us is None else Decimal(us / 1000).quantize(_PLACES),
                "ms",
                period.start,
                period.end,
                facts=(("Percentile", f"{percentile} of {calls:,} calls, within 1 %"),),
                detail={"percentile": percentile, "calls": calls, "relative_error": "0.01"},
                team=team,
            )
        )
    return found
