"""The parts of a statement beside its lines, as grids that every format for people draws."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from reports.statements.statement_words import (
    DEPLOYMENTS,
    MEANS,
    NOT_SAID,
    PARTS,
    SHORT,
    UNKNOWN,
    parts_told,
)
from spend.money import EXACT, ROUNDING, plain, rounded
from spend.statements.statement_lines import no_coins
from spend.statements.statement_parts import Place, by_deployment
from spend.statements.statements import Statement
from spend.statements.why import amounts_of


class Cells(Enum):
    """What a column of a grid holds."""

    TEXT = "text"
    COINS = "coins"
    """Decimals in whole coins."""
    CHANGE = "change"
    """Likewise, with a sign."""
    COUNT = "count"
    SHARE = "share"
    """Per cent, with one decimal."""


Value = str | int | Decimal | None


@dataclass(frozen=True, slots=True)
class GridRow:
    """Values as the columns hold them. None is unknown, an empty text says nothing."""

    values: tuple[Value, ...]
    is_sum: bool = False
    is_whole: bool = False
    """Whether what stands under CHANGE is an amount itself."""

    def cells(self, columns: tuple[tuple[str, Cells], ...]) -> Iterator[tuple[Value, Cells]]:
        """Each value with what it is."""
        for value, (_name, cells) in zip(self.values, columns, strict=True):
            yield value, Cells.COINS if self.is_whole and cells is Cells.CHANGE else cells


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table."""

    name: str
    heading: str
    columns: tuple[tuple[str, Cells], ...]
    rows: tuple[GridRow, ...]
    said: str = ""
    """A sentence that belongs to it."""


def grids(statement: Statement) -> Iterator[Grid]:
    """Those that have something to say, in the order in which they are read."""
    for make in _GRIDS:
        made = make(statement)
        if made.rows:
            yield made


def told(value: Value, cells: Cells) -> str:
    """A value as people read it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if cells is Cells.SHARE:
        return f"{value:.1f} %"
    if cells is Cells.CHANGE and value:
        return f"{value:+,f}" if isinstance(value, Decimal) else f"{value:+,}"
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"


def share(part: Decimal | None, whole: Decimal | None) -> Value:
    """A part in per cent of a whole; of nothing, or of a debt, nothing is said."""
    if part is None or whole is None or whole <= 0:
        return ""
    return ROUNDING.divide(part * 100, whole)


def _why(statement: Statement) -> Grid:
    total, why = statement.total, statement.why
    rows = [GridRow((statement.before.name, total.last_amount, ""), is_sum=True, is_whole=True)]
    rows += [GridRow((PARTS[part], getattr(why, part), MEANS[part])) for part in parts_told(why)]
    rows.append(GridRow((statement.month.name, total.amount, ""), is_sum=True, is_whole=True))
    return Grid(
        "why",
        f"Why it is not what it was in {statement.before}",
        (("", Cells.TEXT), (statement.currency, Cells.CHANGE), ("Because", Cells.TEXT)),
        tuple(rows) if total.difference is not None and any(amounts_of(why)) else (),
    )


def _why_by_team(statement: Statement) -> Grid:
    parts = parts_told(statement.why)
    told_of = [part for part in statement.parts if any(amounts_of(part.why))]
    rows = [
        GridRow((part.team, *(getattr(part.why, name) for name in parts), part.figures.difference))
        for part in told_of
    ]
    whole = (getattr(statement.why, name) for name in parts)
    rows.append(GridRow(("Total", *whole, statement.total.difference), is_sum=True))
    columns = [(SHORT[part], Cells.CHANGE) for part in parts]
    return Grid(
        "why_by_team",
        "The same by team",
        (("Team", Cells.TEXT), *columns, ("Difference", Cells.CHANGE)),
        tuple(rows) if len(told_of) > 1 else (),
    )


def _where(statement: Statement) -> Grid:
    whole = statement.total.amount
    rows = []
    # Without what has nothing to show here: credits that were bought, billed and not yet used.
    places = [each for each in statement.places if each.amount != 0 or each.spent.calls]
    for kind in by_deployment(places, statement.currency):
        within = [each for each in places if each.deployment == kind.deployment]
        name = DEPLOYMENTS.get(kind.deployment) or str(kind.deployment)
        for place in within:
            region = NOT_SAID if place.region is None else place.region
            rows.append(GridRow((name, region, *_of(place, whole))))
            name = ""
        if len(within) > 1:
            rows.append(GridRow(("", "together", *_of(kind, whole)), is_sum=True))
    return Grid(
        "where",
        "Where the work was done",
        (
            ("Deployment", Cells.TEXT),
            ("Region", Cells.TEXT),
            (statement.currency, Cells.COINS),
            ("Share", Cells.SHARE),
            ("Calls", Cells.COUNT),
            ("Tokens", Cells.COUNT),
        ),
        tuple(rows),
    )


def _of(place: Place, whole: Decimal | None) -> tuple[Value, ...]:
    amount = place.amount
    return amount, share(amount, whole), place.spent.calls, place.spent.tokens


def _pools(statement: Statement) -> Grid:
    rows = [
        GridRow(
            (
                _in_its_own(pool.name, pool.currency, statement),
                rounded(pool.cost, pool.currency),
                rounded(pool.idle, pool.currency),
                share(pool.idle, pool.cost),
            )
        )
        for pool in statement.pools
    ]
    return Grid(
        "pools",
        "Capacity paid by the hour",
        (
            ("Pool", Cells.TEXT),
            ("Cost", Cells.COINS),
            ("Idle", Cells.COINS),
            ("Idle share", Cells.SHARE),
        ),
        tuple(rows),
    )


def _in_its_own(name: str, currency: str, statement: Statement) -> str:
    """What no exchange rate was for is told in its own currency."""
    return name if currency == statement.currency else f"{name} ({currency})"


def _commitments(statement: Statement) -> Grid:
    rows = []
    for each in statement.commitments:
        amounts = (each.paid, each.covered, each.used, each.wasted)
        coins = (rounded(amount, each.currency) for amount in amounts)
        wasted = share(each.wasted, EXACT.add(each.used, each.wasted))
        name = _in_its_own(each.name, each.currency, statement)
        rows.append(GridRow((name, *coins, wasted)))
    return Grid(
        "commitments",
        "Commitments",
        (
            ("Commitment", Cells.TEXT),
            ("Paid", Cells.COINS),
            ("Covered", Cells.COINS),
            ("Used", Cells.COINS),
            ("Wasted", Cells.COINS),
            ("Wasted share", Cells.SHARE),
        ),
        tuple(rows),
    )


def _corrected(statement: Statement) -> Grid:
    rows = [
        GridRow(
            (
                line.month,
                line.team,
                line.amount if line.amount is not None else no_coins(statement.currency),
                line.spent.calls,
                line.spent.tokens,
            )
        )
        for line in statement.corrected
    ]
    return Grid(
        "corrections",
        "Corrections of earlier months, in the amounts",
        (
            ("Of", Cells.TEXT),
            ("Team", Cells.TEXT),
            (statement.currency, Cells.CHANGE),
            ("Calls", Cells.CHANGE),
            ("Tokens", Cells.CHANGE),
        ),
        tuple(rows),
    )


def _unpriced(statement: Statement) -> Grid:
    rows = [
        GridRow(
            (
                line.team,
                line.provider or "",
                line.model or "",
                line.figures.spent.unpriced_calls,
                line.figures.spent.unpriced_tokens,
            )
        )
        for line in statement.lines
        if line.figures.spent.lacks_price
    ]
    total = statement.total.spent
    counts = (total.unpriced_calls, total.unpriced_tokens)
    if rows:
        rows.append(GridRow(("Total", "", "", *counts), is_sum=True))
    return Grid(
        "unpriced",
        "Calls whose cost is unknown, not in the amounts",
        (
            ("Team", Cells.TEXT),
            ("Provider", Cells.TEXT),
            ("Model", Cells.TEXT),
            ("Calls", Cells.COUNT),
            ("Tokens", Cells.COUNT),
        ),
        tuple(rows),
    )


def _rates(statement: Statement) -> Grid:
    rows = []
    for used in statement.rates:
        days = f"{used.days} days to {used.day}" if used.days > 1 else f"{used.day}"
        sources = ", ".join(used.sources)
        rows.append(GridRow((used.from_currency, plain(used.rate), days, used.path, sources)))
    return Grid(
        "rates",
        f"Exchange rates to {statement.currency}",
        tuple((name, Cells.TEXT) for name in ("Of", "Rate", "Day", "Path", "Source")),
        tuple(rows),
    )


_GRIDS: Final[tuple[Callable[[Statement], Grid], ...]] = (
    _why,
    _why_by_team,
    _where,
    _pools,
    _commitments,
    _corrected,
    _unpriced,
    _rates,
)
