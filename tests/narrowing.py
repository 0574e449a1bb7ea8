"""What a change of the database's shape takes away from code that was written before it.

Read from Postgres's own catalogue, so that it does not matter how a migration says what it does.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

COLUMNS: Final = text(
    "SELECT CASE nspname WHEN 'public' THEN relname ELSE nspname || '.' || relname END,"
    " attname, format_type(atttypid, atttypmod), attnotnull, atthasdef OR attidentity <> ''"
    " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
    " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
    " WHERE nspname IN ('public', 'reporting') AND NOT relispartition"
    " AND relkind IN ('r', 'p', 'v', 'm') AND attnum > 0 AND NOT attisdropped"
)
"""Of tables, and of the views that are promised to people."""
CONSTRAINTS: Final = text(
    "SELECT relname, contype::text || ' ' || pg_get_constraintdef(pg_constraint.oid),"
    " ARRAY(SELECT attname::text FROM pg_attribute"
    " WHERE attrelid = conrelid AND attnum = ANY (conkey))"
    " FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid"
    " WHERE relnamespace = 'public'::regnamespace AND NOT relispartition AND contype <> 'n'"
)
UNIQUE_INDEXES: Final = text(
    "SELECT relname, 'unique ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''),"
    " ARRAY(SELECT attname::text FROM pg_attribute"
    " WHERE attrelid = indrelid AND attnum = ANY (indkey))"
    " FROM pg_index JOIN pg_class ON pg_class.oid = indrelid"
    " WHERE relnamespace = 'public'::regnamespace AND NOT relispartition AND indisunique"
    " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
)
TRIGGERS: Final = text(
    "SELECT relname, 'trigger ' || pg_get_triggerdef(pg_trigger.oid), '{}'::text[]"
    " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE relnamespace = 'public'::regnamespace AND NOT relispartition AND NOT tgisinternal"
)
NAMES: Final = text(
    "SELECT 'sequence ' || relname FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
    " UNION ALL SELECT 'function ' || pg_proc.oid::regprocedure FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS"
    " (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
)
WIDER: Final = {
    ("smallint", "integer"),
    ("smallint", "bigint"),
    ("integer", "bigint"),
    ("real", "double precision"),
}


@dataclass(frozen=True)
class Column:
    type: str
    needed: bool
    """It may not be NULL."""
    filled: bool
    """By Postgres, where a writer does not name it."""


@dataclass(frozen=True)
class Catalogue:
    columns: dict[str, dict[str, Column]]
    """Table -> its columns."""
    rules: dict[tuple[str, str], frozenset[str]]
    """Of a table (constraints, unique indexes, triggers) -> the columns that each is about."""
    names: frozenset[str]


def catalogue(connection: Connection) -> Catalogue:
    columns: dict[str, dict[str, Column]] = {}
    for table, column, *rest in connection.execute(COLUMNS):
        columns.setdefault(table, {})[column] = Column(*rest)
    return Catalogue(
        columns,
        {
            (table, rule): frozenset(of)
            for asked in (CONSTRAINTS, UNIQUE_INDEXES, TRIGGERS)
            for table, rule, of in connection.execute(asked)
        },
        frozenset(connection.scalars(NAMES)),
    )


def narrowed(before: Catalogue, after: Catalogue) -> list[str]:
    """What code that was written before may stumble over, in words; none where all was added."""
    found = [f"{name} is gone" for name in before.names - after.names]
    for table, columns in before.columns.items():
        if table in after.columns:
            found += _of_columns(table, columns, after.columns[table])
        else:
            found.append(f"{table} is gone")
    there = before.columns.keys() & after.columns.keys()
    for table, rule in before.rules.keys() - after.rules.keys():
        # A check that is gone lets more in; of one that said what is one, ON CONFLICT asks.
        if table in there and not rule.startswith("c "):
            found.append(f"{table} has no longer: {rule}")
    for table, rule in after.rules.keys() - before.rules.keys():
        of = after.rules[table, rule]
        if table in there and (not of or of & before.columns[table].keys()):
            found.append(f"{table} has a new rule: {rule}")
    return sorted(found)


def _of_columns(table: str, before: dict[str, Column], after: dict[str, Column]) -> list[str]:
    found = []
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            found.append(f"{table}.{name} is gone")
            continue
        if was.type != now.type and not _wider(was.type, now.type):
            found.append(f"{table}.{name} is {now.type}, not {was.type}")
        if now.needed and not was.needed:
            found.append(f"{table}.{name} may no longer be NULL")
        if now.needed and was.filled and not now.filled:
            found.append(f"{table}.{name} is no longer filled by itself")
    new = ((name, after[name]) for name in after.keys() - before.keys())
    return found + [
        f"{table}.{name} is new, and needed"
        for name, column in new
        if column.needed and not column.filled
    ]


def _wider(was: str, now: str) -> bool:
    return (was, now) in WIDER or (now == "text" and was.startswith("character varying"))
