"""Which invoice a charge is on: a bill's, or until there is one, a provisional one of ours.

A provisional invoice is of one issuer, period and currency. Its details are what the charges on it
come to by category; those of a bill are what the issuer's lines come to. A charge of a category
that the bill has no line of is on no detail: it is what we estimated and nobody invoiced so.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from reports.focus.focus_columns import Row
from reports.focus.focus_names import provider_name
from spend import money
from spend.months.period_books import BilledKinds, PeriodBooks
from spend.reconciliation.bills import ADJUSTMENT, CREDIT, FEE, TAX, USAGE

CATEGORIES: Final = {
    USAGE: "Usage",
    FEE: "Purchase",
    CREDIT: "Credit",
    TAX: "Tax",
    ADJUSTMENT: "Adjustment",
}
"""What FOCUS calls the kinds of a bill's lines."""

_TERMS: Final = "not told"


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of an issuer in one currency."""

    id: str
    provider: str
    currency: str
    bills: tuple[BilledKinds, ...] = ()
    """What it is made of; none: it is provisional."""

    def amounts(self) -> dict[str, Decimal]:
        """Category -> what the bills' lines of it come to."""
        found: dict[str, Decimal] = {}
        for billed in self.bills:
            for kind, amount in billed.amounts.items():
                category = CATEGORIES[kind]
                found[category] = money.total([found.get(category, Decimal(0)), amount])
        return found

    def detail(self, category: str) -> str:
        """The id of its detail of a category."""
        return f"{self.provider}/{self.id}/{self.currency}/{category}"


class Invoices:
    """The invoices of a period's charges, and what these come to on each."""

    def __init__(self, books: PeriodBooks) -> None:
        self._books = books
        self._of_bills = _of_bills(books)
        self._amounts = {each.detail(""): each.amounts() for each in self._of_bills}
        self._provisional: dict[tuple[str, str], Invoice] = {}
        self._sums: dict[tuple[str, str, str], _Sum] = defaultdict(_Sum)
        self.last_posted = books.period.start
        """When the last of the charges was posted."""

    def of(self, provider: str, currency: str, bill_id: int | None = None) -> Invoice:
        """The invoice that a charge of a provider is on; ``bill_id``: the bill it came from."""
        found = [
            each
            for each in self._of_bills
            if any(billed.bill.id == bill_id for billed in each.bills)
        ] or [
            each
            for each in self._of_bills
            if (each.provider, each.currency) == (provider, currency)
        ]
        # Of several nothing tells which one it will be.
        if len(found) == 1:
            return found[0]
        if (provider, currency) not in self._provisional:
            id_ = f"PROV-{self._books.period.name}-{provider}-{currency}"
            self._provisional[provider, currency] = Invoice(id_, provider, currency)
        return self._provisional[provider, currency]

    def detail_of(self, invoice: Invoice, category: str) -> str | None:
        """The id of the detail that a charge of a category is on; None: it is on none."""
        if invoice.bills and category not in self._amounts[invoice.detail("")]:
            return None
        return invoice.detail(category)

    def add(
        self, invoice: Invoice, category: str, billed_amount: Decimal, posted_at: datetime
    ) -> None:
        """Notes a charge that is on an invoice."""
        self._sums[invoice.provider, invoice.currency, category].add(billed_amount)
        self.last_posted = max(self.last_posted, posted_at)

    def details(self) -> list[Row]:
        """Rows of Invoice Detail, once every charge was noted."""
        rows = [
            self._detail(each, category, amount)
            for each in self._of_bills
            for category, amount in self._amounts[each.detail("")].items()
        ]
        for (provider, currency, category), total in self._sums.items():
            invoice = self._provisional.get((provider, currency))
            if invoice is not None:
                rows.append(self._detail(invoice, category, total.amount))
        return sorted(rows, key=lambda row: str(row["InvoiceDetailId"]))

    def periods(self) -> list[Row]:
        """Rows of Billing Period, likewise: one for each issuer."""
        books = self._books
        providers = {each.provider for each in self._of_bills} | {key[0] for key in self._sums}
        changed = max([self.last_posted, books.closed_at or self.last_posted])
        return [
            {
                "InvoiceIssuerName": name,
                "BillingPeriodStart": books.period.start,
                "BillingPeriodEnd": books.period.end,
                "BillingPeriodStatus": "Closed" if books.closed_at else "Open",
                "BillingPeriodCreated": books.period.start,
                "BillingPeriodLastUpdated": changed,
                "x_BillingPeriodName": books.period.name,
            }
            for name in sorted(set(map(provider_name, providers)))
        ]

    def _detail(self, invoice: Invoice, category: str, amount: Decimal) -> Row:
        books = self._books
        imported = [billed.bill.imported_at for billed in invoice.bills]
        issued = any(billed.bill.invoice for billed in invoice.bills)
        what = "as invoiced" if invoice.bills else "estimated, not invoiced yet"
        return {
            "InvoiceDetailId": invoice.detail(category),
            "InvoiceId": invoice.id,
            "ReferenceInvoiceId": invoice.id,
            "InvoiceIssuerName": provider_name(invoice.provider),
            "InvoiceIssueStatus": "Issued" if issued else "Open",
            "InvoiceDetailCreated": min(imported, default=books.period.start),
            "InvoiceDetailLastUpdated": max(imported, default=self.last_posted),
            "InvoiceDetailDescription": f"{category}, {what}",
            "BillingAccountId": books.account,
            "BillingPeriodStart": books.period.start,
            "BillingPeriodEnd": books.period.end,
            "ChargeCategory": category,
            "BillingCurrency": invoice.currency,
            "BilledCost": amount,
            "PaymentTerms": _TERMS,
            "x_BillIds": " ".join(str(billed.bill.id) for billed in invoice.bills) or None,
            "x_IsProvisional": "false" if invoice.bills else "true",
        }


@dataclass(slots=True)
class _Sum:
    amount: Decimal = field(default=Decimal(0))

    def add(self, more: Decimal) -> None:
        self.amount = money.EXACT.add(self.amount, more)


def _of_bills(books: PeriodBooks) -> Sequence[Invoice]:
    """The invoices of bills that are for this period more than for another one."""
    together: Mapping[tuple[str, str, str], list[BilledKinds]] = defaultdict(list)
    for each in books.bills:
        bill = each.bill
        middle = bill.starts + (bill.ends - bill.starts) / 2
        if books.period.start <= middle < books.period.end:
            number = bill.invoice or f"BILL-{bill.id}"
            together[number, bill.provider, bill.currency].append(each)
    return [Invoice(*key, tuple(billed)) for key, billed in together.items()]
