"""Commitments in FOCUS: the columns of what they cover, and rows of Contract Commitment."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from reports.focus.focus_columns import Row, Value
from reports.focus.focus_json import Json, json_text
from reports.focus.focus_names import UNKNOWN, provider_name
from spend import money
from spend.charge_sums import COMMITMENT, ChargeSum
from spend.commitments.commitments import (
    FOREVER,
    MONTHS,
    PREPAID,
    PURCHASE,
    UNUSED_METER,
    Commitment,
)
from spend.months.period_books import PeriodBooks

_TYPES: Final = {PREPAID: "Prepaid Credits"}
_MINIMUM: Final = "Minimum Spend"
_INTERVALS: Final = {"month": "Monthly", "quarter": "Quarterly", "year": "Annual"}
_COLUMNS: Final = {"provider": "ServiceProviderName", "model": "x_Model", "region": "RegionId"}


def discount_of(each: ChargeSum, books: PeriodBooks) -> Row:
    """Columns of what a commitment has to do with a charge; none: it has nothing.

    Quantities are of what was paid for it: used and unused ones add up to those bought.
    """
    id_ = each.source_id if each.source == COMMITMENT else each.covered_by
    commitment = books.commitments.get(id_) if id_ is not None else None
    if commitment is None:
        return {}
    bought = each.source == COMMITMENT and each.meter == PURCHASE
    unused = each.source == COMMITMENT and each.meter == UNUSED_METER
    quantity = each.billed_amount
    applied: Value = None
    if not bought:
        quantity = money.EXACT.subtract(each.amount, each.billed_amount)
    if not bought and not unused:
        element: Json = {
            "ContractId": _contract(commitment),
            "ContractCommitmentId": _id(commitment),
            "ContractCommitmentAppliedCost": quantity,
        }
        applied = json_text({"Elements": [element]})
    return {
        "CommitmentDiscountCategory": "Spend",
        "CommitmentDiscountId": _id(commitment),
        "CommitmentDiscountName": commitment.name,
        "CommitmentDiscountQuantity": quantity,
        "CommitmentDiscountStatus": None if bought else "Unused" if unused else "Used",
        "CommitmentDiscountType": _TYPES.get(commitment.kind, _MINIMUM),
        "CommitmentDiscountUnit": commitment.currency,
        "ContractApplied": applied,
    }


def commitment_rows(books: PeriodBooks, named: Iterable[int]) -> list[Row]:
    """Rows of Contract Commitment: what holds in the period, and what its charges name."""
    wanted = set(named)
    period = books.period.period
    return [
        _row(each, books)
        for id_, each in sorted(books.commitments.items())
        if id_ in wanted
        or (
            each.known_to is None
            and each.valid_from < period.end
            and (each.valid_to or FOREVER) > period.start
        )
    ]


def _row(each: Commitment, books: PeriodBooks) -> Row:
    prepaid = each.kind == PREPAID
    ends = each.valid_to or FOREVER
    provider = provider_name(each.route.provider or UNKNOWN)
    created = each.known_from or each.valid_from
    return {
        "ContractCommitmentId": _id(each),
        "ContractId": _contract(each),
        "ContractPeriodStart": each.valid_from,
        "ContractPeriodEnd": ends,
        "ContractCommitmentPeriodStart": each.valid_from,
        "ContractCommitmentPeriodEnd": ends,
        "ContractCommitmentDescription": each.name,
        "ContractCommitmentCategory": "Spend",
        "ContractCommitmentBenefitCategory": "Entitlement"
        if each.paid == each.amount
        else "Discount",
        "ContractCommitmentType": _TYPES.get(each.kind, _MINIMUM),
        "ContractCommitmentLifecycleStatus": _status(each, books),
        "ContractCommitmentModel": "Continuous",
        "ContractCommitmentOfferCategory": "Negotiated",
        "ContractCommitmentDurationType": _duration(each),
        "ContractCommitmentFulfillmentInterval": _INTERVALS.get(each.period, "Full Period"),
        "ContractCommitmentCost": each.paid,
        "ContractCommitmentDiscountPercentage": _discount(each),
        "ContractCommitmentPaymentModel": "All Upfront" if prepaid else "No Upfront",
        "ContractCommitmentPaymentInterval": _INTERVALS.get(each.period, "One-Time"),
        "ContractCommitmentPaymentUpfrontPercentage": Decimal(1 if prepaid else 0),
        "ContractCommitmentApplicability": json_text(_applies_to(each.match)),
        "ContractCommitmentCreated": created,
        "ContractCommitmentLastUpdated": each.known_to or created,
        "BillingCurrency": each.currency,
        "InvoiceIssuerName": provider,
        "ServiceProviderName": provider,
        "x_ContractCommitmentName": each.name,
        "x_CoveredAmount": each.amount,
        "x_Source": each.source,
    }


def _id(each: Commitment) -> str:
    return f"commitment-{each.id}"


def _contract(each: Commitment) -> str:
    return each.reference or each.name


def _status(each: Commitment, books: PeriodBooks) -> str:
    now = books.known_at
    if each.known_to is not None:
        others = books.commitments.values()
        follows = any(other.id > each.id and other.overlaps(each) for other in others)
        return "Superseded" if follows else "Canceled"
    if now < each.valid_from:
        return "Pending"
    return "Expired" if each.valid_to is not None and each.valid_to <= now else "Active"


def _duration(each: Commitment) -> str:
    """How long it is for; what has no end, how long each of its amounts is for."""
    if each.valid_to is None:
        return _counted(MONTHS.get(each.period, MONTHS["year"]), "Month")
    return _counted(max(1, _days(each.valid_from, each.valid_to)), "Day")


def _days(start: datetime, end: datetime) -> int:
    return (end - start).days


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _discount(each: Commitment) -> Decimal:
    """How much less is paid than it covers, 0 to 1, to 12 decimals."""
    share = money.ROUNDING.divide(each.paid, each.amount)
    off = money.ROUNDING.subtract(Decimal(1), share)
    return off.quantize(Decimal(1).scaleb(-money.ATOM_DIGITS), context=money.ROUNDING)


def _applies_to(match: Mapping[str, Iterable[str]]) -> dict[str, Json]:
    """Which usage counts. Patterns of a provider's id have no FOCUS name: too complex to say."""
    rules: list[Json] = []
    for dimension, patterns in match.items():
        said = list(patterns)
        if "*" in said:
            continue
        begin = [each.removesuffix("*") for each in said if each.endswith("*")]
        if begin and (len(begin) < len(said) or dimension == "provider"):
            return {"IsComplexScope": True}
        values = begin or (list(map(provider_name, said)) if dimension == "provider" else said)
        rules.append(
            {
                "Dimension": _COLUMNS[dimension],
                "Operator": "StartsWith" if begin else "In",
                "Values": values,
            }
        )
    if not rules:
        return {"IsGlobalScope": True}
    return {"InclusionOperator": "And", "Inclusions": rules}
