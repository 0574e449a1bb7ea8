"""Bills as tables for a terminal of 80 columns."""

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from reports.tables.table_parts import shown_money, shown_name, small_table
from spend.money import plain, rounded, rounded_lines
from spend.reconciliation.bills import Bill, BillLine, BillSum


def bills_table(found: Sequence[Bill]) -> RenderableType:
    """One bill a line, in the order given; superseded ones are dim."""
    table = small_table("Id", "Issuer", "Account", "Period", "State", "Lines", "Total", words=5)
    for column in (0, 3, 4, 5, 6):
        table.columns[column].no_wrap = True
    for each in found:
        amount = shown_money(rounded(each.total, each.currency), each.currency)
        table.add_row(
            str(each.id),
            Text(shown_name(each.provider)),
            Text(shown_name(each.account), overflow="fold"),
            each.period,
            "superseded" if each.superseded_at else "holds",
            f"{each.lines:,}",
            f"{amount} {each.currency}",
            style="dim" if each.superseded_at else "",
        )
    return table


def bill_head(bill: Bill) -> RenderableType:
    """Whose bill it is, where it came from, and whether it holds."""
    amount = shown_money(rounded(bill.total, bill.currency), bill.currency)
    state = "holds"
    if bill.superseded_at:
        state = f"superseded {bill.superseded_at:%Y-%m-%d %H:%M} UTC"
    title = f"Bill {bill.id}: {shown_name(bill.provider)}, {bill.period}, {amount} {bill.currency}"
    by = f" by {shown_name(bill.imported_by)}" if bill.imported_by else ""
    invoice = shown_name(bill.invoice)
    said = (
        f"account {shown_name(bill.account)}, invoice {invoice}, version {bill.version}, {state}",
        f"{bill.lines:,} lines of {shown_name(bill.file_name)} ({bill.format})",
        f"imported {bill.imported_at:%Y-%m-%d %H:%M} UTC{by}",
        f"sha256 {bill.sha256}",
    )
    return Group(Text(title, style="bold"), *(Text(f"  {line}") for line in said))


def sums_table(sums: Sequence[BillSum], currency: str) -> RenderableType:
    """Sums by kind, model and meter. Amounts in whole coins add up to the rounded total."""
    table = small_table("Kind", "Model", "Meter", "Lines", "Quantity", "Amount", words=3)
    coins = rounded_lines([each.amount for each in sums], currency)
    for each, amount in zip(sums, coins, strict=True):
        table.add_row(
            each.kind,
            Text(shown_name(each.model), overflow="fold"),
            Text(shown_name(each.meter)),
            f"{each.lines:,}",
            _quantity(each.quantity),
            shown_money(amount, currency),
        )
    table.add_row(
        "Total",
        "",
        "",
        f"{sum(each.lines for each in sums):,}",
        "",
        shown_money(sum(coins, Decimal(0)), currency),
        style="bold",
    )
    return table


def lines_table(lines: Sequence[BillLine], of: int) -> RenderableType:
    """The first lines, as they were read."""
    table = small_table("Line", "Day", "Kind", "Account", "Description", "Amount", words=5)
    for each in lines:
        table.add_row(
            str(each.line),
            f"{each.starts:%Y-%m-%d}",
            each.kind,
            Text(shown_name(each.account), overflow="fold"),
            Text(shown_name(each.description), overflow="fold"),
            plain(each.amount),
        )
    if of > len(lines):
        more = Text(f"and {of - len(lines):,} more: GET /v1/bills/{{id}}/lines", style="dim")
        return Group(table, more)
    return table


def _quantity(quantity: Decimal | None) -> str:
    return "" if quantity is None else f"{Decimal(plain(quantity)):,}".removesuffix(".00")
