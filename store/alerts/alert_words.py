"""What an alert is of, in a few words for a line of a list."""

from decimal import Decimal
from typing import Final

from spend.money import shown
from store.alerts.alerts import Alert, OfBudget

_HOW: Final = {"actual": "", "forecast": " expected", "pace": " of the even rate"}


def said_of(alert: Alert) -> str:
    """Its budget or rule, with what was reached: ``search: 80 % of 100.00 USD in 2026-11``."""
    if alert.of_budget is not None:
        return f"{alert.name}: {_reached(alert, alert.of_budget)}"
    of = f" ({alert.subject})" if alert.subject else ""
    value = alert.detail.get("value")
    found = "" if value is None else f" {_number(str(value))} {alert.detail.get('unit', '')}"
    return f"{alert.name}{of}: {alert.kind}{found}"


def _reached(alert: Alert, said: OfBudget) -> str:
    of = "" if alert.kind == "pace" else f" of {_money(said.amount, said.currency)}"
    return f"{said.threshold} %{of}{_HOW.get(alert.kind, alert.kind)} in {said.period_name}"


def _number(text: str) -> str:
    """An exact number in few digits, never as a power of ten.

    >>> _number("42190.625"), _number("0.012345"), _number("97.954")
    ('42,190', '0.01234', '97.95')
    """
    try:
        return f"{Decimal(f'{Decimal(text):.4g}'):,f}"
    except ArithmeticError:
        return text


def _money(amount: Decimal, currency: str) -> str:
    return f"{shown(amount, currency)} {currency}"
