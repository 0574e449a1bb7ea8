"""Where the collector's time goes: decode, understand, put down, one after the other."""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from app.database import opened
from bench.bodies import SPANS, Request, Template, calls
from bench.plan import Plan
from bench.running import empty_database
from bench.table import Row
from collector.signals import Signal
from collector.understanding.by_signal import understand_signal
from collector.understanding.otlp import read_spans
from store.dictionaries import Known
from store.intake.intake import Batch, Heard, put_down
from store.postgres.sessions import Database
from store.tenants import TENANT

Value = TypeVar("Value")

_TOGETHER: Final = (1, 10)
"""Requests that are understood and put down together: of a quiet collector, and of a busy one."""
_TURNS: Final = 40


def measure(plan: Plan) -> list[Row]:
    """CPU time of each step, the median of many turns."""
    templates = calls(plan.tokens)
    rows = []
    with empty_database(plan.server) as url, opened(url, application="bench") as database:
        for together in _TOGETHER:
            plan.say(f"the steps of {together} x {SPANS} calls")
            rows.append(_row(_taken(database, templates, together), together))
    return rows


def _row(taken: dict[str, float], together: int) -> Row:
    return Row(
        f"steps_{together}",
        f"steps of {together} x {SPANS} calls, CPU",
        sum(taken.values()),
        "µs",
        ", ".join(f"{step} {took:.2f}" for step, took in taken.items()),
        details=taken,
    )


def _taken(database: Database, templates: list[Template], together: int) -> dict[str, float]:
    """Step -> microseconds of CPU time a call."""
    known = Known()
    turns: dict[str, list[float]] = {"decode": [], "understand": [], "put down": []}
    for turn in range(_TURNS):
        chosen = [templates[(turn + n) % len(templates)] for n in range(together)]
        requests = [
            bytes(Request(template).renew(turn * together + n)) for n, template in enumerate(chosen)
        ]
        decode, _ = _cpu(partial(read_spans, requests))
        whole, heard = _cpu(partial(_understood, requests))
        put, _ = _cpu(partial(_put_down, database, heard, known))
        turns["decode"].append(decode)
        turns["understand"].append(whole - decode)
        turns["put down"].append(put)
    spans = SPANS * together
    return {step: statistics.median(each) / spans * 1e6 for step, each in turns.items()}


def _understood(requests: Sequence[bytes]) -> Heard:
    return understand_signal(Signal.TRACES, requests, tenant=TENANT, received_at=datetime.now(UTC))


def _put_down(database: Database, heard: Heard, known: Known) -> None:
    with database.write() as session:
        batch = Batch(tenant=TENANT, received_at=datetime.now(UTC), heard=[heard])
        done = put_down(session, batch, known)
    known.add(done.entries)


def _cpu(step: Callable[[], Value]) -> tuple[float, Value]:
    began = time.process_time()
    done = step()
    return time.process_time() - began, done
