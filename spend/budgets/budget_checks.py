"""Whether a call may still be paid for: what a gateway asks before it makes one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from spend.budgets.budgets import Budget, percent
from spend.money import EXACT
from spend.periods import Period


@dataclass(frozen=True, slots=True)
class Checked:
    """A budget that a call would count towards."""

    budget: Budget
    limit: Decimal
    """Its amount and what was rolled into it, in its currency."""
    period: Period | None
    """Of which ``spent`` is; None: it was not compared yet."""
    spent: Decimal | None
    """None: it was not compared yet, in the present period or with these terms."""

    @property
    def left(self) -> Decimal | None:
        """Negative when over; None: not known."""
        return None if self.spent is None else EXACT.subtract(self.limit, self.spent)

    @property
    def over(self) -> bool:
        """Nothing is left, as far as is known."""
        return self.left is not None and self.left <= 0

    @property
    def percent(self) -> Decimal | None:
        """Spent of the limit, cut to 2 decimals; None of a limit of 0, or not known."""
        return None if self.spent is None else percent(self.spent, self.limit)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A budget that may count the call: what it is on was not said."""

    budget: Budget
    needs: tuple[str, ...]
    """The dimensions that would tell."""


def that_apply(
    held: Iterable[Checked], said: Mapping[str, str], now: datetime
) -> tuple[list[Checked], list[Undecided]]:
    """The budgets that a call counts towards, and those of which that cannot be told.

    ``said`` is what is known of the call, dimension -> value; ``''``: it has none there. Of a
    period that is over by ``now`` (UTC) nothing counts any more.
    """
    apply: list[Checked] = []
    undecided: list[Undecided] = []
    for each in held:
        wanted = each.budget.terms.filter
        if any(name in said and said[name] not in values for name, values in wanted.items()):
            continue
        needs = tuple(name for name in wanted if name not in said)
        if needs:
            undecided.append(Undecided(each.budget, needs))
        else:
            apply.append(_at(each, now))
    return apply, undecided


def _at(each: Checked, now: datetime) -> Checked:
    if each.period is None or each.period.start <= now < each.period.end:
        return each
    # What was rolled in was of that period, too.
    return replace(each, period=None, spent=None, limit=each.budget.terms.amount)
