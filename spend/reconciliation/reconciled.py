"""Bills beside the estimate of their issuer and period, and how far that is from settled."""

from dataclasses import dataclass
from decimal import Decimal

from spend.money import EXACT
from spend.reconciliation.bills import Bill
from spend.reconciliation.variance import Tolerance, Variance


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """Bills of one issuer and period, beside the estimate."""

    bills: tuple[Bill, ...]
    """Which are compared together, by id."""
    overlapping: tuple[Bill, ...]
    """Bills of the issuer for another, overlapping period: not counted, and in the way."""
    providers: tuple[str, ...]
    """Whose usage is estimated: the issuer's, and of whoever served it and sends no bills."""
    variance: Variance
    """Of what is for models."""
    other_services: Decimal
    """What of the bills is for none, and is not compared."""
    booked: Decimal
    """What true-ups of these bills have posted, in their currency."""
    tolerance: Tolerance

    @property
    def provider(self) -> str:
        """The issuer."""
        return self.bills[0].provider

    @property
    def currency(self) -> str:
        """The bills'."""
        return self.bills[0].currency

    @property
    def open(self) -> Decimal:
        """Billed less estimated, less what true-ups have posted."""
        return EXACT.subtract(self.variance.difference, self.booked)

    @property
    def allowed(self) -> Decimal:
        """By how much it may differ."""
        return self.tolerance.of(self.variance.billed)

    @property
    def within(self) -> bool:
        """Whether the open difference is no larger than that."""
        return self.open.copy_abs() <= self.allowed
