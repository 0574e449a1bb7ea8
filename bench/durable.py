"""How many calls a second go through OTLP/HTTP into Postgres, and what they take there."""

import os
from dataclasses import dataclass
from typing import Final

import psycopg

from bench.bare import Copied, copy_again
from bench.bodies import SPANS, calls
from bench.loads import Loaded, all_stored, loaded, warm_up
from bench.plan import Plan
from bench.running import collector, empty_database
from bench.table import Row

_SIZES: Final = (
    "SELECT relation, sum(bytes)::float8 FROM ("
    " SELECT regexp_replace(c.relname, '_(\\d{4}_\\d\\d_\\d\\d|default)', '') AS relation,"
    "  pg_relation_size(c.oid) + coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)"
    "   AS bytes"
    " FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
    ") each GROUP BY relation"
)
"""Tables with what is TOASTed of them, and indexes, the days of each together."""
_SHOWN_BYTES: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Course:
    """A load on so many workers, and a bare COPY of what it left."""

    workers: int
    load: Loaded
    copied: Copied
    bytes_of: dict[str, float]
    """Relation -> bytes a call, after VACUUM."""

    @property
    def ratio(self) -> float:
        return self.load.sent.spans_a_second / self.copied.rows_a_second

    @property
    def told(self) -> str:
        rate, bare = self.load.sent.spans_a_second, self.copied.rows_a_second
        return f"{self.workers} worker{'s'[: self.workers > 1]}: {rate:,.0f}/s of {bare:,.0f}/s"

    @property
    def by_way_of_the_spool(self) -> str:
        spooled = self.load.spooled
        return f"; {spooled:,} of them by way of the spool" if spooled else ""


def measure(plan: Plan) -> list[Row]:
    """The same load on one worker and on two, and on as many as the product runs here."""
    courses = {n: _course(plan, n) for n in sorted({1, 2, plan.workers})}
    one, chosen = courses[1], courses[plan.workers]
    took = chosen.load.where_time_goes
    at_best = (os.cpu_count() or 1) / sum(took.values()) * chosen.copied.postgres_us
    durable = Row(
        "durable",
        f"durable calls/s over HTTP, {SPANS} a request, of a bare COPY",
        chosen.ratio,
        "x",
        "; ".join(course.told for course in courses.values()) + chosen.by_way_of_the_spool,
        at_least=0.7,
        details={
            **{f"ratio_{n}_workers": course.ratio for n, course in courses.items()},
            "calls_a_second": chosen.load.sent.spans_a_second,
            "copy_rows_a_second": chosen.copied.rows_a_second,
            "workers": plan.workers,
            "ratio_by_cpu_time": at_best,
            "calls": chosen.load.sent.spans,
            "busy_answers": chosen.load.sent.busy,
            "spooled": chosen.load.spooled,
        },
    )
    cpu = Row(
        "cpu",
        "collector CPU per call, 14 attributes",
        chosen.load.collector_us,
        "µs",
        f"Postgres {took['postgres_us']} µs (bare COPY {chosen.copied.postgres_us:.1f}), sender "
        f"{took['sender_us']} µs: with no core ever idle it would be {at_best:.2f} x",
        at_most=15,
        details={**took, "copy_postgres_us": chosen.copied.postgres_us},
    )
    return [durable, cpu, _memory(one), _disk(one)]


def _course(plan: Plan, workers: int) -> _Course:
    plan.say(f"calls for {plan.seconds:g} s, workers: {workers}")
    templates = calls(plan.tokens)
    with empty_database(plan.server) as url:
        with collector(url, workers=workers) as running:
            first = warm_up(plan, running, templates)
            load = loaded(plan, running, templates)
        stored = first.spans + load.sent.spans
        all_stored(url, stored)
        plan.say(f"a bare COPY of the same {stored:,} rows")
        return _Course(workers, load, copy_again(plan.server, url), bytes_of(url, stored))


def _memory(one: _Course) -> Row:
    return Row(
        "memory",
        "peak resident memory at full load, one worker",
        one.load.peak_bytes / 2**20,
        "MiB",
        f"VmHWM of the worker after {one.load.sent.spans:,} calls",
        at_most=300,
    )


def _disk(one: _Course) -> Row:
    largest = sorted(one.bytes_of.items(), key=lambda each: -each[1])
    return Row(
        "disk",
        "bytes on disk per call, indexes included, after vacuum",
        sum(one.bytes_of.values()),
        "bytes",
        ", ".join(f"{name} {size:.0f}" for name, size in largest if size > _SHOWN_BYTES),
        at_most=250,
        details=one.bytes_of,
    )


def bytes_of(url: str, stored: int) -> dict[str, float]:
    """What each relation takes a call: all of them, batches and dictionaries too."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        sizes = connection.execute(_SIZES).fetchall()
    return {name: size / stored for name, size in sizes if size}
