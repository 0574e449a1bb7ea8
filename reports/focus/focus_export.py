"""A FOCUS export: the datasets of one period, each a file, from one reading of the ledger."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.focus.focus_charges import charge_row
from reports.focus.focus_columns import (
    BILLING_PERIOD,
    COLUMNS,
    CONTRACT_COMMITMENT,
    COST_AND_USAGE,
    INVOICE_DETAIL,
    Row,
)
from reports.focus.focus_commitments import commitment_rows
from reports.focus.focus_files import write_file
from reports.focus.focus_invoices import Invoices
from spend.charge_sums import COMMITMENT, ChargeSum, with_covers_put_down
from spend.months.period_books import PeriodBooks


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files are to be written, and how."""

    version: str
    datasets: Sequence[str]
    """Of ``focus_columns.DATASETS`` of the version."""
    shape: str
    """One of ``focus_files.FORMATS``."""
    ascii_only: bool = False

    def file_name(self, books: PeriodBooks, dataset: str) -> str:
        """Of a dataset's file."""
        return f"focus-{self.version}-{books.period.name}-{dataset}.{self.shape}"


class _Reading:
    """Rows of Cost and Usage, and what the other datasets need to know of them."""

    def __init__(self, books: PeriodBooks, sums: Iterable[ChargeSum]) -> None:
        self.books = books
        self.invoices = Invoices(books)
        self.commitments: set[int] = set()
        self._sums = sums

    def rows(self) -> Iterator[Row]:
        for each in with_covers_put_down(self._sums):
            named = each.source_id if each.source == COMMITMENT else each.covered_by
            if named is not None:
                self.commitments.add(named)
            yield charge_row(each, self.books, self.invoices)

    def others(self, dataset: str) -> list[Row]:
        """Of another dataset, once all rows were read."""
        if dataset == BILLING_PERIOD:
            return self.invoices.periods()
        if dataset == INVOICE_DETAIL:
            return self.invoices.details()
        return commitment_rows(self.books, self.commitments)


def write_export(
    folder: Path,
    wanted: Wanted,
    books: PeriodBooks,
    sums: Iterable[ChargeSum],
    *,
    told: Callable[[str, int], None] = lambda _dataset, _rows: None,
) -> list[Path]:
    """Writes the files into a folder, in the order wanted; ``told`` hears of each and its rows.

    ``sums`` are the charges of the period, day by day: they are read once, and not kept.
    """
    reading = _Reading(books, sums)
    rows = reading.rows()
    found: dict[str, Path] = {}
    # First, as the others refer to it.
    for dataset in (COST_AND_USAGE, BILLING_PERIOD, INVOICE_DETAIL, CONTRACT_COMMITMENT):
        if dataset not in wanted.datasets:
            for _row in rows if dataset == COST_AND_USAGE else ():
                pass
            continue
        found[dataset] = folder / wanted.file_name(books, dataset)
        count = write_file(
            found[dataset],
            COLUMNS[wanted.version, dataset],
            rows if dataset == COST_AND_USAGE else reading.others(dataset),
            shape=wanted.shape,
            ascii_only=wanted.ascii_only,
        )
        told(dataset, count)
    return [found[dataset] for dataset in wanted.datasets]
