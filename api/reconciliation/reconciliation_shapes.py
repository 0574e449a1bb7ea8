"""A bill beside the estimate, as the API shows it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.reconciliation.bill_shapes import BillAnswer, bill_answer
from api.shapes import instant
from spend.money import plain
from spend.reconciliation.reconciled import Reconciled
from spend.reconciliation.true_up import TrueUp
from spend.reconciliation.variance import BUCKETS, Buckets, Compared, Coverage


class ReconciliationAsked(BaseModel):
    """Whose bills of which month."""

    model_config = ConfigDict(extra="forbid")

    month: str = Field(
        max_length=20,
        description="A period of the calendar: bills whose middle is in it.",
        examples=["2026-10"],
    )
    provider: str | None = Field(None, max_length=300, description="Only this issuer's.")


class BucketsAnswer(BaseModel):
    """A difference by its reasons, exact: they add up to it."""

    price: str = Field(description="Another unit price, for the billed quantity.")
    more: str = Field(description="More is billed than we heard, at our price.")
    less: str = Field(description="Less is billed than we heard, likewise.")
    scope: str = Field(description="What we never heard of.")
    timing: str = Field(description="Billed on another day than we count it, or in another period.")
    credits: str = Field(description="Credits and adjustments, less those that we counted on.")
    fx: str = Field(description="Our estimate at the provider's exchange rate, less ours.")
    tax_and_fees: str = Field(description="Less what we paid for commitments.")


class CoverageAnswer(BaseModel):
    """How much of what is billed we heard."""

    estimated: str
    billed: str
    unit: str = Field(description="`token`, or `money` where the bill tells no tokens.")
    share: str | None = Field(description="Estimated by billed; null: nothing is billed.")


class ModelCoverage(CoverageAnswer):
    """Of one model."""

    model: str


class VarianceLine(BaseModel):
    """One thing that is billed or was heard."""

    kind: str = Field(description="usage, credit, tax or fee.")
    model: str | None = Field(description="As we call it, where we do.")
    meter: str | None = Field(description="Null: the bill does not tell meters apart.")
    region: str | None = Field(description="Null: not told by both sides throughout.")
    service_tier: str | None
    description: str | None
    heard_quantity: str | None
    billed_quantity: str | None = Field(description="Null: the bill does not tell.")
    estimated: str
    billed: str
    difference: str
    by_reason: BucketsAnswer
    notes: list[str]


class VarianceDay(BaseModel):
    """A day, or the period of a bill that has no days."""

    from_: str = Field(alias="from", description="UTC.")
    to: str
    by_reason: BucketsAnswer


class UsedRateAnswer(BaseModel):
    """At what a provider turned a currency of ours into the bill's."""

    currency: str
    rate: str
    told: bool = Field(description="False: worked out from the bill's own amounts.")


class VarianceAnswer(BaseModel):
    """Bills of one issuer and period beside the estimate, in the bills' currency."""

    provider: str
    from_: str = Field(alias="from", description="Of the period that is compared, UTC.")
    to: str
    currency: str
    bills: list[BillAnswer] = Field(description="Compared together: calls tell no account.")
    overlapping: list[BillAnswer] = Field(description="Of the issuer, and not in here.")
    billed: str = Field(description="For models.")
    other_services: str = Field(description="Of the bills, for no models: not compared.")
    estimated: str
    difference: str = Field(description="Billed less estimated.")
    by_reason: BucketsAnswer
    booked: str = Field(description="What true-ups have posted.")
    open: str = Field(description="The difference less that.")
    tolerance: str = Field(description="By how much it may differ.")
    within: bool = Field(description="Whether what is open is no more than that.")
    coverage: CoverageAnswer
    models: list[ModelCoverage]
    rates: list[UsedRateAnswer]
    lines: list[VarianceLine] = Field(description="The largest difference first.")
    days: list[VarianceDay]
    notes: list[str]


class ReconciliationAnswer(BaseModel):
    """The bills of a month, issuer by issuer."""

    month: str
    from_: str = Field(alias="from")
    to: str
    bills: list[VarianceAnswer]


class TrueUpAsked(BaseModel):
    """How a bill is trued up."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(default=False, description="Only say what would be posted.")


class TrueUpLineAnswer(BaseModel):
    """A line of the ledger."""

    kind: str = Field(description="true-up, credit or tax.")
    meter: str = Field(description="true-up, fee, credit or tax.")
    team: str
    feature: str | None = Field(description="`uninstrumented`: what was never heard.")
    provider: str | None
    model: str | None
    region: str | None
    amount: str = Field(description="Effective, and billed.")
    currency: str


class TrueUpAnswer(BaseModel):
    """What the ledger lacked of the bills of an issuer and period."""

    bills: list[int]
    slot: str = Field(description="The quarter hour (UTC) that the lines belong to.")
    posted: bool = Field(description="False: it was a dry run.")
    lines: list[TrueUpLineAnswer]


def true_up_answer(done: TrueUp, *, posted: bool) -> TrueUpAnswer:
    """A true-up as it is sent."""
    lines = [
        {
            "kind": each.kind,
            "meter": each.meter,
            "team": each.owner.team,
            "feature": each.owner.feature,
            "provider": each.route.provider,
            "model": each.route.model,
            "region": each.route.region,
            "amount": plain(each.amount),
            "currency": each.currency,
        }
        for each in done.lines
    ]
    return TrueUpAnswer.model_validate(
        {
            "bills": [each.id for each in done.compared.bills],
            "slot": instant(done.slot),
            "posted": posted,
            "lines": lines,
        }
    )


def variance_answer(found: Reconciled) -> VarianceAnswer:
    """A comparison as it is sent."""
    variance = found.variance
    body: dict[str, Any] = {
        "provider": found.provider,
        "from": instant(variance.period.start),
        "to": instant(variance.period.end),
        "currency": found.currency,
        "bills": [bill_answer(each) for each in found.bills],
        "overlapping": [bill_answer(each) for each in found.overlapping],
        "other_services": plain(found.other_services),
        "by_reason": _buckets(variance.buckets),
        **{name: plain(getattr(variance, name)) for name in ("billed", "estimated", "difference")},
        **{name: plain(getattr(found, name)) for name in ("booked", "open")},
        "tolerance": plain(found.allowed),
        "within": found.within,
        "coverage": _coverage(variance.coverage),
        "models": [{"model": name} | _coverage(each) for name, each in variance.models.items()],
        "rates": [
            {"currency": currency, "rate": _number(rate), "told": told}
            for currency, (rate, told) in sorted(variance.rates.items())
            if currency != found.currency
        ],
        "lines": [_line(each) for each in variance.lines],
        "days": [
            {"from": instant(day.start), "to": instant(day.end), "by_reason": _buckets(buckets)}
            for day, buckets in variance.days.items()
        ],
        "notes": list(variance.notes),
    }
    return VarianceAnswer.model_validate(body)


def _line(line: Compared) -> dict[str, Any]:
    names = ("kind", "model", "meter", "region", "service_tier", "description")
    return {
        **{name: getattr(line, name) for name in names},
        "heard_quantity": None if line.heard_quantity is None else _number(line.heard_quantity),
        "billed_quantity": None if line.billed_quantity is None else _number(line.billed_quantity),
        "estimated": plain(line.estimated),
        "billed": plain(line.billed),
        "difference": plain(line.buckets.total),
        "by_reason": _buckets(line.buckets),
        "notes": list(line.notes),
    }


def _buckets(buckets: Buckets) -> dict[str, str]:
    return {name: plain(getattr(buckets, name)) for name in BUCKETS}


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "estimated": _number(coverage.estimated),
        "billed": _number(coverage.billed),
        "unit": coverage.unit,
        "share": None if coverage.share is None else _number(coverage.share),
    }


def _number(number: Decimal) -> str:
    return f"{number.normalize():f}"


def variances(found: Iterable[Reconciled]) -> list[VarianceAnswer]:
    """Many, as they are sent."""
    return [variance_answer(each) for each in found]
