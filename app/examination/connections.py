"""Who else holds on to Postgres: connections, transactions, slots."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import text

from app.examination.findings import Finding, Looking, State

_CROWDED, _FULL = 0.7, 0.9
_MINUTES: Final = 5
_GIB: Final = 1024**3

_PLACES: Final = text(
    "SELECT count(*), current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int"
    " FROM pg_stat_activity WHERE backend_type = 'client backend'"
)
_IDLE: Final = text(
    "SELECT pid, coalesce(nullif(application_name, ''), 'somebody'),"
    " extract(epoch FROM clock_timestamp() - state_change)::int / 60 FROM pg_stat_activity"
    " WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
    " AND state_change < clock_timestamp() - make_interval(mins => :minutes)"
    " ORDER BY state_change LIMIT 3"
)
_PREPARED: Final = text(
    "SELECT gid, prepared FROM pg_prepared_xacts"
    " WHERE prepared < clock_timestamp() - make_interval(mins => :minutes) ORDER BY prepared"
)
_SLOTS: Final = text(
    "SELECT slot_name, active, wal_status, pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()"
    " THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)::bigint AS behind"
    " FROM pg_replication_slots ORDER BY slot_name"
)


def places(looking: Looking) -> Iterator[Finding]:
    """How many connections there may be, and are."""
    taken, most = looking.session.execute(_PLACES).one()
    said = f"{taken} of {most}"
    do = "raise max_connections, or put PgBouncer between"
    if taken >= most * _FULL:
        yield Finding("connections", State.WRONG, said, do)
    elif taken >= most * _CROWDED:
        yield Finding("connections", State.LOOK, said, do)
    else:
        yield Finding("connections", State.WELL, said)


def long_transactions(looking: Looking) -> Iterator[Finding]:
    """Sessions that idle in a transaction: they hold up vacuum, and migrations."""
    for pid, who, minutes in looking.session.execute(_IDLE, {"minutes": _MINUTES}):
        said = f"{who} (pid {pid}) idles in a transaction for {minutes} minutes"
        yield Finding("session", State.WRONG, said, f"SELECT pg_terminate_backend({pid})")


def prepared(looking: Looking) -> Iterator[Finding]:
    """Transactions that were prepared and forgotten."""
    for name, since in looking.session.execute(_PREPARED, {"minutes": _MINUTES}):
        said = f"{name!r} waits since {since:%Y-%m-%d %H:%M} to be committed"
        yield Finding("prepared", State.WRONG, said, f"ROLLBACK PREPARED '{name}'")


def slots(looking: Looking) -> Iterator[Finding]:
    """Replication slots: one that nobody reads keeps all of the log, until the disk is full."""
    for name, active, status, behind in looking.session.execute(_SLOTS):
        gib = f"{(behind or 0) / _GIB:.1f} GiB behind"
        drop = f"if nobody is to read it: SELECT pg_drop_replication_slot('{name}')"
        if status == "lost":
            yield Finding(
                "slot", State.WRONG, f"{name} lost its place: make the replica anew", drop
            )
        elif not active:
            state = State.WRONG if (behind or 0) > _GIB else State.LOOK
            yield Finding("slot", state, f"nobody reads {name}, which is {gib}", drop)
        elif (behind or 0) > _GIB:
            yield Finding("slot", State.LOOK, f"{name} is {gib}", "is its replica slow, or away?")
        else:
            yield Finding("slot", State.WELL, f"{name} is {gib}")
