"""What a period leaves over for the next one, to a cap."""

from decimal import Decimal

from spend.money import EXACT


def rolled_in(limit: Decimal, spent: Decimal, cap: Decimal | None) -> Decimal:
    """What goes into the next period of a limit of which so much was spent.

    ``cap``: at most so much, as the next period's terms say; None: nothing does. What was spent
    beyond the limit is not taken off the next one.

    >>> rolled_in(Decimal(100), Decimal(70), Decimal(20))
    Decimal('20')
    >>> rolled_in(Decimal(120), Decimal(130), Decimal(20))
    Decimal('0')
    """
    if cap is None:
        return Decimal(0)
    return min(cap, max(Decimal(0), EXACT.subtract(limit, spent)))


def limit(amount: Decimal, rolled: Decimal) -> Decimal:
    """What may be spent in a period: the amount, and what the last one left over."""
    return EXACT.add(amount, rolled)
