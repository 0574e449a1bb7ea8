"""How the ledger does, as Prometheus reads it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from api.metrics import metric_list as metrics
from spend.job_ticks import EVERY, ticks_since
from spend.metric_names import DATABASE_UP
from store.metrics.ledger_health import LedgerHealth
from store.metrics.metric_text import Family, told
from store.runs import Run


def ledger_metrics(health: LedgerHealth) -> Iterator[Family]:
    """``OF_LEDGER``. What is not known has no series."""
    yield told(DATABASE_UP, 1)
    yield told(metrics.READ_AT, health.read_at.timestamp())
    yield from _jobs(health.jobs, health.read_at)
    until = health.complete_until
    yield told(metrics.COMPLETE_UNTIL, {} if until is None else {(): until.timestamp()})
    yield told(metrics.BATCHES, health.batches_waiting)
    yield told(metrics.OLDEST_BATCH, _since(health.oldest_batch_at, health.read_at))
    yield told(metrics.DAY_CALLS, health.day_calls)
    yield told(metrics.DAY_UNPRICED, health.day_unpriced)
    yield told(metrics.DAY_CANARY, health.day_canary)
    outbox = health.outbox
    yield told(metrics.OUTBOX, {("waiting",): outbox.waiting, ("dead",): outbox.dead})
    yield told(metrics.OUTBOX_OLDEST, _since(outbox.oldest_due_at, health.read_at))
    yield told(metrics.ALERTS, {(kind,): count for kind, count in health.alerts.items()})
    yield told(metrics.BUDGETS, {(state,): count for state, count in health.budgets.items()})
    yield told(metrics.PARTITIONS, health.days_ahead)
    yield told(metrics.DATABASE_BYTES, health.database_bytes)


def _jobs(jobs: Mapping[str, Run], now: datetime) -> Iterator[Family]:
    known = {name: each for name, each in jobs.items() if name in EVERY}
    good = {name: each for name, each in known.items() if each.good_at is not None}
    yield told(
        metrics.JOB_DONE,
        {(name,): each.good_at.timestamp() for name, each in good.items() if each.good_at},
    )
    yield told(metrics.JOB_TOOK, {(name,): each.took_seconds for name, each in known.items()})
    yield told(metrics.JOB_FAILED, {(name,): each.failed for name, each in known.items()})
    yield told(metrics.JOB_INTERVAL, {(name,): every for name, every in EVERY.items()})
    due = {
        (name,): ticks_since(each.good_for, now, EVERY[name])
        for name, each in good.items()
        if each.good_for is not None
    }
    yield told(metrics.JOB_DUE, due)


def _since(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())
