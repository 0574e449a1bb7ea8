"""What is said to Postgres while a test runs, and what of it a cluster of Citus would refuse.

The rules are of Citus's documentation (SQL support and workarounds) and of what a cluster of 13.0
answered to our own statements. They read text, and no more than we write: no proof that a
statement is taken, but a list of the ways in which ours were not.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import event

from migrations.citus import COLUMN, DISTRIBUTED, REFERENCE
from store.postgres.sessions import Database

VOLATILE: Final = r"\b(random|clock_timestamp|nextval|setval|gen_random_uuid)\s*\("
CHANGES: Final = r"\b(insert\s+into|update|delete\s+from)\s+(?:only\s+)?\"?(\w+)"


@contextmanager
def statements_of(database: Database) -> Iterator[set[str]]:
    """Every statement that is sent meanwhile, as it is sent; COPY too."""
    said: set[str] = set()

    class Listening(psycopg.Cursor[Any]):
        def execute(self, query: Any, *given: Any, **options: Any) -> Any:
            said.add(self._text(query))
            return super().execute(query, *given, **options)

        def executemany(self, query: Any, *given: Any, **options: Any) -> Any:
            said.add(self._text(query))
            return super().executemany(query, *given, **options)

        def copy(self, statement: Any, *given: Any, **options: Any) -> Any:
            said.add(self._text(statement))
            return super().copy(statement, *given, **options)

        def _text(self, query: Any) -> str:
            return query.as_string(self) if isinstance(query, sql.Composable) else str(query)

    def listen(connection: Any, *_others: Any) -> None:
        connection.cursor_factory = Listening

    database.engine.dispose()
    event.listen(database.engine, "connect", listen)
    try:
        yield said
    finally:
        event.remove(database.engine, "connect", listen)
        database.engine.dispose()


def plain(statement: str) -> str:
    """In lower case, on one line, without what stands in quotes."""
    return re.sub(r"\s+", " ", re.sub(r"'[^']*'", "''", statement)).strip().lower()


def names(statement: str, tables: tuple[str, ...]) -> bool:
    """Whether a statement is about one of these tables, or a day of it."""
    any_of = "|".join(tables)
    return bool(re.search(rf"\b({any_of})(_default|_\d{{4}}_\d\d_\d\d)?\b", plain(statement)))


def refused(statement: str) -> str | None:
    """Why Citus would refuse a statement about tables of a cluster; None: no rule does."""
    asked = plain(statement)
    spread = names(asked, DISTRIBUTED)
    if not spread and not names(asked, REFERENCE):
        return None
    within = re.match(r"with\b", asked) and re.search(r"\(\s*(insert|update|delete)\b", asked)
    if within:
        return "a change within another statement (WITH … AS (UPDATE …))"
    changed = re.search(CHANGES, asked)
    changes = changed[2] if changed else None
    of_one = changes is not None and not names(changes, DISTRIBUTED + REFERENCE)
    if of_one and re.match(r"(with\b.*\) )?(update|delete)\b", asked):
        return f"{changes}, of one node, is changed by what is on many"
    return _of_distributed(asked, changes) if spread else None


def _of_distributed(asked: str, changes: str | None) -> str | None:
    for body in _laterals(asked):
        if names(body, DISTRIBUTED) and re.search(r"\b(limit|offset)\b", body):
            return "a lateral subquery with LIMIT or OFFSET"
    spread = changes is not None and names(changes, DISTRIBUTED)
    rules = {
        r"\bfor (no key )?(update|key share|share)\b": "rows of several nodes locked (FOR UPDATE)",
        r"\bwith recursive\b": "WITH RECURSIVE",
        r"\b(grouping sets|rollup|cube)\s*\(": "GROUPING SETS",
        r"\btablesample\b": "TABLESAMPLE",
        r"\bselect from\b": "a subquery without columns",
        r"\bdeclare \w+ .*cursor with hold\b": "a cursor that outlives its transaction",
    }
    if spread and re.match(r"(update|delete)\b", asked) and re.search(VOLATILE, asked):
        return "a function that is not the same on every node"
    if spread and re.search(rf"\bset [^;]*\b{COLUMN}\s*=(?!.*\bwhere\b.*\bset\b)", asked):
        assigned = re.split(r"\b(?:where|from)\b", asked.partition(" set ")[2])[0]
        if re.search(rf"(^|, ?){COLUMN}\s*=", assigned):
            return "what a row is spread by is changed"
    return next((why for rule, why in rules.items() if re.search(rule, asked)), None)


def _laterals(asked: str) -> Iterator[str]:
    """What stands in the brackets behind each LATERAL."""
    for found in re.finditer(r"\blateral\s*\(", asked):
        depth, at = 1, found.end()
        while depth and at < len(asked):
            depth += {"(": 1, ")": -1}.get(asked[at], 0)
            at += 1
        yield asked[found.end() : at - 1]
