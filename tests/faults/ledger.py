"""What a run left in the database and in the spool, past all faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Ledger:
    url: str
    data: Path
    """The data folder of the product."""

    @contextmanager
    def asking(self) -> Iterator[psycopg.Connection]:
        """A connection that no fault stands in the way of."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
            yield connection

    def waiting(self) -> list[Path]:
        """Segments of the spool, which are removed once everything in them is stored."""
        return list(self.data.glob("spool/[0-9]*/*.segment"))

    def quarantined(self) -> list[Path]:
        """What the spool put aside."""
        return list(self.data.glob("spool/quarantine/*.segment"))


def last_batch(ledger: Ledger) -> int:
    with ledger.asking() as connection:
        found = connection.execute("SELECT coalesce(max(id), 0) FROM batches").fetchone()
    assert found
    return int(found[0])
