"""Tables of pools for a terminal: what hours were made of, and what a change would move."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from reports.tables.table_parts import shown_money, shown_name, signed_money, small_table
from spend.capacity.pool_costs import CostPart
from spend.money import rounded, rounded_lines, total


def pool_table(parts: Sequence[CostPart], idle: Sequence[Decimal], currency: str) -> Table:
    """Components and their sum, rounded so that they add up; and how much of it was idle."""
    table = small_table("Component", "Kind", "On an invoice", f"Cost ({currency})", "kWh", words=3)
    amounts = [part.amount for part in parts]
    for part, amount in zip(parts, rounded_lines(amounts, currency), strict=True):
        table.add_row(
            Text(shown_name(part.name)),
            part.kind,
            "yes" if part.billed else "",
            shown_money(amount, currency),
            _energy(part),
        )
    whole = total(amounts)
    table.add_row("", "", "Together", shown_money(rounded(whole, currency), currency), "")
    table.add_row("", "", "of it idle", shown_money(rounded(total(idle), currency), currency), "")
    return table


def _energy(part: CostPart) -> str:
    if part.kwh is None:
        return ""
    measured = f", {part.measured_kwh:,.1f} measured" if part.measured_kwh else ""
    return f"{part.kwh:,.1f}{measured}"


def difference_table(different: Mapping[str | None, Decimal], currency: str) -> Table:
    """What each team would be charged more, largest first; and all of them."""
    table = small_table("Team", f"Difference ({currency})")
    for team, amount in sorted(different.items(), key=lambda each: (-abs(each[1]), str(each[0]))):
        table.add_row(Text(shown_name(team)), signed_money(rounded(amount, currency), currency))
    whole = rounded(total(list(different.values())), currency)
    table.add_row("Together", signed_money(whole, currency))
    return table
