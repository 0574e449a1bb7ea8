"""Reads the lines of a time's books as one text and hashes it, however many they are.

Lines are read in the order of their ids. Who posts holds the ledger's lock, so ids ascend with
commits: what was read up to an id stays a beginning of what there will be, and the rest can be read
under the lock, which then nobody holds for long.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Table, select, text
from sqlalchemy.orm import Session

from spend.months.month_records import Lines
from spend.periods import Period
from store.breakdowns.booked_time import booked_in
from store.columns import driver

_PATIENCE: Final = text("SET LOCAL statement_timeout = '1h'")
"""Of a reader who holds nobody up: a year of a busy ledger is minutes."""
_WRITTEN_ALIKE: Final = text("SET LOCAL datestyle = 'ISO'")
"""Whatever the server's settings are; the session's time zone is UTC."""
TOLD_EVERY: Final = 100_000

Told = Callable[[int], None]
"""Told now and then how many lines were read."""


def columns_of(table: Table) -> tuple[str, ...]:
    """All columns but the tenant's."""
    return tuple(column.name for column in table.columns if column.name != "tenant_id")


class BookedLines:
    """The lines of a table that are booked in a time, hashed as they are read."""

    def __init__(self, table: Table, period: Period, names: Sequence[str]) -> None:
        """``names``: columns; KeyError if there is none of a name."""
        self._table = table
        self._columns = [table.c[name] for name in names]
        self._period = period
        self._hash = hashlib.sha256()
        self._seen_to = 0
        self.lines = 0

    def read(
        self, session: Session, tenant: int, *, up_to: int | None = None, told: Told | None = None
    ) -> None:
        """Reads what was not read yet, up to a line's id; None: to the last one."""
        c = self._table.c
        wanted = (
            select(*self._columns)
            .where(
                c.tenant_id == tenant,
                c.id > self._seen_to,
                *([] if up_to is None else [c.id <= up_to]),
                booked_in(self._table, self._period),
            )
            .order_by(c.id)
        )
        session.execute(_PATIENCE)
        session.execute(_WRITTEN_ALIKE)
        asked = wanted.compile(dialect=session.get_bind().dialect)
        with (
            driver(session).cursor() as cursor,
            cursor.copy(f"COPY ({asked}) TO STDOUT".encode(), asked.params) as copy,
        ):
            for told_so_far, line in enumerate(copy, self.lines + 1):
                self._hash.update(line)
                self.lines = told_so_far
                if told is not None and told_so_far % TOLD_EVERY == 0:
                    told(told_so_far)
        if up_to is not None:
            self._seen_to = up_to

    def found(self) -> Lines:
        """What was read so far."""
        names = tuple(column.name for column in self._columns)
        return Lines(names, self.lines, self._hash.hexdigest())
