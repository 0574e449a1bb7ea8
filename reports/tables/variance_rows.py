"""The lines of a variance by what they are of, the largest difference first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from reports.tables.variance_words import named
from spend.money import total
from spend.reconciliation.variance import Buckets, Compared, summed


@dataclass(frozen=True, slots=True)
class VarianceRow:
    """Lines of one model, or of what else is on a bill."""

    name: str | None
    estimated: Decimal
    billed: Decimal
    buckets: Buckets
    """Why they differ."""
    lines: tuple[Compared, ...]


def by_name(lines: Iterable[Compared], *, most: int) -> list[VarianceRow]:
    """A row for each; what is beyond ``most`` together."""
    groups: dict[str | None, list[Compared]] = defaultdict(list)
    for line in lines:
        groups[named(line)].append(line)
    rows = [_row(name, its) for name, its in groups.items()]
    rows.sort(key=lambda row: (-abs(row.buckets.total), -abs(row.billed), row.name or ""))
    rest = rows[most:]
    if not rest:
        return rows
    others = [line for row in rest for line in row.lines]
    return [*rows[:most], _row(f"{len(rest)} more", others)]


def _row(name: str | None, lines: Sequence[Compared]) -> VarianceRow:
    return VarianceRow(
        name,
        total([each.estimated for each in lines]),
        total([each.billed for each in lines]),
        summed(each.buckets for each in lines),
        tuple(lines),
    )
