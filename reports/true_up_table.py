"""What a true-up posts, for a terminal of 80 columns."""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from reports.table_parts import shown_name, signed_money, small_table
from spend.money import EXACT, rounded, rounded_lines
from spend.true_up import TrueUp

MOST_ROWS: Final = 40


def true_up_table(done: TrueUp) -> RenderableType:
    """By team, currency and what it is for; amounts in whole coins add up by currency."""
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    for line in done.lines:
        key = (line.currency, line.owner.team, line.meter, line.owner.feature or "")
        sums[key] = EXACT.add(sums[key], line.amount)
    table = small_table("Team", "For", "Currency", "Amount", words=3)
    for currency in sorted({key[0] for key in sums}):
        its = sorted(
            (item for item in sums.items() if item[0][0] == currency),
            key=lambda item: (-abs(item[1]), item[0]),
        )
        coins = rounded_lines([amount for _key, amount in its], currency)
        shown = list(zip(its, coins, strict=True))
        for ((_, team, meter, feature), _amount), coin in shown[:MOST_ROWS]:
            what = f"{meter}, {feature}" if feature else meter
            table.add_row(
                Text(shown_name(team), overflow="fold"),
                Text(shown_name(what)),
                currency,
                signed_money(coin, currency),
            )
        rest = sum((coin for _its, coin in shown[MOST_ROWS:]), Decimal(0))
        if len(shown) > MOST_ROWS:
            more = f"{len(shown) - MOST_ROWS} more"
            table.add_row(more, "", currency, signed_money(rest, currency))
        whole = rounded(sum(coins, Decimal(0)), currency)
        table.add_row("Total", "", currency, signed_money(whole, currency), style="bold")
    return table
