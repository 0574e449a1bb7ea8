"""Answers how calls went: counts from cells, percentiles from their histograms."""

from collections import Counter, defaultdict
from typing import Final

from sqlalchemy import func
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.meters import INPUTS
from spend.performance import Performance
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Key, Part, added_up
from store.tables.rollups import LATENCY, TTFT, buckets, cells

_COUNTS = ("calls", "timed_output", "timed_output_us", *INPUTS)

MOST_BUCKETS: Final = 500_000
"""Buckets that one answer is made of: some hundred for each group and measure."""


def performance_by(session: Session, question: Question, tenant: int) -> dict[Key, Performance]:
    """How the calls of each group went, where there were any in the question's period."""
    counts = Part(cells, {name: func.sum(cells.c[name]) for name in _COUNTS})
    outcomes: defaultdict[Key, Counter[Outcome]] = defaultdict(Counter)
    sums: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for key, row in added_up(session, question, tenant, (counts,), also_by=("outcome",)):
        outcomes[key][Outcome(row.outcome)] += int(row.calls)
        for name in _COUNTS:
            sums[key][name] += int(getattr(row, name))

    times = Part(buckets, {"calls": func.sum(buckets.c.calls)})
    histograms: defaultdict[tuple[Key, int], dict[int, int]] = defaultdict(dict)
    for key, row in added_up(
        session, question, tenant, (times,), also_by=("measure", "bucket"), most=MOST_BUCKETS
    ):
        # A late correction can take back all that was in a bucket.
        if row.calls:
            histograms[key, row.measure][row.bucket] = int(row.calls)
    return {
        key: Performance(
            outcomes={outcome: calls for outcome, calls in sorted(ended.items()) if calls},
            usage={meter: sums[key][meter] for meter in INPUTS},
            timed_output=sums[key]["timed_output"],
            timed_output_us=sums[key]["timed_output_us"],
            latency=histograms[key, LATENCY],
            ttft=histograms[key, TTFT],
        )
        for key, ended in outcomes.items()
        if any(ended.values())
    }


def latency_by(session: Session, question: Question, tenant: int) -> dict[Key, dict[int, int]]:
    """How long the calls of each group took, in buckets of microseconds: nothing else of them."""
    part = Part(buckets, {"calls": func.sum(buckets.c.calls)}, (buckets.c.measure == LATENCY,))
    found: defaultdict[Key, dict[int, int]] = defaultdict(dict)
    for key, row in added_up(
        session, question, tenant, (part,), also_by=("bucket",), most=MOST_BUCKETS
    ):
        if row.calls:
            found[key][row.bucket] = int(row.calls)
    return dict(found)
