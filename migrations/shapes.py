"""Which versions of the code can go on with which shape of the database.

Each migration that is applied is a row of ``shapes``, with the oldest shape whose code still works
once it is: what the migration says as ``WORKS_FROM``, else what the one before it had. So code that
is older than the database can ask it whether to go on (docs/upgrades.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, bindparam, inspect, text

TABLE: Final = "shapes"
FOLDER: Final = Path(__file__).parent


class Fit(Enum):
    """How a database stands to this code."""

    NEWEST = "newest"
    BEHIND = "behind"
    """Migrations wait."""
    AHEAD = "ahead"
    """A newer version migrated it, and this one still works."""
    BEYOND = "beyond"
    """A newer version migrated it, and this one would not work."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a database."""

    revision: str | None
    """Of the last migration that was applied; None where there was none."""
    fit: Fit

    @property
    def works(self) -> bool:
        """Whether this code can read and write it as it is."""
        return self.fit in {Fit.NEWEST, Fit.AHEAD}


def shape_of(connection: Connection) -> Shape:
    """What shape a database has, and whether this code can go on with it."""
    at = MigrationContext.configure(connection).get_current_revision()
    head, known = _known()
    if at == head:
        return Shape(at, Fit.NEWEST)
    if at is None or at in known:
        return Shape(at, Fit.BEHIND)
    works = _works_from(connection, at)
    return Shape(at, Fit.AHEAD if works in known else Fit.BEYOND)


def write_down(
    ctx: MigrationContext, step: MigrationInfo, heads: object, run_args: Mapping[str, Any]
) -> None:
    """Keeps ``shapes`` true, in the transaction of each migration that is applied or undone.

    Alembic calls it (``on_version_apply``) by these names.
    """
    del heads, run_args
    connection = ctx.connection
    if connection is None or not inspect(connection).has_table(TABLE):
        return  # before the migration that made it
    if not step.is_upgrade:
        connection.execute(_FORGET, {"revision": step.up_revision_id})
        return
    script = step.up_revision
    said = getattr(script.module, "WORKS_FROM", None) if isinstance(script, Script) else None
    before = next(iter(step.down_revision_ids), None)
    works_from = said or (before and _works_from(connection, before)) or step.up_revision_id
    connection.execute(_APPLIED, {"revision": step.up_revision_id, "works_from": works_from})


_WORKS_FROM: Final = text("SELECT works_from FROM shapes WHERE revision = :revision")
_FORGET: Final = text("DELETE FROM shapes WHERE revision = :revision")
_APPLIED: Final = text(
    "INSERT INTO shapes (revision, works_from, applied_at)"
    " VALUES (:revision, :works_from, clock_timestamp())"
).bindparams(bindparam("revision"), bindparam("works_from"))


def _works_from(connection: Connection, revision: str) -> str | None:
    """The oldest shape whose code works with a revision; None where nobody wrote it down."""
    if not inspect(connection).has_table(TABLE):
        return None
    found: str | None = connection.scalar(_WORKS_FROM, {"revision": revision})
    return found


@cache
def _known() -> tuple[str, frozenset[str]]:
    """The newest shape that this code knows, and all of them."""
    script = ScriptDirectory(str(FOLDER))
    known = frozenset(each.revision for each in script.walk_revisions())
    return str(script.get_current_head()), known
