"""Bills beside their estimates as CSV: a row for each thing that is compared."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from reports.csv_text import Value, csv_text
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.variance import BUCKETS

HEADER: Final = (
    "provider",
    "from",
    "to",
    "bills",
    "kind",
    "model",
    "meter",
    "region",
    "service_tier",
    "description",
    "heard_quantity",
    "billed_quantity",
    "currency",
    "estimated",
    "billed",
    "difference",
    *BUCKETS,
    "notes",
)


def variance_csv(found: Iterable[Reconciled]) -> str:
    """Exact amounts, without totals: a column's sum is right. Times are UTC."""
    return csv_text(HEADER, (row for each in found for row in _rows(each)))


def _rows(found: Reconciled) -> Iterator[list[Value]]:
    period = found.variance.period
    bills = " ".join(str(each.id) for each in found.bills)
    for line in found.variance.lines:
        yield [
            found.provider,
            f"{period.start:%Y-%m-%dT%H:%M:%SZ}",
            f"{period.end:%Y-%m-%dT%H:%M:%SZ}",
            bills,
            line.kind,
            line.model,
            line.meter,
            line.region,
            line.service_tier,
            line.description,
            _quantity(line.heard_quantity),
            _quantity(line.billed_quantity),
            found.currency,
            line.estimated,
            line.billed,
            line.buckets.total,
            *(getattr(line.buckets, name) for name in BUCKETS),
            "; ".join(line.notes),
        ]


def _quantity(quantity: Decimal | None) -> str | None:
    return None if quantity is None else f"{quantity.normalize():f}"
