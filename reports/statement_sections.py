"""The parts of a statement below its lines, as small tables for a terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from reports.statement_words import DEPLOYMENTS, NOT_SAID, PARTS, parts_told
from reports.table_parts import UNKNOWN, shown_money, shown_name, signed_money, small_table
from spend.money import EXACT, ROUNDING, plain, rounded
from spend.statement_parts import Place, by_deployment, by_region
from spend.statements import Statement


def sections(statement: Statement) -> Iterator[tuple[str, Table]]:
    """Heading and table of each part that has something to say."""
    currency = statement.currency
    if any(astuple(statement.why)):
        yield f"Why it is not what it was in {statement.before}", _why(statement)
    if len(statement.places) > 1:
        yield "Where the work was done", _where(statement)
    if statement.pools:
        yield "Capacity paid by the hour", _pools(statement)
    if statement.commitments:
        yield "Commitments", _commitments(statement)
    if statement.corrected:
        yield "Corrections of earlier months, in the amounts", _corrected(statement)
    if statement.total.spent.lacks_price:
        yield "Calls whose cost is unknown, not in the amounts", _unpriced(statement)
    if statement.rates:
        yield f"Exchange rates to {currency}", _rates(statement)


def _why(statement: Statement) -> Table:
    table = small_table("", statement.currency)
    table.add_row(statement.before.name, _coins(statement.total.last_amount, statement.currency))
    for part in parts_told(statement.why):
        table.add_row(PARTS[part], signed_money(getattr(statement.why, part), statement.currency))
    total = _coins(statement.total.amount, statement.currency)
    table.add_row(statement.month.name, total, style="bold")
    return table


def _where(statement: Statement) -> Table:
    table = small_table("Deployment", "Region", statement.currency, "Calls", "Tokens", words=2)
    whole = by_deployment(statement.places, statement.currency)
    for place in whole:
        within = [each for each in statement.places if each.deployment == place.deployment]
        name = Text(DEPLOYMENTS.get(place.deployment) or shown_name(place.deployment))
        for region in by_region(within, statement.currency):
            table.add_row(name, _region(region), *_counts(region, statement.currency))
            name = Text()
        if len(within) > 1:
            table.add_row("", "together", *_counts(place, statement.currency), style="bold")
    return table


def _region(place: Place) -> Text:
    return Text(NOT_SAID if place.region is None else shown_name(place.region))


def _counts(place: Place, currency: str) -> Sequence[str]:
    return (
        _coins(place.amount, currency),
        f"{place.spent.calls:,}",
        f"{place.spent.tokens:,}",
    )


def _pools(statement: Statement) -> Table:
    table = small_table("Pool", "Cost", "Idle", "Idle share")
    for pool in statement.pools:
        cost, idle = (_shown(each, pool.currency) for each in (pool.cost, pool.idle))
        table.add_row(Text(shown_name(pool.name)), cost, idle, share_told(pool.idle, pool.cost))
    return table


def share_told(part: Decimal, whole: Decimal) -> str:
    """A part as per cent of a whole; of nothing, none."""
    share = ROUNDING.divide(part * 100, whole) if whole else Decimal(0)
    return f"{share:.1f} %"


def _commitments(statement: Statement) -> Table:
    table = small_table("Commitment", "Paid", "Covered", "Used", "Wasted", "Wasted share")
    for each in statement.commitments:
        amounts = (each.paid, each.covered, each.used, each.wasted)
        table.add_row(
            Text(shown_name(each.name)),
            *(_shown(amount, each.currency) for amount in amounts),
            share_told(each.wasted, EXACT.add(each.used, each.wasted)),
        )
    return table


def _corrected(statement: Statement) -> Table:
    table = small_table("Of", "Team", statement.currency, "Calls", "Tokens", words=2)
    for line in statement.corrected:
        table.add_row(
            line.month,
            Text(shown_name(line.team)),
            UNKNOWN if line.amount is None else signed_money(line.amount, statement.currency),
            f"{line.spent.calls:+,}" if line.spent.calls else "",
            f"{line.spent.tokens:+,}" if line.spent.tokens else "",
        )
    return table


def _unpriced(statement: Statement) -> Table:
    table = small_table("Team", "Provider", "Model", "Calls", "Tokens", words=3)
    for line in statement.lines:
        spent = line.figures.spent
        if spent.lacks_price:
            names = [Text(shown_name(each)) for each in (line.team, line.provider, line.model)]
            table.add_row(*names, f"{spent.unpriced_calls:,}", f"{spent.unpriced_tokens:,}")
    total = statement.total.spent
    counts = (f"{total.unpriced_calls:,}", f"{total.unpriced_tokens:,}")
    table.add_row("Total", "", "", *counts, style="bold")
    return table


def _rates(statement: Statement) -> Table:
    table = small_table("1", "Rate", "Of", "Source", words=1)
    table.columns[3].justify = "left"
    for used in statement.rates:
        of = f"{used.days} days to {used.day}" if used.days > 1 else f"{used.day}"
        source = shown_name(", ".join(used.sources))
        table.add_row(used.from_currency, plain(used.rate), of, Text(source))
    return table


def _coins(amount: Decimal | None, currency: str) -> str:
    return UNKNOWN if amount is None else shown_money(amount, currency)


def _shown(amount: Decimal, currency: str) -> str:
    return shown_money(rounded(amount, currency), currency)
