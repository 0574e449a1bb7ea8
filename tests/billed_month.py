"""Bills in providers' formats, made from usage: what the ledger says, and one fault at a time."""

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from filled_ledger import put_names
from sqlalchemy import insert
from sqlalchemy.orm import Session

from spend.bill_assembly import Expected, assembled
from spend.bill_formats import read_file
from spend.bills import Bill
from spend.calls import Owner, Route
from spend.periods import parse_month
from store import bills
from store.tables.ledger import charges
from store.tables.rates import rates
from store.tenants import TENANT

NOW = datetime(2026, 12, 5, tzinfo=UTC)
MILLION = Decimal(10**6)


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


def days(first: str, count: int) -> list[date]:
    start = date.fromisoformat(first)
    return [start + timedelta(days=number) for number in range(count)]


PRICES = (("big", Decimal("2.5"), Decimal(10)), ("small", Decimal("0.4"), Decimal("1.6")))
USED = [
    Used(day, model, meter, thousands * 1000, price * thousands / 1000, team=team)
    for number, day in enumerate(
        [*days("2026-10-01", 6), date(2026, 10, 30), date(2026, 10, 31), *days("2026-11-01", 3)]
    )
    for model, price_in, price_out in (
        ("big", Decimal("2.5"), Decimal(10)),
        ("small", Decimal("0.4"), Decimal("1.6")),
    )
    for meter, price, thousands in (
        ("input", price_in, 40_000 + 1_000 * number),
        ("output", price_out, 8_000 + 300 * number),
    )
    for team in (("search",) if number % 2 else ("search", "support"))
]


def put_ledger(session: Session, form: Format, used: Iterable[Used] = USED) -> None:
    """The lines of the ledger that the charge job would have posted."""
    rows = []
    for each in used:
        route = Route(provider=form.provider, model=form.models[each.model][0], deployment="api")
        rows.append(charged(each, *put_names(session, Owner(team=each.team), route)))
    session.execute(insert(charges), rows)


def charged(each: Used, owner_id: int, route_id: int) -> dict[str, Any]:
    money = ("list_amount", "contracted_amount", "amount", "billed_amount")
    return {
        "tenant_id": TENANT,
        "posted_at": NOW,
        "kind": "original",
        "slot": datetime(each.day.year, each.day.month, each.day.day, 12, 15, tzinfo=UTC),
        "owner_id": owner_id,
        "payer_id": owner_id,
        "route_id": route_id,
        "band": 0,
        "meter": each.meter,
        "price_id": 1,
        "quantity": each.quantity,
        **dict.fromkeys(money, each.amount),
        "currency": "USD",
        "method": "price-book/2",
    }


def put_rate(session: Session, rate: str = "0.9", to: str = "EUR") -> None:
    said = {
        "tenant_id": TENANT,
        "from_currency": "USD",
        "to_currency": to,
        "rate": Decimal(rate),
        "known_from": datetime(2026, 9, 1, tzinfo=UTC),
        "source": "test",
    }
    session.execute(insert(rates), [said | {"day": day} for day in days("2026-09-25", 70)])


def put_bill(
    session: Session,
    form: Format,
    used: Sequence[Used],
    month: str,
    *,
    currency: str = "USD",
    rate: Decimal = Decimal(1),
    replaces: bool = False,
) -> Bill:
    """A bill through the importer of its format."""
    text = form.written(form, used, month, currency, rate)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    read = read_file(text, name=f"{form.provider}.txt", sha256=sha256, provider=form.provider)
    expected = Expected(month=parse_month(month))
    said = assembled([read], expected, now=NOW, by="somebody")
    return bills.add(session, TENANT, said, replaces=replaces)[0]


def in_month(used: Iterable[Used], month: str) -> list[Used]:
    return [each for each in used if str(each.day).startswith(month)]


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


def _focus(
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


def _sku(form: Format, each: Used, _rate: Decimal) -> str:
    model = form.models[each.model][1]
    return form.meters[each.meter].replace("MODEL", model) if each.kind == "usage" else ""


def _rate_told(_form: Format, _each: Used, rate: Decimal) -> str:
    return _plain(rate)


def gcp(form: Format, used: Sequence[Used], month: str, currency: str, rate: Decimal) -> str:
    rows = []
    for each in _summed(used):
        row = {
            "billing_account_id": "01A2B3",
            "service": {"description": "Vertex AI"},
            "sku": {"description": _sku(form, replace(each, kind="usage"), rate)},
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


_SAME = {"input": "input", "output": "output"}
_CLAUDE = {
    "big": ("us.anthropic.claude-sonnet-4-6-v1:0", "Claude4.6Sonnet"),
    "small": ("amazon.nova-2-lite-v1:0", "Nova2.0Lite"),
    "other": ("", "Titan3Embed"),
}
_GPT = {
    "big": ("gpt-4o-2024-08-06", "gpt-4o-0806"),
    "small": ("gpt-5.1", "GPT 5.1"),
    "other": ("", "o9-mini"),
}
_GEMINI = {
    "big": ("gemini-3-pro", "Gemini 3 Pro"),
    "small": ("gemini-2.5-flash", "Gemini 2.5 Flash"),
    "other": ("", "Gemini 9 Nano"),
}
_SKUS = {
    "input": "MODEL GA Text Input - Predictions",
    "output": "MODEL GA Text Output - Predictions",
}


def _usage_type(form: Format, each: Used, rate: Decimal) -> str:
    return f"USE1-{_sku(form, each, rate)}"


_BEDROCK = _focus("AWS", "Amazon Bedrock", x_UsageType=_usage_type)
_VERTEX = _focus("Google Cloud", "Vertex AI", ChargeDescription=_sku)
_FOUNDRY = _focus(
    "Microsoft",
    "Azure OpenAI Service",
    x_SkuMeterName=_sku,
    x_BillingExchangeRate=_rate_told,
)

FORMATS = {
    "openai costs": Format(
        "openai",
        openai,
        {
            "big": ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
            "small": ("gpt-5-mini", "gpt-5-mini-2025-08-07"),
            "other": ("", "sora-2"),
        },
        _SAME,
    ),
    "anthropic cost report": Format(
        "anthropic",
        anthropic,
        {
            "big": ("claude-sonnet-5", "claude-sonnet-5"),
            "small": ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
            "other": ("", "claude-opus-9"),
        },
        {"input": "uncached_input_tokens", "output": "output_tokens"},
        has_quantities=False,
    ),
    "aws cur": Format(
        "aws", aws_cur, _CLAUDE, {"input": "input-tokens", "output": "output-tokens"}
    ),
    "aws focus": Format(
        "aws",
        _focus(
            "AWS",
            "Amazon Bedrock",
            x_UsageType=lambda form, each, _rate: f"USE1-{_sku(form, each, _rate)}",
        ),
        _CLAUDE,
        {"input": "MODEL-input-tokens", "output": "MODEL-output-tokens"},
    ),
    "azure focus": Format(
        "azure",
        _focus(
            "Microsoft",
            "Azure OpenAI Service",
            x_SkuMeterName=_sku,
            x_BillingExchangeRate=_rate_told,
        ),
        _GPT,
        {"input": "MODEL-Inp-glbl Tokens", "output": "MODEL-opt-glbl Tokens"},
    ),
    "gcp focus": Format("google", _VERTEX, _GEMINI, _SKUS),
    "gcp billing": Format("google", gcp, _GEMINI, _SKUS),
    "plain csv": Format(
        "mistral",
        plain_csv,
        {
            "big": ("mistral-large-2512", "Mistral-Large-2512"),
            "small": ("ministral-8b-latest", "ministral-8b-latest"),
            "other": ("", "codestral"),
        },
        _SAME,
    ),
}
