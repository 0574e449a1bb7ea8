"""What a second worker adds, where Postgres and the cores are not what is scarce.

On a small machine the sender, Postgres and two workers want more than there is. So each worker is
held to a fixed part of a core: it is stopped as soon as it has used more than that, and goes on a
few milliseconds later. All else is the real way, down to the commit.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Event, Thread
from typing import Final

from bench.bodies import calls
from bench.loads import loaded, warm_up
from bench.plan import Plan
from bench.processes import cpu_seconds
from bench.running import collector, empty_database
from bench.table import Row

SHARE: Final = 0.3
"""Of a core, for each worker."""
_LOOK: Final = 0.005
_SAVED: Final = 0.03
"""Seconds of CPU time that a worker which had nothing to do may catch up on."""


def measure(plan: Plan) -> list[Row]:
    """One held worker, then two, each with as many connections."""
    rates = {n: _rate(replace(plan, connections=plan.connections // 2 * n), n) for n in (1, 2)}
    return [
        Row(
            "workers",
            "two workers, of one",
            rates[2] / rates[1],
            "x",
            f"{rates[2]:,.0f}/s of {rates[1]:,.0f}/s, each worker held to {SHARE:g} of a core",
            at_least=1.7,
            details={"one_a_second": rates[1], "two_a_second": rates[2]},
        )
    ]


def _rate(plan: Plan, workers: int) -> float:
    templates = calls(plan.tokens)
    with empty_database(plan.server) as url, collector(url, workers=workers) as running:
        warm_up(plan, running, templates)
        seconds = plan.seconds / 2
        plan.say(f"workers held to {SHARE:g} of a core, {seconds:g} s: {workers}")
        with _held(running.pids):
            return loaded(plan, running, templates, seconds=seconds).sent.spans_a_second


@contextmanager
def _held(pids: list[int]) -> Iterator[None]:
    ended = Event()
    holder = Thread(target=_hold, args=[pids, ended])
    holder.start()
    try:
        yield
    finally:
        ended.set()
        holder.join()


def _hold(pids: list[int], ended: Event) -> None:
    """Stops each process that has used more than its share, until it has not."""
    used = {pid: cpu_seconds([pid]) for pid in pids}
    allowed = dict(used)
    last = time.monotonic()
    while not ended.wait(_LOOK):
        now = time.monotonic()
        for pid in pids:
            used[pid] = cpu_seconds([pid])
            allowed[pid] = min(allowed[pid] + SHARE * (now - last), used[pid] + _SAVED)
            _signal(pid, signal.SIGSTOP if used[pid] > allowed[pid] else signal.SIGCONT)
        last = now
    for pid in pids:
        _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
