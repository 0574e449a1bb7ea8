"""A bill beside the estimate, for a terminal of 80 columns."""

from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.tables.table_parts import shown_money, shown_name, signed_money, small_table
from reports.tables.variance_rows import by_name
from reports.tables.variance_words import SAID, mostly, notes
from spend.money import rounded, rounded_lines
from spend.reconciliation.billed_coverage import BY_TOKENS
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.variance import BUCKETS, Coverage

MOST_ROWS: Final = 25


def variance_table(found: Reconciled) -> RenderableType:
    """The difference by its reasons, then by model, in whole coins that add up."""
    parts: list[RenderableType] = [_title(found), Text(), _by_reason(found), Text()]
    parts += [_by_model(found), *_notes(found)]
    return Group(*parts)


def _title(found: Reconciled) -> Text:
    bills = ", ".join(f"{each.id}" for each in found.bills)
    period = found.bills[0].period
    many = "bills" if len(found.bills) > 1 else "bill"
    said = f"{shown_name(found.provider)}, {period}: {many} {bills} beside the estimate"
    return Text(f"{said}, {found.currency}", style="bold")


def _by_reason(found: Reconciled) -> Table:
    variance, currency = found.variance, found.currency
    table = small_table("", "Amount", "")
    table.show_header = False
    table.columns[2].justify = "left"
    table.add_row("Billed", _money(variance.billed, currency), _other(found))
    table.add_row("Estimated", _money(variance.estimated, currency), _coverage(variance.coverage))
    told = rounded(variance.difference, currency)
    allowed = "" if found.booked else _tolerance(found)
    table.add_row("Difference", signed_money(told, currency), allowed, style="bold")
    amounts = [getattr(variance.buckets, name) for name in BUCKETS]
    coins = rounded_lines(amounts, currency, shown=told)
    for name, amount, coin in zip(BUCKETS, amounts, coins, strict=True):
        style = "" if amount else "dim"
        table.add_row(f"  {SAID[name]}", signed_money(coin, currency), "", style=style)
    table.add_row("  Left over", shown_money(Decimal(0), currency), "", style="dim")
    if found.booked:
        booked = signed_money(rounded(found.booked, currency), currency)
        table.add_row("Booked by true-ups", booked, "")
        still = signed_money(rounded(found.open, currency), currency)
        table.add_row("Open", still, _tolerance(found), style="bold")
    return table


def _tolerance(found: Reconciled) -> str:
    allowed = _money(found.allowed, found.currency)
    if found.within:
        return f"within the tolerance of {allowed}"
    return f"beyond the tolerance of {allowed}"


def _other(found: Reconciled) -> str:
    if not found.other_services:
        return ""
    return f"and {_money(found.other_services, found.currency)} for other services"


def _coverage(coverage: Coverage) -> str:
    what = "the tokens" if coverage.unit == BY_TOKENS else "the money"
    return f"{_percent(coverage)} of {what}" if coverage.share is not None else ""


def _percent(coverage: Coverage) -> str:
    return "" if coverage.share is None else f"{coverage.share:.1%}"


def _by_model(found: Reconciled) -> Table:
    """By model in whole coins; each column adds up to its rounded total."""
    variance, currency = found.variance, found.currency
    rows = by_name(variance.lines, most=MOST_ROWS)
    table = small_table("", "Heard", "Estimated", "Billed", "Difference", "Mostly")
    table.columns[0].overflow = "fold"
    table.columns[5].justify = "left"
    for column in (1, 2, 3, 4, 5):
        table.columns[column].no_wrap = True
    estimated = rounded_lines([row.estimated for row in rows], currency)
    billed = rounded_lines([row.billed for row in rows], currency)
    for row, ours, theirs in zip(rows, estimated, billed, strict=True):
        coverage = variance.models.get(row.name or "")
        table.add_row(
            Text(shown_name(row.name), overflow="fold"),
            _percent(coverage) if coverage else "",
            shown_money(ours, currency),
            shown_money(theirs, currency),
            signed_money(theirs - ours, currency),
            mostly(row.buckets, theirs - ours),
        )
    ours, theirs = sum(estimated, Decimal(0)), sum(billed, Decimal(0))
    table.add_row(
        "Total",
        _percent(variance.coverage),
        shown_money(ours, currency),
        shown_money(theirs, currency),
        signed_money(theirs - ours, currency),
        mostly(variance.buckets, theirs - ours),
        style="bold",
    )
    return table


def _notes(found: Reconciled) -> list[RenderableType]:
    """What there is to know before anybody acts on it."""
    said = list(notes(found))
    if not found.within:
        said.append(f"to take it as it is billed: spanledger bills true-up {found.bills[0].id}")
    lines = [Text(f"- {note}", style="dim", overflow="fold") for note in said]
    return [Text(), *lines] if lines else []


def _money(amount: Decimal, currency: str) -> str:
    return shown_money(rounded(amount, currency), currency)
