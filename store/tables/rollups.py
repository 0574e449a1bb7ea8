"""Rollups: usage by quarter hour, owner and route, and histograms of durations.

Everything here adds up: a late call is an addition, a late twin a subtraction.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, SmallInteger, Table, text

from store.tables.base import METADATA, meters, tenant


def _cell_key() -> list[Column[Any]]:
    return [
        tenant(),
        Column(
            "slot", DateTime(timezone=True), primary_key=True, doc="Start of the quarter hour, UTC."
        ),
        Column(
            "owner_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="Who was heard: `owners.id`.",
        ),
        Column(
            "route_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="What was called, and where: `routes.id`.",
        ),
    ]


cells = Table(
    "cells",
    METADATA,
    *_cell_key(),
    Column(
        "outcome",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        doc="How the calls ended: a number of `Outcome` (`spend/calls.py`), 0 is well.",
    ),
    Column(
        "band",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        doc=(
            "How large the prompts were, as far as a price can depend on it: a number "
            "from 0 (`spend/prices/bands.py`)."
        ),
    ),
    Column("calls", BigInteger, nullable=False, doc="How many calls."),
    Column(
        "unmetered_calls",
        BigInteger,
        nullable=False,
        doc=("Calls that ended well without saying what they used: their cost is not known."),
    ),
    *meters(BigInteger, "The sum over the calls that told it.", nullable=False),
    Column("timed_calls", BigInteger, nullable=False, doc="Calls with a duration."),
    Column(
        "timed_us", BigInteger, nullable=False, doc="How long these took together, in microseconds."
    ),
    Column(
        "timed_output",
        BigInteger,
        nullable=False,
        doc="Tokens of output of calls with a duration and output.",
    ),
    Column(
        "timed_output_us",
        BigInteger,
        nullable=False,
        doc="How long these calls took together, in microseconds.",
    ),
    Column(
        "unpriced_calls",
        BigInteger,
        doc=("Calls whose cost is not known; null: the charge job has not looked at the cell."),
    ),
    Column("unpriced_tokens", BigInteger, doc="Tokens whose cost is not known; null: as above."),
    Column(
        "charged",
        Boolean,
        nullable=False,
        doc="False from the moment the cell changes until its charges are posted.",
    ),
    Index("ix_cells_waiting", "tenant_id", "slot", postgresql_where=text("NOT charged")),
    info={
        "doc": (
            "What the calls of a quarter hour with one owner, route, outcome and "
            "band used: what is priced, and what reports read. Adds up: a late "
            "call is an addition, a late twin a subtraction."
        )
    },
)

LATENCY = 1
TTFT = 2

buckets = Table(
    "buckets",
    METADATA,
    *_cell_key(),
    Column(
        "measure",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        doc="1: latency; 2: time to the first token.",
    ),
    Column(
        "bucket",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        doc=(
            "Number of the bucket: 0 is up to a microsecond, n up to 1.0151^n of them "
            "(`spend/histograms.py`)."
        ),
    ),
    Column("calls", BigInteger, nullable=False, doc="How many calls lie in it."),
    info={
        "doc": (
            "Counts of durations between two bounds on a logarithmic scale, from "
            "which percentiles over any period and grouping come, within 1 %."
        )
    },
)
