"""Months, what was done with them and what they come to, as tables for a terminal."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from rich.table import Table
from rich.text import Text

from reports.tables.table_parts import UNKNOWN, shown_money, shown_name, small_table
from spend.money import rounded
from spend.months.month_proofs import Proof
from spend.months.months import LedgerMonth, MonthAct
from spend.periods import local_day

_HASH_SHOWN: Final = 12
_NAME_SHOWN: Final = 12
_MOMENT: Final = timedelta(microseconds=1)
_BASES: Final = ("list", "contracted", "effective", "billed")


def months_table(months: Sequence[LedgerMonth], acts: Mapping[str, Sequence[MonthAct]]) -> Table:
    """Each month with its state, its last act, and how its hash begins: 80 columns hold it."""
    table = small_table("Month", "State", "Last day", "By", "On", "Hash", words=6)
    for month in months:
        last = acts.get(month.name, [None])[-1]
        table.add_row(
            month.name,
            month.state,
            f"{local_day(month.period.end - _MOMENT, month.calendar.zone)}",
            shown_name(last.by)[:_NAME_SHOWN] if last else "",
            _day(last.at) if last else "",
            (month.hash or "")[:_HASH_SHOWN],
        )
    return table


def acts_table(acts: Sequence[MonthAct]) -> Table:
    """What was done, when and by whom; notes and what was accepted below."""
    table = small_table("Act", "At (UTC)", "By", "", words=4)
    for act in acts:
        table.add_row(act.act, _minute(act.at), shown_name(act.by), shown_name(act.note))
        for each in act.accepted:
            table.add_row("", "", "accepted", Text(f"{each.name}: {each.said}", overflow="fold"))
    return table


def sums_table(sums: Mapping[str, Mapping[str, str | None]]) -> Table:
    """Money by currency in four bases, as a record has it; each rounded by itself."""
    table = small_table("Currency", "List", "Contracted", "Effective", "Billed")
    for currency, amounts in sorted(sums.items()):
        shown = (_money(amounts[name], currency) for name in _BASES)
        table.add_row(currency, *shown)
    return table


def proofs_table(proofs: Sequence[Proof]) -> Table:
    """Each closed month with what was read of it, and what is not as it was closed."""
    table = small_table("Month", "Proof", "Hash", "Lines", words=3)
    for proof in proofs:
        parts = ", ".join(dict.fromkeys(each.part for each in proof.broken))
        table.add_row(
            proof.month,
            Text(f"broken: {parts}", style="red") if parts else Text("as closed", style="green"),
            (proof.hash or "gone")[:_HASH_SHOWN],
            f"{proof.lines:,}",
        )
    return table


def _money(amount: str | None, currency: str) -> str:
    if amount is None:
        return UNKNOWN
    return shown_money(rounded(Decimal(amount), currency), currency)


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
