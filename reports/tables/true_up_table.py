"""What a true-up posts, for a terminal of 80 columns."""

from decimal import Decimal
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from reports.tables.table_parts import shown_name, signed_money, small_table
from reports.tables.true_up_sums import true_up_sums
from spend.money import rounded
from spend.reconciliation.true_up import TrueUp

MOST_ROWS: Final = 40


def true_up_table(done: TrueUp) -> RenderableType:
    """By team, currency and what it is for; amounts in whole coins add up by currency."""
    table = small_table("Team", "For", "Currency", "Amount", words=3)
    for currency, its in true_up_sums(done).items():
        for each in its[:MOST_ROWS]:
            table.add_row(
                Text(shown_name(each.team), overflow="fold"),
                Text(shown_name(each.what)),
                currency,
                signed_money(each.coins, currency),
            )
        rest = sum((each.coins for each in its[MOST_ROWS:]), Decimal(0))
        if len(its) > MOST_ROWS:
            more = f"{len(its) - MOST_ROWS} more"
            table.add_row(more, "", currency, signed_money(rest, currency))
        whole = rounded(sum((each.coins for each in its), Decimal(0)), currency)
        table.add_row("Total", "", currency, signed_money(whole, currency), style="bold")
    return table
