"""What a provider invoiced, as it says so itself: beside what we estimate, and never mixed with it.

A bill is of one issuer, for one account, one period and one currency. Its lines are kept as they
were read, with the row that each was read from: what a name on them means to us is decided by
whoever compares them with the ledger, so that a bill need not be imported again for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from spend.periods import Month

USAGE: Final = "usage"
CREDIT: Final = "credit"
"""Money back: promotional credits, discounts that are rows of their own, refunds."""
TAX: Final = "tax"
FEE: Final = "fee"
"""Bought and not used by the call: subscriptions, reservations, credits, support."""
ADJUSTMENT: Final = "adjustment"
"""What an issuer mended or rounded."""
KINDS: Final = (USAGE, CREDIT, TAX, FEE, ADJUSTMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of a bill, as the issuer wrote it."""

    line: int
    """Of the file: the line of a CSV (the header is 1), else the row's place, from 1."""
    starts: datetime
    """When what it charges for was used or bought (UTC, half-open)."""
    ends: datetime
    account: str | None
    """Within the bill's: the project, workspace, subscription or linked account."""
    provider: str
    """Who served it, as routes name providers; of a marketplace another one than the issuer."""
    model: str | None
    """As on the bill; None: it is for no model, or does not say which."""
    meter: str | None
    """Of ``spend/meters.py``; None: none of them, or we do not know the issuer's word."""
    region: str | None
    service_tier: str | None
    description: str | None
    kind: str
    """One of ``KINDS``."""
    quantity: Decimal | None
    """In the meter's unit, tokens where it has tokens; without a meter, in ``unit``."""
    unit: str | None
    """What is counted: ``token``, ``image``, ..., or the issuer's word."""
    unit_price: Decimal | None
    """For 1,000,000 of the unit, where the bill tells it."""
    amount: Decimal
    """As invoiced, with 12 decimals; what is finer is rounded half to even, line by line."""
    currency: str
    raw: Mapping[str, Any]
    """The row that it was read from, without its empty fields. Numbers are text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillSum:
    """Lines of a bill that say the same kind, model and meter, added up."""

    kind: str
    model: str | None
    meter: str | None
    lines: int
    quantity: Decimal | None
    """In the meter's unit; None: no meter, or not told on each of the lines."""
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one issuer invoices an account for a period, without its lines."""

    id: int = 0
    """0: not kept yet."""
    version: int = 1
    """Of what was said of the same account, period and invoice: 2 replaced 1."""
    provider: str
    """Who issued it, as routes name providers."""
    account: str | None
    """Who is billed: organisation, billing account or payer; None: not told."""
    invoice: str | None
    """The invoice's number; None: not told, as of a month that is not invoiced yet."""
    starts: datetime
    """The period that it is for (UTC, half-open)."""
    ends: datetime
    currency: str
    format: str
    """How it was written: ``openai-costs``, ``focus``, ``csv``, ..."""
    file_name: str
    sha256: str
    """Of the file's bytes, as they came; 64 hex digits."""
    imported_at: datetime
    imported_by: str | None
    lines: int
    """How many there are."""
    total: Decimal
    """The sum of its lines' amounts, to the last 1e-12."""
    superseded_at: datetime | None = None
    """When a newer version replaced it; None: it holds."""

    def same_as(self, other: "Bill") -> bool:
        """Whether both are of one issuer, account, period and invoice, as far as that is told.

        What was imported in the middle of a month has no number yet.
        """
        return (self.provider, self.starts, self.ends) == (
            other.provider,
            other.starts,
            other.ends,
        ) and all(
            None in {mine, theirs} or mine == theirs
            for mine, theirs in ((self.account, other.account), (self.invoice, other.invoice))
        )

    @property
    def period(self) -> str:
        """``2026-10``, or from which day to which, where that is no month of UTC."""
        month = Month(self.starts.year, self.starts.month)
        days = [each.date() for each in (self.starts, self.ends)]
        if days == [month.first_day, month.plus(1).first_day]:
            return str(month)
        return f"{days[0]} to {days[1]}"


def unread(lines: Iterable[BillLine]) -> list[BillLine]:
    """Lines of usage whose model or meter we could not read: they are kept, and stand apart."""
    return [line for line in lines if line.kind == USAGE and None in {line.model, line.meter}]
