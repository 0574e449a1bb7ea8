"""The same requests to another address: to any peer whose store SQL can count."""

import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import psycopg

from bench.bodies import calls
from bench.sending import Load, NotStored, sending
from bench.table import Row

_LOOK: Final = 0.5
_TOLD: Final = 10.0


def measure(
    *,
    otlp: str,
    headers: Mapping[str, str],
    sql: str,
    database: str,
    seconds: float,
    connections: int,
    patience: float,
    tokens: list[tuple[int, int]],
    say: Callable[[str], None],
) -> list[Row]:
    """Sends calls for so many seconds, and waits until the count has grown by as many.

    ``patience``: seconds that the peer has for this after its last answer. What it has not stored
    then, it has lost, or is still at: the row says how many.
    """
    parts = urlsplit(otlp if "://" in otlp else f"http://{otlp}")
    load = Load(
        address=parts.netloc,
        templates=calls(tokens),
        connections=connections,
        seconds=seconds,
        path=parts.path.rstrip("/") or "/v1/traces",
        headers=headers,
    )
    with psycopg.connect(database, autocommit=True) as connection:
        before = _count(connection, sql)
        say(f"calls for {seconds:g} s to {parts.netloc}; {before:,} are there already")
        began = time.perf_counter()
        with sending(load) as sender:
            while not sender.is_done(_TOLD):
                say(f"  {_count(connection, sql) - before:,} stored")
            sent = sender.result()
        answered = sent.spans / sent.seconds
        say(f"{sent.spans:,} calls answered, {answered:,.0f}/s; waiting until they are stored")
        stored, took = _until_stored(connection, sql, before, sent.spans, patience, began, say)
    missing = sent.spans - stored
    told = f"{stored:,} calls stored in {took:.1f} s; {answered:,.0f}/s answered"
    if missing:
        told += f"; {missing:,} were answered and are not stored {patience:g} s later"
    return [
        Row(
            "peer",
            f"calls/s that {parts.netloc} stores",
            stored / took,
            "/s",
            told,
            details={
                "answered_a_second": answered,
                "stored": stored,
                "missing": missing,
                "busy_answers": sent.busy,
            },
        )
    ]


def _until_stored(
    connection: "psycopg.Connection[tuple[int, ...]]",
    sql: str,
    before: int,
    calls_sent: int,
    patience: float,
    began: float,
    say: Callable[[str], None],
) -> tuple[int, float]:
    """How many were stored, and the seconds from the first byte until they were."""
    give_up = time.perf_counter() + patience
    told = time.perf_counter()
    while True:
        stored = _count(connection, sql) - before
        now = time.perf_counter()
        if stored > calls_sent:
            raise NotStored(
                f"{calls_sent:,} were sent and {stored:,} came: does the SQL count them?"
            )
        if stored == calls_sent or now > give_up:
            return stored, now - began
        if now > told + _TOLD:
            told = now
            say(f"  {stored:,} of {calls_sent:,} stored")
        time.sleep(_LOOK)


def _count(connection: "psycopg.Connection[tuple[int, ...]]", sql: str) -> int:
    row = connection.execute(sql.encode()).fetchone()
    return int(row[0]) if row else 0
