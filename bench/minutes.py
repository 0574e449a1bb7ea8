"""Minutes of full load with the jobs running, one request in a hundred sent twice."""

import time
from dataclasses import dataclass, field
from typing import Final

import psycopg

from bench.bare import Copied, copy_again
from bench.bodies import SPANS, calls
from bench.loads import Loaded, all_stored, loaded, warm_up
from bench.plan import Plan
from bench.running import collector, empty_database, jobs
from bench.sending import Sender, percentile
from bench.table import Row
from jobs.context import JobSettings

TWICE_IN: Final = 100
_LOOK: Final = 1.0
_TOLD: Final = 30.0
_WAITING: Final = (
    "SELECT extract(epoch FROM now() - min(received_at)) FROM batches WHERE rolled_at IS NULL"
)


@dataclass(slots=True)
class _Lag:
    """How far the roll-up is behind, looked at each second.

    Calls wait for their twins by intent (the settle window): what counts is how much longer they
    wait than that.
    """

    url: str
    plan: Plan
    seconds: list[float] = field(default_factory=list)

    def watch(self, sender: Sender) -> None:
        """Looks until all is sent."""
        window = JobSettings().settle_window.total_seconds()
        told = time.monotonic()
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not sender.is_done(_LOOK):
                row = connection.execute(_WAITING).fetchone()
                oldest = float(row[0]) if row and row[0] is not None else 0.0
                self.seconds.append(max(0.0, oldest - window))
                if time.monotonic() > told + _TOLD:
                    told = time.monotonic()
                    self.plan.say(
                        f"  {self._sent(connection):,} calls, {self.seconds[-1]:.0f} s behind"
                    )

    @staticmethod
    def _sent(connection: "psycopg.Connection[tuple[int, ...]]") -> int:
        row = connection.execute("SELECT sum(stored)::bigint FROM batches").fetchone()
        return row[0] if row else 0


def measure(plan: Plan) -> list[Row]:
    """Nothing where no minutes are asked for."""
    if not plan.minutes:
        return []
    templates = calls(plan.tokens)
    with empty_database(plan.server) as url:
        lag = _Lag(url, plan)
        with collector(url, workers=plan.workers) as running, jobs(url):
            first = warm_up(plan, running, templates)
            plan.say(f"calls for {plan.minutes:g} minutes, with the jobs")
            load = loaded(
                plan,
                running,
                templates,
                seconds=plan.minutes * 60,
                twice_in=TWICE_IN,
                meanwhile=lag.watch,
            )
        all_stored(url, first.spans + load.sent.spans)
        plan.say("a bare COPY of some of the same rows")
        copied = copy_again(plan.server, url)
    return [_rate(plan, load, copied), _behind(lag)]


def _rate(plan: Plan, load: Loaded, copied: Copied) -> Row:
    sent = load.sent
    return Row(
        "minutes",
        f"the same for {plan.minutes:g} min with the jobs, 1 in {TWICE_IN} requests sent twice",
        sent.spans_a_second / copied.rows_a_second,
        "x",
        f"{sent.spans_a_second:,.0f}/s of {copied.rows_a_second:,.0f}/s; {sent.spans:,} calls, "
        f"{sent.repeated * SPANS:,} sent twice and stored once, {load.spooled:,} by way of the "
        f"spool, {sent.busy} answers busy",
        at_least=0.4,
        details={
            "calls_a_second": sent.spans_a_second,
            "copy_rows_a_second": copied.rows_a_second,
            "repeated": sent.repeated,
            "busy_answers": sent.busy,
            "spooled": load.spooled,
            "answer_p99_ms": percentile(sent.answered_after, 99) * 1000,
            "peak_mib": load.peak_bytes / 2**20,
            **load.where_time_goes,
        },
    )


def _behind(lag: _Lag) -> Row:
    behind = sorted(lag.seconds)
    return Row(
        "lag",
        "roll-up lag meanwhile, the longest",
        behind[-1],
        "s",
        f"p95 {percentile(behind, 95):.0f} s, beyond the settle window of "
        f"{JobSettings().settle_window.total_seconds():.0f} s",
        at_most=60,
        details={"p95": percentile(behind, 95)},
    )
