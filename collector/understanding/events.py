"""What each log record is: an event that tells of one call, or nothing to count."""

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow.compute as pc

from collector.dialects.table import Event, Verdict
from collector.understanding.attributes import EVENTS
from collector.understanding.counts import Flags
from collector.understanding.known import Known
from collector.understanding.marks import Marked, judge, matching, scope_dialect
from collector.understanding.otlp import Spans
from collector.understanding.otlp_logs import FAILED

_ANY: Final = "*"


def judge_events(records: Spans, scopes: list[str], known: Known) -> tuple[Spans, Marked]:
    """What the dialects' events say of each record; without one it is no call.

    Answers the records again, as failed where their event is one of a failure.
    """
    verdict = np.full(len(records), Verdict.OTHER, dtype=np.int8)
    dialect = np.full(len(records), -1, dtype=np.int64)
    failed, asks = np.zeros((2, len(records)), dtype=bool)
    named: Flags = pc.not_equal(records.name, b"").to_numpy(zero_copy_only=False)
    unsaid = named.copy()
    for event, speaker in EVENTS:
        if not unsaid.any():
            break
        here = unsaid & _fits(event, records, scopes, known)
        verdict[here], dialect[here] = event.says, speaker
        failed[here], asks[here] = event.fails, event.asks_marks
        unsaid &= ~here
    if asks.any():
        told = judge(records, scopes, known).verdict
        verdict = np.where(asks & (told != Verdict.UNSAID), told, verdict)
    if named.any():
        of_scope = np.array([scope_dialect(scope) for scope in scopes], dtype=np.int64)
        dialect = np.where(of_scope[records.scope] >= 0, of_scope[records.scope], dialect)
    status = np.where(failed, FAILED, records.status)
    return replace(records, status=status), Marked(verdict, dialect)


def _fits(event: Event, records: Spans, scopes: list[str], known: Known) -> Flags:
    """Whether an event speaks of each record."""
    fits: Flags = pc.equal(records.name, event.name.encode()).to_numpy(zero_copy_only=False)
    if event.scope != _ANY and fits.any():
        fits &= matching(scopes, event.scope)[records.scope]
    if event.needs and fits.any():
        has = np.zeros(len(records), dtype=bool)
        for key in event.needs:
            has[known.holder[known.rows_of(key)]] = True
        fits &= has
    for key, text in event.where.items():
        has = np.zeros(len(records), dtype=bool)
        if "text" in known.values and fits.any():
            rows = known.rows_of(key)
            same = pc.equal(known.values["text"], text.encode()).fill_null(False)
            here = same.to_numpy(zero_copy_only=False)[known.said[rows]]
            has[known.holder[rows][here]] = True
        fits &= has
    return fits
