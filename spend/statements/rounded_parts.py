"""Tables of exact parts, shown in whole coins: rows and columns add up, both ways."""

from collections.abc import Sequence
from decimal import Decimal

from spend.money import EXACT, minor_digits, rounded


def rounded_table(
    rows: Sequence[Sequence[Decimal]], wholes: Sequence[Decimal], currency: str
) -> list[list[Decimal]]:
    """Parts of each row in whole coins, that add up to what the row shows as its whole.

    ``wholes`` are in whole coins, and each is within a few of what its row adds up to. A column
    adds up to its rounded exact sum where coins can be moved within rows for that; what is exactly
    0 stays so. The last column is for what a row of nothing lacks.
    """
    table = [_row(row, whole, currency) for row, whole in zip(rows, wholes, strict=True)]
    if table:
        _straighten(table, rows, wholes, currency)
    return table


def _row(parts: Sequence[Decimal], whole: Decimal, currency: str) -> list[Decimal]:
    shown = [rounded(part, currency) for part in parts]
    lacking = EXACT.subtract(whole, _sum(shown))
    if lacking:
        largest = max(range(len(parts)), key=lambda place: parts[place].copy_abs())
        place = largest if parts[largest] else len(parts) - 1
        shown[place] = EXACT.add(shown[place], lacking)
    return shown


def _straighten(
    table: list[list[Decimal]],
    rows: Sequence[Sequence[Decimal]],
    wholes: Sequence[Decimal],
    currency: str,
) -> None:
    """Moves coins within rows until the columns are what they are in all."""
    exact = [_sum(column) for column in zip(*rows, strict=True)]
    targets = _row(exact, _sum(wholes), currency)
    coin = Decimal(1).scaleb(-minor_digits(currency))
    over = [
        int(EXACT.subtract(_sum(column), target).scaleb(minor_digits(currency), EXACT))
        for column, target in zip(zip(*table, strict=True), targets, strict=True)
    ]
    # The largest amounts first: there, a coin is least.
    order = sorted(
        range(len(rows)),
        key=lambda place: max(part.copy_abs() for part in rows[place]),
        reverse=True,
    )
    for row in order * 2:
        high = [place for place, coins in enumerate(over) if coins > 0 and rows[row][place]]
        low = [place for place, coins in enumerate(over) if coins < 0 and rows[row][place]]
        for give, take in zip(high, low, strict=False):
            table[row][give] = EXACT.subtract(table[row][give], coin)
            table[row][take] = EXACT.add(table[row][take], coin)
            over[give] -= 1
            over[take] += 1


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    found = Decimal(0)
    for each in amounts:
        found = EXACT.add(found, each)
    return found
