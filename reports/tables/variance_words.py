"""What the parts of a variance are called, in tables and files."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.variance import BUCKETS, Buckets, Compared

SAID: Final = {
    "price": "Price: another unit price",
    "more": "Quantity: more billed than heard",
    "less": "Quantity: less billed than heard",
    "scope": "Scope: never heard of",
    "timing": "Timing: another day or period",
    "credits": "Credits and adjustments",
    "fx": "Exchange rate",
    "tax_and_fees": "Tax and fees",
}
"""Of every field of ``Buckets``, in their order."""

SHORT: Final = {
    "price": "price",
    "more": "more billed",
    "less": "less billed",
    "scope": "never heard",
    "timing": "timing",
    "credits": "credits",
    "fx": "rate",
    "tax_and_fees": "tax, fees",
}

_KINDS: Final = {"credit": "credits, adjustments", "tax": "tax", "fee": "fees"}


def mostly(buckets: Buckets, shown: Decimal) -> str:
    """The largest part of a difference, which is ``shown`` beside it; '' where that is 0."""
    if buckets.is_nothing or not shown:
        return ""
    # Of equal ones the first.
    return SHORT[max(BUCKETS, key=lambda name: abs(getattr(buckets, name)))]


def named(line: Compared) -> str | None:
    """What a line is of, where a model would stand."""
    return line.model or line.description or _KINDS.get(line.kind)


def notes(found: Reconciled) -> Iterator[str]:
    """What there is to know of a comparison before anybody acts on it."""
    variance = found.variance
    for currency, (rate, told) in sorted(variance.rates.items()):
        if currency != found.currency:
            how = "as the bill tells" if told else "as its amounts tell"
            yield f"1 {currency} was billed as {rate.normalize():f} {found.currency}, {how}"
    yield from variance.notes
    for each in found.overlapping:
        yield f"bill {each.id} ({each.period}) overlaps, and is not in here"
    if len(found.bills) > 1:
        yield "calls do not tell their account: all bills of the period are taken together"
