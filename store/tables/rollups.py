"""Rollups: usage by quarter hour, owner and route, and histograms of durations.

Everything here adds up: a late call is an addition, a late twin a subtraction.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, SmallInteger, Table, text

from spend.meters import METER_NAMES
from store.tables.base import METADATA, tenant


def _cell_key() -> list[Column[Any]]:
    return [
        tenant(),
        # Start of the quarter hour, UTC (spend/slots.py).
        Column("slot", DateTime(timezone=True), primary_key=True),
        Column("owner_id", BigInteger, primary_key=True, autoincrement=False),
        Column("route_id", BigInteger, primary_key=True, autoincrement=False),
    ]


cells = Table(
    "cells",
    METADATA,
    *_cell_key(),
    Column("outcome", SmallInteger, primary_key=True, autoincrement=False),
    # Size of the prompt as far as a price can depend on it (spend/bands.py).
    Column("band", SmallInteger, primary_key=True, autoincrement=False),
    Column("calls", BigInteger, nullable=False),
    # Calls that ended well without saying what they used: their cost is unknown.
    Column("unmetered_calls", BigInteger, nullable=False),
    # Sums over the calls that reported the meter.
    *(Column(name, BigInteger, nullable=False) for name in METER_NAMES),
    # Over calls with a duration: how many, and how long together.
    Column("timed_calls", BigInteger, nullable=False),
    Column("timed_us", BigInteger, nullable=False),
    # Over calls with a duration and output: tokens, and how long together.
    Column("timed_output", BigInteger, nullable=False),
    Column("timed_output_us", BigInteger, nullable=False),
    # Conclusions of the charge job, not facts: NULL until it has looked at the cell.
    Column("unpriced_calls", BigInteger),
    Column("unpriced_tokens", BigInteger),
    # False from the moment the cell changes until its charges are posted.
    Column("charged", Boolean, nullable=False),
    Index("ix_cells_waiting", "tenant_id", "slot", postgresql_where=text("NOT charged")),
)

LATENCY = 1
TTFT = 2

buckets = Table(
    "buckets",
    METADATA,
    *_cell_key(),
    # LATENCY or TTFT.
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),
    # spend/histograms.py
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("calls", BigInteger, nullable=False),
)
