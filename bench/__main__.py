"""Prints each step of a span's way beside a bare COPY of the same rows, and what dialects cost.

    make bench                                  # or: python -m bench [batches] [trace.csv]

The tokens of the calls are those of a production trace where one is given (the Azure LLM trace of
2023, columns TIMESTAMP,ContextTokens,GeneratedTokens, published by Microsoft under CC-BY), else
made up. Timings on shared machines are noisy: compare ratios.
"""

import csv
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from app.local_postgres import local_postgres
from bench.dialects import MEASURE, measured
from bench.ingest import SPANS, body, measure
from jobs import charge, refresh_prices, roll
from jobs.context import JobContext
from migrations.run import upgrade
from store.partitions import ensure
from store.sessions import open_database

BATCHES: Final = 200
CONNECTIONS: Final = 4
MADE_UP: Final = [(2047, 311), (4808, 10), (110, 27), (7433, 14), (512, 900)]


def tokens_of(trace: Path | None) -> list[tuple[int, int]]:
    """(tokens in, tokens out) of each request of a trace."""
    if trace is None:
        return MADE_UP
    with trace.open(newline="") as file:
        return [
            (int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)
        ]


def main() -> None:
    """Measure, print, and write the figures as JSON beside the table."""
    batches = int(sys.argv[1]) if len(sys.argv) > 1 else BATCHES
    trace = Path(sys.argv[2]) if len(sys.argv) > 2 else None  # noqa: PLR2004  # the second argument
    tokens = cycle(tokens_of(trace))
    bodies = [body(list(islice(tokens, SPANS))) for _ in range(batches)]
    with (
        tempfile.TemporaryDirectory() as folder,
        local_postgres(Path(folder) / "data") as server,
    ):
        upgrade(server.url)
        database = open_database(server.url, application="bench")
        today = datetime.now(UTC).date()
        with database.write() as session:
            ensure(session, today, today)
        ingest = measure(server, bodies, CONNECTIONS)
        context = JobContext(database, now=datetime.now(UTC), by_hand=True)
        refresh_prices.run(context)
        seconds = {}
        for name, job in (("roll", roll), ("charge", charge)):
            began = time.perf_counter()
            job.run(context)
            seconds[name] = time.perf_counter() - began
        database.engine.dispose()
    figures = {
        "bare COPY of the same rows": ingest.bare_rows_a_second,
        "OTLP/HTTP to commit": ingest.spans_a_second,
        "roll: settled, in cells": ingest.spans / seconds["roll"],
        "charge: priced, in the ledger": ingest.spans / seconds["charge"],
    }
    show(figures, ingest.spans, measured())


def show(figures: dict[str, float], spans: int, dialects: dict[str, float]) -> None:
    """Both tables, and bench.json in the folder this was started in."""
    table = Table("step", "calls/s", "of a bare COPY", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    bare = next(iter(figures.values()))
    for name, rate in figures.items():
        table.add_row(name, f"{rate:,.0f}", f"{rate / bare:.2f}")
    Console().print(f"{spans:,} calls in batches of {SPANS}, on {os.cpu_count()} cores")
    Console().print(table)
    understood = Table("understanding", "µs a span", f"of {MEASURE}", box=None, pad_edge=False)
    for column in understood.columns[1:]:
        column.justify = "right"
    for name, took in sorted(dialects.items(), key=lambda each: each[1]):
        understood.add_row(name, f"{took:.1f}", f"{took / dialects[MEASURE]:.2f}")
    Console().print(understood)
    written = {
        "spans": spans,
        "cores": os.cpu_count(),
        "calls_a_second": figures,
        "dialects_us_a_span": dialects,
    }
    Path("bench.json").write_text(json.dumps(written, indent=2) + "\n")


if __name__ == "__main__":
    main()
