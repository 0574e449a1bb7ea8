"""Bills as providers write them, made from usage."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from spend.periods import parse_month


@dataclass(frozen=True)
class Used:
    """Usage of a day, as the ledger has it and as a bill says it."""

    day: date
    model: str
    """Of ``Format.models``, by place."""
    meter: str
    quantity: int
    amount: Decimal
    account: str = "one"
    kind: str = "usage"
    team: str = "search"


@dataclass(frozen=True)
class Format:
    provider: str
    written: Callable[..., str]
    models: dict[str, tuple[str, str]]
    """Model -> as we call it, and as the bill does."""
    meters: dict[str, str]
    """Meter -> as the bill calls it."""
    has_quantities: bool = True
    has_credits: bool = True


def _summed(used: Iterable[Used]) -> list[Used]:
    """One line for each day, model, meter, account and kind, as providers send them."""
    found: dict[Used, Used] = {}
    for each in used:
        key = replace(each, quantity=0, amount=Decimal(0), team="")
        before = found.get(key, key)
        found[key] = replace(
            before,
            quantity=before.quantity + each.quantity,
            amount=before.amount + each.amount,
        )
    return list(found.values())


def _buckets(used: Iterable[Used]) -> dict[date, list[Used]]:
    by_day = defaultdict(list)
    for each in _summed(used):
        by_day[each.day].append(each)
    return dict(sorted(by_day.items()))


def _unix(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def openai(form: Format, used: Sequence[Used], _month: str, currency: str, rate: Decimal) -> str:
    data = [
        {
            "object": "bucket",
            "start_time": _unix(day),
            "end_time": _unix(_next(day)),
            "results": [
                {
                    "object": "organization.costs.result",
                    "amount": {"value": _plain(each.amount * rate), "currency": currency.lower()},
                    "line_item": f"{form.models[each.model][1]}, {form.meters[each.meter]}"
                    if each.kind == "usage"
                    else "Promotional credit",
                    "project_id": each.account,
                    "quantity": each.quantity or None,
                    "quantity_unit": "tokens" if each.quantity else None,
                }
                for each in its
            ],
        }
        for day, its in _buckets(used).items()
    ]
    return json.dumps({"object": "page", "data": data, "has_more": False, "next_page": None})


def anthropic(form: Format, used: Sequence[Used], _month: str, currency: str, rate: Decimal) -> str:
    data = [
        {
            "starting_at": f"{day}T00:00:00Z",
            "ending_at": f"{_next(day)}T00:00:00Z",
            "results": [
                {
                    "amount": _plain(each.amount * rate * 100),
                    "cost_type": "tokens" if each.kind == "usage" else "credit",
                    "currency": currency,
                    "description": "Usage" if each.kind == "usage" else "Credit",
                    "model": form.models[each.model][1] if each.kind == "usage" else None,
                    "service_tier": "standard",
                    "token_type": form.meters[each.meter] if each.kind == "usage" else None,
                    "workspace_id": each.account,
                }
                for each in its
            ],
        }
        for day, its in _buckets(used).items()
    ]
    return json.dumps({"data": data, "has_more": False, "next_page": None})


def _months(month: str) -> tuple[str, str]:
    parsed = parse_month(month)
    return f"{parsed}-01T00:00:00Z", f"{parsed.plus(1)}-01T00:00:00Z"


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def aws_cur(form: Format, used: Sequence[Used], month: str, currency: str, rate: Decimal) -> str:
    starts, ends = _months(month)
    rows = [
        {
            "bill_billing_period_end_date": ends,
            "bill_billing_period_start_date": starts,
            "bill_payer_account_id": "111122223333",
            "line_item_currency_code": currency,
            "line_item_line_item_description": "",
            "line_item_line_item_type": "Usage" if each.kind == "usage" else "Credit",
            "line_item_product_code": "AmazonBedrock",
            "line_item_unblended_cost": _plain(each.amount * rate),
            "line_item_usage_account_id": each.account,
            "line_item_usage_amount": _plain(Decimal(each.quantity) / 1000),
            "line_item_usage_end_date": f"{each.day}T{hour + 1:02}:00:00Z",
            "line_item_usage_start_date": f"{each.day}T{hour:02}:00:00Z",
            "line_item_usage_type": f"USE1-{form.models[each.model][1]}-{form.meters[each.meter]}"
            if each.kind == "usage"
            else "",
            "pricing_unit": "1K tokens",
            "product": '{"product_name":"Amazon Bedrock"}',
            "product_region_code": "us-east-1",
        }
        # By the hour, in two halves.
        for whole in _summed(used)
        for hour in (3, 17)
        for each in [replace(whole, quantity=whole.quantity // 2, amount=whole.amount / 2)]
    ]
    return _table([*rows, {**rows[0], **_COMPUTE}])


_COMPUTE = {
    "line_item_product_code": "AmazonEC2",
    "line_item_usage_type": "BoxUsage:p5.48xlarge",
    "line_item_unblended_cost": "5000",
    "line_item_line_item_type": "Usage",
    "product": '{"product_name":"Amazon Elastic Compute Cloud"}',
}
"""What an account of a cloud buys beside models."""


def focus(
    issuer: str, service: str, **own: Callable[[Format, Used, Decimal], str]
) -> Callable[..., str]:
    def written(
        form: Format, used: Sequence[Used], month: str, currency: str, rate: Decimal
    ) -> str:
        starts, ends = _months(month)
        rows = [
            {
                "BilledCost": _plain(each.amount * rate),
                "BillingAccountId": "account-1",
                "BillingCurrency": currency,
                "BillingPeriodEnd": ends,
                "BillingPeriodStart": starts,
                "ChargeCategory": "Usage" if each.kind == "usage" else "Credit",
                "ChargePeriodEnd": f"{_next(each.day)}T00:00:00Z",
                "ChargePeriodStart": f"{each.day}T00:00:00Z",
                "InvoiceIssuerName": issuer,
                "ProviderName": issuer,
                "ServiceCategory": "AI and Machine Learning",
                "ServiceName": service,
                "SubAccountId": each.account,
                "PricingQuantity": _plain(Decimal(each.quantity) / 1000) if each.quantity else "",
                "PricingUnit": "1K tokens" if each.quantity else "",
                **{name: make(form, each, rate) for name, make in own.items()},
            }
            for each in _summed(used)
        ]
        other = {
            "ServiceName": "Virtual Machines",
            "ServiceCategory": "Compute",
            "BilledCost": "5000",
            "ChargeCategory": "Usage",
        }
        return _table([*rows, {**rows[0], **dict.fromkeys(own, ""), **other}])

    return written


def sku_of(form: Format, each: Used, _rate: Decimal) -> str:
    model = form.models[each.model][1]
    return form.meters[each.meter].replace("MODEL", model) if each.kind == "usage" else ""


def rate_told(_form: Format, _each: Used, rate: Decimal) -> str:
    return _plain(rate)


def gcp(form: Format, used: Sequence[Used], month: str, currency: str, rate: Decimal) -> str:
    rows = []
    for each in _summed(used):
        row = {
            "billing_account_id": "01A2B3",
            "service": {"description": "Vertex AI"},
            "sku": {"description": sku_of(form, replace(each, kind="usage"), rate)},
            "usage_start_time": f"{each.day} 00:00:00 UTC",
            "usage_end_time": f"{_next(each.day)} 00:00:00 UTC",
            "project": {"id": each.account},
            "location": {"region": "europe-west1"},
            "cost": _plain(each.amount * rate if each.kind == "usage" else Decimal(0)),
            "currency": currency,
            "currency_conversion_rate": _plain(rate),
            "usage": {"amount_in_pricing_units": each.quantity, "pricing_unit": "count"},
            "credits": []
            if each.kind == "usage"
            else [{"name": "Promotion", "amount": _plain(each.amount * rate)}],
            "invoice": {"month": month.replace("-", "")},
            "cost_type": "regular",
        }
        rows.append(row)
    other = {**rows[0], "service": {"description": "Compute Engine"}, "cost": "5000", "credits": []}
    return "\n".join(json.dumps(row) for row in [*rows, other])


def plain_csv(form: Format, used: Sequence[Used], month: str, currency: str, rate: Decimal) -> str:
    return _table(
        [
            {
                "period": month,
                "date": str(each.day),
                "project": each.account,
                "model": form.models[each.model][1] if each.kind == "usage" else "",
                "meter": form.meters[each.meter] if each.kind == "usage" else "",
                "quantity": each.quantity if each.kind == "usage" else "",
                "amount": _plain(each.amount * rate),
                "currency": currency,
                "kind": each.kind,
            }
            for each in _summed(used)
        ]
    )
