"""The columns of the FOCUS datasets that are exported, by version, in the order of the files.

Source: the FinOps Open Cost and Usage Specification 1.2 and 1.4 (focus.finops.org). Left out are
conditional columns for what no ledger of ours has: availability zones, capacity reservations,
commitment programs, payment and virtual currencies. docs/focus.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

Value = str | Decimal | datetime | None
"""Of a cell; None is null. A moment is UTC. JSON is text."""

Row = dict[str, Value]
"""Column -> value. A column that is absent is null."""

TEXT, DECIMAL, MOMENT = "text", "decimal", "moment"

COST_AND_USAGE: Final = "cost-and-usage"
BILLING_PERIOD: Final = "billing-period"
INVOICE_DETAIL: Final = "invoice-detail"
CONTRACT_COMMITMENT: Final = "contract-commitment"

NEWEST: Final = "1.4"
OLDER: Final = "1.2"
DATASETS: Final = {
    NEWEST: (COST_AND_USAGE, BILLING_PERIOD, INVOICE_DETAIL, CONTRACT_COMMITMENT),
    OLDER: (COST_AND_USAGE,),
}
"""What each version has."""


@dataclass(frozen=True, slots=True)
class FocusColumn:
    """A column of a dataset."""

    name: str
    kind: str
    """TEXT, DECIMAL (12 decimals at most) or MOMENT (UTC)."""
    nullable: bool


def _columns(kinds: str) -> Iterator[FocusColumn]:
    """From lines of names; ``$`` is a decimal, ``@`` a moment, ``?`` behind it: may be null."""
    for word in kinds.split():
        name = word.rstrip("$@?")
        kind = DECIMAL if "$" in word else MOMENT if "@" in word else TEXT
        yield FocusColumn(name, kind, word.endswith("?"))


_CUSTOM: Final = """
    x_Model? x_RequestedModel? x_ModelProvider? x_Deployment? x_Operation? x_Server? x_ServiceTier?
    x_Kind x_Meter x_Method x_ListCostKnown
    x_PriceId? x_PoolId? x_CommitmentId? x_RuleId? x_BillId? x_UpliftId? x_DiscountId?
    x_PayerId x_RouteId
"""

_CHARGES: Final = """
    BillingAccountId BillingAccountName? BillingAccountType SubAccountId? SubAccountName?
    SubAccountType?
    BillingPeriodStart@ BillingPeriodEnd@ ChargePeriodStart@ ChargePeriodEnd@
    ChargeCategory ChargeClass? ChargeDescription? ChargeFrequency
    BillingCurrency BilledCost$ EffectiveCost$ ContractedCost$ ListCost$
    PricingCategory? PricingQuantity$? PricingUnit? ListUnitPrice$? ContractedUnitPrice$?
    ConsumedQuantity$? ConsumedUnit?
    SkuId? SkuMeter? SkuPriceId? SkuPriceDetails?
    ServiceCategory ServiceSubcategory ServiceName
    RegionId? RegionName? ResourceId? ResourceName? ResourceType?
    CommitmentDiscountCategory? CommitmentDiscountId? CommitmentDiscountName?
    CommitmentDiscountQuantity$? CommitmentDiscountStatus? CommitmentDiscountType?
    CommitmentDiscountUnit? Tags?
"""

COLUMNS: Final = {
    (NEWEST, COST_AND_USAGE): tuple(
        _columns(f"""
        InvoiceIssuerName ServiceProviderName HostProviderName? InvoiceId? InvoiceDetailId?
        {_CHARGES}
        ContractApplied?
        AllocatedMethodId? AllocatedMethodDetails? AllocatedResourceId? AllocatedResourceName?
        AllocatedTags?
        {_CUSTOM} x_SplitOriginId? x_SplitOriginCost$?
        """)
    ),
    (OLDER, COST_AND_USAGE): tuple(
        _columns(f"""
        InvoiceIssuerName ProviderName PublisherName InvoiceId
        {_CHARGES}
        PricingCurrency PricingCurrencyEffectiveCost$ PricingCurrencyListUnitPrice$?
        PricingCurrencyContractedUnitPrice$?
        {_CUSTOM}
        """)
    ),
    (NEWEST, BILLING_PERIOD): tuple(
        _columns("""
        InvoiceIssuerName BillingPeriodStart@ BillingPeriodEnd@ BillingPeriodStatus
        BillingPeriodCreated@ BillingPeriodLastUpdated@ x_BillingPeriodName
        """)
    ),
    (NEWEST, INVOICE_DETAIL): tuple(
        _columns("""
        InvoiceDetailId InvoiceId ReferenceInvoiceId InvoiceIssuerName InvoiceIssueStatus
        InvoiceIssueDate@? InvoiceDetailCreated@ InvoiceDetailLastUpdated@ InvoiceDetailDescription?
        InvoiceDetailGrain? BillingAccountId BillingPeriodStart@ BillingPeriodEnd@ ChargeCategory
        BillingCurrency BilledCost$ PaymentTerms PaymentDueDate@?
        x_BillIds? x_IsProvisional
        """)
    ),
    (NEWEST, CONTRACT_COMMITMENT): tuple(
        _columns("""
        ContractCommitmentId ContractId ContractPeriodStart@ ContractPeriodEnd@
        ContractCommitmentPeriodStart@ ContractCommitmentPeriodEnd@ ContractCommitmentDescription?
        ContractCommitmentCategory ContractCommitmentBenefitCategory ContractCommitmentType
        ContractCommitmentLifecycleStatus ContractCommitmentModel ContractCommitmentOfferCategory
        ContractCommitmentDurationType ContractCommitmentFulfillmentInterval
        ContractCommitmentCost$? ContractCommitmentQuantity$? ContractCommitmentUnit?
        ContractCommitmentDiscountPercentage$? ContractCommitmentPaymentModel
        ContractCommitmentPaymentInterval ContractCommitmentPaymentUpfrontPercentage$
        ContractCommitmentApplicability ContractCommitmentCreated@ ContractCommitmentLastUpdated@
        BillingCurrency? InvoiceIssuerName ServiceProviderName
        x_ContractCommitmentName x_CoveredAmount$ x_Source
        """)
    ),
}
"""(version, dataset) -> its columns."""
