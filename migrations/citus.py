"""Spreads the big tables over the nodes of a Citus cluster: ``spanledger migrate --citus``.

Citus is Postgres with an extension, for whom one machine is no longer enough: docs/citus.md. Which
table is of which kind stands here and nowhere else; one that is in no list fails a test.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg

COLUMN: Final = "trace_id"
"""What rows are spread by: what is of one trace is on one node, whichever table it is in."""

DISTRIBUTED: Final = ("sightings", "joined_calls", "contents")
"""They grow with every call and are asked by trace. Nothing else does both: batches grow with
transactions, readings with what metrics tell, sums with owners and models."""

REFERENCE: Final = ("owners", "routes", "emitters")
"""Small, seldom written, and joined with the distributed ones: a copy on every node."""

ORDINARY: Final = (
    *("alert_rules", "audit_log", "batches", "bill_lines", "bills", "buckets", "budgets", "cells"),
    *("archived_days", "retention"),
    *("channels", "charge_days", "charge_months", "charges", "commitment_slots", "commitments"),
    *("content_policies",),
    *("counters", "crossings", "discounts", "energy_counters", "energy_readings", "energy_told"),
    *("forecasts", "heard_from", "job_runs", "keys", "known_routes", "ledgers", "metered"),
    *(
        "model_names",
        "month_acts",
        "months",
        "outbox",
        "ownership",
        "payers",
        "people",
        "pool_hours",
    ),
    *("pools", "prices", "rates", "readings", "repricing_differences", "repricings", "roles"),
    *("rule_states", "saved_views", "sessions", "shapes", "silences", "split_waiting", "splits"),
    *("standings", "told", "told_anew", "usage_days", "usage_lines", "usage_months"),
)
"""What stays on the coordinator alone: what is written with locks and unique keys of its own, and
is never joined with a distributed table but through its ids."""

OLDEST: Final = 13
"""The major version of Citus that our statements were tried on."""

AT_ONCE: Final = 2 * 2**30
"""Bytes of a table, with its indexes, that are moved without asking twice."""
BYTES_A_SECOND: Final = 30 * 2**20
"""1,000,000 sightings, 268 MiB, took 6 s on two cores that were all three nodes."""

_KINDS: Final = """
    SELECT logicalrelid::regclass::text,
        CASE WHEN partmethod = 'h' THEN column_to_column_name(logicalrelid, partkey)
        WHEN partmethod = 'n' AND repmodel = 't' THEN 'reference' ELSE 'another kind' END
    FROM pg_dist_partition
"""
_FORBIDDEN: Final = """
    SELECT 'the foreign key ' || conname FROM pg_constraint
    WHERE contype = 'f' AND to_regclass(%(table)s) IN (conrelid, confrelid)
    UNION ALL SELECT 'the trigger ' || tgname FROM pg_trigger
    WHERE tgrelid = to_regclass(%(table)s) AND NOT tgisinternal
    UNION ALL SELECT 'the unique index ' || indexrelid::regclass FROM pg_index
    WHERE indrelid = to_regclass(%(table)s) AND indisunique AND NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY (indkey)
        AND attname = %(column)s)
    ORDER BY 1
"""
"""What a distributed table cannot have; a unique index must contain the column."""
_BYTES: Final = (
    "SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_partition_tree(to_regclass(%s))"
)

Connection = psycopg.Connection[tuple[Any, ...]]


class CannotDistributeError(Exception):
    """Why the tables cannot be distributed, and what to do: for people."""


@dataclass(frozen=True, slots=True)
class Step:
    """Statements of one transaction, and what they do, for people."""

    statements: tuple[str, ...]
    does: str


def steps(connection: Connection, *, any_size: bool = False) -> list[Step]:
    """What is still to be done, in order. Raises CannotDistributeError."""
    _check_cluster(connection)
    kinds: dict[str, str] = dict(connection.execute(_KINDS).fetchall())
    wrong = {table: kinds[table] for table, kind in _wanted() if kinds.get(table, kind) != kind}
    if wrong:
        told = ", ".join(f"{table} ({kind})" for table, kind in wrong.items())
        raise CannotDistributeError(f"distributed otherwise than spanledger does it: {told}")
    return [
        _step(connection, table, kind, any_size=any_size)
        for table, kind in _wanted()
        if table not in kinds
    ]


def distribute(
    connection: Connection, say: Callable[[str], None], *, any_size: bool = False
) -> None:
    """Does it, a table at a time: what was done before a failure stays done.

    ``connection`` commits by itself. Raises CannotDistributeError, and what psycopg raises: a table
    that somebody holds for longer than its ``lock_timeout`` is left as it is.
    """
    connection.execute("SET statement_timeout = 0")
    for step in steps(connection, any_size=any_size):
        with connection.transaction():
            for statement in step.statements:
                connection.execute(statement.encode())
        say(step.does)


def _wanted() -> Iterator[tuple[str, str]]:
    # References first: once the big ones are spread, they are joined with them.
    yield from ((table, "reference") for table in REFERENCE)
    yield from ((table, COLUMN) for table in DISTRIBUTED)


def _check_cluster(connection: Connection) -> None:
    there = "SELECT to_regproc('citus_version') IS NOT NULL"
    if not _one(connection, there):
        raise CannotDistributeError(
            "this Postgres has no extension citus: set shared_preload_libraries = 'citus' on every"
            " node, and run CREATE EXTENSION citus in this database on each (docs/citus.md)"
        )
    version = str(_one(connection, "SELECT citus_version()"))
    major = re.match(r"Citus (\d+)", version)
    if major is None or int(major[1]) < OLDEST:
        raise CannotDistributeError(
            f"{version} is too old: Citus {OLDEST} is the oldest that will do"
        )
    if not _one(connection, "SELECT count(*) FROM pg_dist_node WHERE groupid = 0"):
        raise CannotDistributeError(
            "the coordinator is not in its own list of nodes, so that ordinary tables could not be"
            " joined with references: SELECT citus_set_coordinator_host('ADDRESS', 5432)"
        )
    if not _one(
        connection, "SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards"
    ):
        raise CannotDistributeError(
            "no node takes shards: SELECT citus_add_node('ADDRESS', 5432) for each worker"
        )


def _one(connection: Connection, question: str) -> object:
    row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def _step(connection: Connection, table: str, kind: str, *, any_size: bool) -> Step:
    if kind == "reference":
        return Step(
            (f"SELECT create_reference_table('{table}')",), f"{table}: a copy on every node"
        )
    asked = {"table": table, "column": COLUMN}
    forbidden = [row[0] for row in connection.execute(_FORBIDDEN, asked).fetchall()]
    if forbidden:
        raise CannotDistributeError(
            f"{table} has {', '.join(forbidden)}: a distributed table cannot have that"
        )
    row = connection.execute(_BYTES, [table]).fetchone()
    size = int(row[0] or 0) if row else 0
    if size > AT_ONCE and not any_size:
        minutes = -(-size // BYTES_A_SECOND // 60)
        raise CannotDistributeError(
            f"{table} has {size / 2**30:,.1f} GiB: for about {minutes:,} minutes nobody could write"
            " to it. Collectors spool meanwhile, jobs fail and catch up. If that may be: --any-size"
        )
    beside = "none" if table == DISTRIBUTED[0] else DISTRIBUTED[0]
    return Step(
        (
            f"SELECT create_distributed_table('{table}', '{COLUMN}', colocate_with => '{beside}')",
            # What was copied to the nodes is still on the coordinator's disk, unseen.
            f"SELECT truncate_local_data_after_distributing_table('{table}')",
        ),
        f"{table}: spread by {COLUMN} ({size / 2**20:,.1f} MiB)",
    )
