"""How long a sender waits for its answer at half of what is possible, beside a bare commit."""

from threading import Event, Thread
from typing import Final

from bench.bare import commits
from bench.bodies import SPANS, calls
from bench.loads import loaded, warm_up
from bench.plan import Plan
from bench.running import collector, empty_database
from bench.sending import percentile
from bench.table import Row

_EVERY: Final = 0.01
"""Seconds between two bare commits: about as often as the collector commits."""
_ALONE: Final = 10.0


def measure(plan: Plan) -> list[Row]:
    """Finds the full load first, as it is the half of this very machine that counts."""
    templates = calls(plan.tokens)
    with empty_database(plan.server) as url, collector(url, workers=plan.workers) as running:
        warm_up(plan, running, templates)
        plan.say("the full load, to know what half of it is")
        full = loaded(plan, running, templates, seconds=min(plan.seconds, 10)).sent
        plan.say("bare commits, alone")
        alone = commits(url, every=_EVERY, until=Event(), seconds=min(plan.seconds, _ALONE))
        half = full.spans_a_second / SPANS / 2
        plan.say(f"half the load: {half:.0f} requests/s for {plan.seconds:g} s")
        beside: list[float] = []
        ended = Event()
        watcher = Thread(
            target=lambda: beside.extend(
                commits(url, every=_EVERY, until=ended, seconds=plan.seconds)
            )
        )
        watcher.start()
        try:
            sent = loaded(plan, running, templates, requests_a_second=half).sent
        finally:
            ended.set()
            watcher.join()
    return [_row(sent.answered_after, alone, beside, half)]


def _row(waited: list[float], alone: list[float], beside: list[float], half: float) -> Row:
    answer, quiet, busy = (percentile(each, 99) * 1000 for each in (waited, alone, beside))
    return Row(
        "acknowledged",
        "acknowledgement p99 at half the load, of a bare commit's beside it",
        answer / busy,
        "x",
        f"{answer:.1f} ms at {half:.0f} requests/s (p50 {percentile(waited, 50) * 1000:.1f}); "
        f"bare commit {busy:.1f} ms beside it, {quiet:.1f} ms alone ({answer / quiet:.1f} x)",
        at_most=5,
        details={
            "answer_p50_ms": percentile(waited, 50) * 1000,
            "answer_p99_ms": answer,
            "commit_alone_p50_ms": percentile(alone, 50) * 1000,
            "commit_alone_p99_ms": quiet,
            "commit_beside_p50_ms": percentile(beside, 50) * 1000,
            "commit_beside_p99_ms": busy,
            "requests_a_second": half,
        },
    )
