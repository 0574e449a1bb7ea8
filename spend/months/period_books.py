"""What an export of a period says beside its charges: what they came from, and how it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from spend.capacity.pools import Pool
from spend.commitments.commitments import Commitment
from spend.fiscal import FiscalPeriod
from spend.reconciliation.bills import Bill


@dataclass(frozen=True, slots=True)
class BilledKinds:
    """A bill, and what its lines of each kind (``spend/reconciliation/bills.py``) come to."""

    bill: Bill
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodBooks:
    """What is known of a period of the books."""

    period: FiscalPeriod
    account: str
    """Which ledger it is."""
    known_at: datetime
    """UTC: as of when all this is told."""
    closed_at: datetime | None
    """When the period was closed for good; None: it was not."""
    pools: Mapping[int, Pool]
    commitments: Mapping[int, Commitment]
    """Also those that were withdrawn or replaced: their lines stay."""
    splits: Mapping[int, str]
    """Names."""
    bills: Sequence[BilledKinds]
    """Those that hold, and touch the period or are what charges came from."""
