"""A ledger and its providers' bills, made from the same usage: what differs is seeded."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bill_writers import (
    Format,
    Used,
    anthropic,
    aws_cur,
    focus,
    gcp,
    openai,
    plain_csv,
    rate_told,
    sku_of,
)
from filled_ledger import put_names
from sqlalchemy import insert
from sqlalchemy.orm import Session

from spend.calls import Owner, Route
from spend.periods import parse_month
from spend.reconciliation.bill_assembly import Expected, assembled
from spend.reconciliation.bill_formats import read_file
from spend.reconciliation.bills import Bill
from store.bills import bills
from store.tables.ledger import charges
from store.tables.rates import rates
from store.tenants import TENANT

NOW = datetime(2026, 12, 5, tzinfo=UTC)
MILLION = Decimal(10**6)


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
    rows, ids = [], {}
    for each in used:
        route = Route(provider=form.provider, model=form.models[each.model][0], deployment="api")
        if (each.team, route) not in ids:
            ids[each.team, route] = put_names(session, Owner(team=each.team), route)
        rows.append(charged(each, *ids[each.team, route]))
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
    clock: Callable[[], datetime] = lambda: NOW,
) -> Bill:
    """A bill through the importer of its format."""
    text = form.written(form, used, month, currency, rate)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    read = read_file(text, name=f"{form.provider}.txt", sha256=sha256, provider=form.provider)
    expected = Expected(month=parse_month(month))
    said = assembled([read], expected, now=NOW, by="somebody")
    return bills.add(session, TENANT, said, replaces=replaces, clock=clock)[0]


def in_month(used: Iterable[Used], month: str) -> list[Used]:
    return [each for each in used if str(each.day).startswith(month)]


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
    return f"USE1-{sku_of(form, each, rate)}"


_BEDROCK = focus("AWS", "Amazon Bedrock", x_UsageType=_usage_type)
_VERTEX = focus("Google Cloud", "Vertex AI", ChargeDescription=sku_of)
_FOUNDRY = focus(
    "Microsoft",
    "Azure OpenAI Service",
    x_SkuMeterName=sku_of,
    x_BillingExchangeRate=rate_told,
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
        focus(
            "AWS",
            "Amazon Bedrock",
            x_UsageType=lambda form, each, _rate: f"USE1-{sku_of(form, each, _rate)}",
        ),
        _CLAUDE,
        {"input": "MODEL-input-tokens", "output": "MODEL-output-tokens"},
    ),
    "azure focus": Format(
        "azure",
        focus(
            "Microsoft",
            "Azure OpenAI Service",
            x_SkuMeterName=sku_of,
            x_BillingExchangeRate=rate_told,
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
