"""Bills of every format say what their files say, to the last 1e-12, and drop nothing."""

import csv
import io
import json
import re
from decimal import Decimal

import pyarrow as pa
import pytest
from billed_files import (
    CSV,
    FILES,
    as_gzip,
    as_parquet,
    bills_of,
    parsed,
    told,
    vector,
)
from focus_data_toolkit.cli import main as focus_toolkit
from hypothesis import given
from hypothesis import strategies as st

from spend.money import plain, total
from spend.reconciliation.bill_formats import ANTHROPIC, FOCUS, FORMATS
from spend.reconciliation.bills import unread
from spend.reconciliation.bills_csv import FIELDS, looks_like_cents
from spend.reconciliation.bills_focus import provider_of

SONNET, GPT = "claude-sonnet-5", "gpt-4o-2024-08-06"
CLAUDE = "Claude4.6Sonnet"
FLASH = "Gemini 2.5 Flash"
LARGE = "mistral-large-2512"

SAID = {
    "openai-costs.json": (
        ("usage", GPT, "input", "40000", "token", "", "0.10"),
        # An exponent, exactly.
        ("usage", GPT, "cache_read", "10", "token", "", "0.0000123"),
        ("usage", GPT, "output", "20000", "token", "", "0.20"),
        ("usage", "gpt-5.6-sol", "output", "", "token", "", "2.00"),
        ("usage", "gpt-audio-mini-2025-12-15", "input_audio", "", "token", "", "0.00383598"),
        ("usage", "", "tool_calls", "5", "call", "", "0.05"),
        # Half of the last digit: to the even one.
        ("usage", "", "", "", "", "", "0.00"),
        ("usage", "", "", "", "", "", "0.06"),
    ),
    "openai-export.csv": (
        ("usage", "gpt-5-nano", "input", "1000", "token", "", "0.00383598"),
        ("usage", "gpt-image-1", "images", "20", "image", "", "1.50"),
    ),
    "anthropic-costs.json": (
        # Cents.
        ("usage", SONNET, "input", "", "", "", "1.2378912"),
        ("usage", SONNET, "cache_read", "", "", "", "0.000000000001"),
        ("usage", SONNET, "cache_write_1h", "", "", "", "3.00"),
        ("usage", "", "tool_calls", "", "", "", "0.505"),
        ("usage", "", "", "", "", "", "0.07"),
    ),
    "anthropic-analytics.json": (("usage", "claude-opus-5", "output", "", "", "", "0.90"),),
    "aws-cur.csv": (
        ("usage", CLAUDE, "input", "12345.67", "token", "3.00", "0.03703701"),
        ("usage", CLAUDE, "cache_read", "0.9", "token", "0.30", "0.00000027"),
        ("usage", "Nova2.0Lite", "input", "1000000", "token", "0.12", "0.12"),
        ("usage", "Claude Sonnet 4.6", "output", "1000000", "token", "16.50", "16.50"),
        ("usage", "", "", "1", "Hrs", "96000.00", "0.096"),
        ("credit", "", "", "", "", "", "-0.096"),
        ("fee", "", "", "", "", "", "0.06"),
        ("credit", CLAUDE, "input", "", "", "", "-0.01"),
        ("credit", "", "", "", "", "", "-5.00"),
        ("tax", "", "", "", "", "", "0.31"),
    ),
    "aws-focus.csv": (
        ("usage", CLAUDE, "input", "12345.67", "token", "3.00", "0.03703701"),
        ("tax", "", "", "", "", "", "0.31"),
    ),
    "azure-focus.csv": (
        ("usage", "gpt-4o-0806", "input", "20000", "token", "2.50", "0.05"),
        ("usage", "GPT 5.1", "output", "350000", "token", "10.00", "3.50"),
        # Provisioned: what its reservation has paid for is billed with that.
        ("usage", "", "", "360", "Units", "1000000.00", "0.00"),
        ("fee", "", "", "15", "Units", "17333333.333333333", "260.00"),
    ),
    "gcp-focus.csv": (
        ("usage", FLASH, "input", "1000000", "token", "0.30", "0.30"),
        ("credit", "", "", "", "", "", "-0.30"),
    ),
    "focus-1-4.csv": (
        ("usage", LARGE, "output", "1250000", "token", "6.00", "7.50"),
        ("usage", LARGE, "output", "", "token", "", "-0.50"),
    ),
    "gcp-billing.jsonl": (
        ("usage", FLASH, "output", "1000000", "token", "2.50", "2.3375"),
        ("credit", FLASH, "output", "", "", "", "-0.20"),
        ("credit", FLASH, "output", "", "", "", "-0.00001"),
        # Of another service: "input" in its name is none of tokens.
        ("usage", "", "", "1", "hour", "", "0.03"),
        ("tax", "", "", "0", "requests", "", "0.44"),
        ("adjustment", "", "", "", "", "", "0.002"),
    ),
    "gcp-billing.csv": (
        ("usage", "gemini 2.5 flash", "cache_read", "2000000", "token", "", "0.15"),
        ("credit", "gemini 2.5 flash", "cache_read", "", "", "", "-0.05"),
    ),
    "plain.csv": (
        ("usage", LARGE, "output", "1250000", "token", "6.00", "7.50"),
        ("usage", LARGE, "input", "3000000", "token", "", "6.00"),
        ("credit", "", "", "", "", "", "-1.50"),
        ("tax", "", "", "", "", "", "2.28"),
    ),
}

BILLS = {
    "openai-costs.json": ("openai", None, None, "USD", "2.41384828"),
    "openai-export.csv": ("openai", "org-example", None, "USD", "1.50383598"),
    "anthropic-costs.json": ("anthropic", None, None, "USD", "4.812891200001"),
    "anthropic-analytics.json": ("anthropic", "org_example", None, "USD", "0.90"),
    # Two invoices: the marketplace has its own.
    "aws-cur.csv": ("aws", "111122223333", None, "USD", "12.01703728"),
    "aws-focus.csv": ("aws", "111122223333", "2026100001", "USD", "0.34703701"),
    "azure-focus.csv": (
        "azure",
        "/providers/Microsoft.Billing/billingAccounts/1",
        "G100",
        "EUR",
        "263.55",
    ),
    "gcp-focus.csv": ("google", "01A2B3-C4D5E6-F70819", None, "USD", "0.00"),
    "focus-1-4.csv": ("mistral", "acct-9", "INV-9", "USD", "7.00"),
    "gcp-billing.jsonl": ("google", "01A2B3-C4D5E6-F70819", None, "EUR", "2.60949"),
    "gcp-billing.csv": ("google", "01A2B3-C4D5E6-F70819", None, "USD", "0.10"),
    "plain.csv": ("mistral", "org-1", "INV-77", "EUR", "14.28"),
}

CUR_TYPES = {
    "line_item_unblended_cost": pa.float64(),
    "line_item_usage_amount": pa.float64(),
    "line_item_usage_start_date": pa.timestamp("ms", tz="UTC"),
    "line_item_usage_end_date": pa.timestamp("us", tz="UTC"),
    "bill_billing_period_start_date": pa.timestamp("ns", tz="UTC"),
}
FOCUS_TYPES = {
    "BilledCost": pa.decimal128(20, 10),
    "ConsumedQuantity": pa.float64(),
    "PricingQuantity": pa.decimal128(20, 10),
    "ChargePeriodStart": pa.timestamp("us", tz="UTC"),
}


def test_there_is_a_file_of_each_format() -> None:
    assert set(SAID) == {path.name for path in FILES.iterdir()} - {"README.md"}
    assert {parsed(vector(name)).format for name in SAID} == set(FORMATS)


@pytest.mark.parametrize("name", SAID)
def test_each_line_says_what_its_row_says(name: str) -> None:
    [bill] = bills_of(vector(name))
    assert tuple(told(line) for line in bill.lines) == SAID[name]


@pytest.mark.parametrize("name", BILLS)
def test_a_bill_says_whose_it_is_and_what_it_comes_to(name: str) -> None:
    [made] = bills_of(vector(name))
    bill = made.bill
    said = (bill.provider, bill.account, bill.invoice, bill.currency, plain(bill.total))
    assert said == BILLS[name]
    assert (bill.period, bill.lines) == ("2026-10", len(SAID[name]))
    assert total([line.amount for line in made.lines]) == bill.total


@pytest.mark.parametrize("name", SAID)
def test_gzip_byte_order_mark_and_carriage_returns_change_nothing(name: str) -> None:
    [plainly] = bills_of(vector(name))
    text = "\ufeff" + vector(name).replace("\n", "\r\n")
    [packed] = bills_of(as_gzip(text))
    assert packed.lines == plainly.lines


@pytest.mark.parametrize(
    ("name", "types", "product"),
    [
        ("aws-cur.csv", CUR_TYPES, "product"),
        ("aws-focus.csv", FOCUS_TYPES, None),
        ("azure-focus.csv", FOCUS_TYPES | {"ChargePeriodStart": pa.string()}, None),
        ("focus-1-4.csv", FOCUS_TYPES, None),
    ],
)
def test_parquet_says_what_csv_says(
    name: str, types: dict[str, pa.DataType], product: str | None
) -> None:
    [from_csv] = bills_of(vector(name))
    [from_parquet] = bills_of(as_parquet(vector(name), types, product))
    assert [told(line) for line in from_parquet.lines] == [told(line) for line in from_csv.lines]
    assert [line.starts for line in from_parquet.lines] == [line.starts for line in from_csv.lines]
    assert from_parquet.bill.total == from_csv.bill.total


def test_a_row_is_kept_as_it_was_read() -> None:
    [bill] = bills_of(vector("gcp-billing.jsonl"))
    raw = bill.lines[0].raw
    assert (raw["cost"], raw["currency_conversion_rate"]) == ("2.3375", "0.935")
    assert raw["labels"] == [{"key": "team", "value": "search"}]
    assert bill.lines[2].raw["credit"]["amount"] == "-0.000010000000000000001"


def test_what_we_cannot_read_is_kept_and_stands_apart() -> None:
    [bill] = bills_of(vector("openai-costs.json"))
    assert [line.description for line in unread(bill.lines)] == [
        "web search tool calls",
        "Vector storage",
        None,
    ]


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_what_focus_data_toolkit_writes_is_read_whole(
    provider: str, version: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("focus")
    arguments = ["--provider", provider, "--focus-version", version, "--rows", "60", "--seed", "7"]
    focus_toolkit(["generate", *arguments, "--out", str(folder)])
    [file] = folder.glob("*cost_and_usage*.csv")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    bills = bills_of(file.read_bytes())
    assert sum(bill.bill.lines for bill in bills) == len(rows)
    assert {bill.bill.account for bill in bills} == {row["BillingAccountId"] for row in rows}
    assert {bill.bill.provider for bill in bills} == {provider.replace("gcp", "google")}
    assert {bill.bill.format for bill in bills} == {FOCUS}
    for bill in bills:
        billed = [
            Decimal(row["BilledCost"])
            for row in rows
            if row["BillingAccountId"] == bill.bill.account
        ]
        assert bill.bill.total == total([each.quantize(Decimal("1e-12")) for each in billed])


def test_pages_of_one_bill_are_one_bill_in_any_order() -> None:
    page = json.loads(vector("openai-costs.json"))
    first, second = ({**page, "data": [bucket]} for bucket in page["data"])
    first |= {"has_more": True, "next_page": "page_2"}
    whole = bills_of(vector("openai-costs.json"))[0]
    for files in ([[first, second]], [first, second], [second, first]):
        [bill] = bills_of(*map(json.dumps, files))
        assert [told(line) for line in bill.lines] == [told(line) for line in whole.lines]
        assert [line.line for line in bill.lines] == list(range(1, 9))
        assert bill.bill.total == whole.bill.total


def test_a_report_without_grouping_is_money_without_a_model() -> None:
    page = json.loads(vector("anthropic-costs.json"))
    bare = dict.fromkeys(page["data"][0]["results"][0])
    page["data"][0]["results"] = [bare | {"amount": "250", "currency": "USD"}]
    [bill] = bills_of(json.dumps(page))
    assert [told(line) for line in bill.lines] == [("usage", "", "", "", "", "", "2.50")]
    assert bill.bill.format == ANTHROPIC


def test_the_csv_of_the_documents_is_a_bill() -> None:
    page = (FILES.parents[2] / "docs" / "bills.md").read_text(encoding="utf-8")
    example = page.split("## The plain CSV\n```\n")[1].split("```")[0]
    [bill] = bills_of(example)
    assert (plain(bill.bill.total), bill.bill.invoice) == ("9.78", "INV-77")
    assert not unread(bill.lines)
    told_of = set(
        re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`[^|]+)\|", page, re.MULTILINE)))
    )
    assert set(FIELDS) <= told_of


def test_a_file_of_several_accounts_is_several_bills() -> None:
    text = CSV.replace("date,", "account,date,").replace("\n2026", "\nb,2026", 1)
    text = text.replace("\n2026", "\na,2026")
    assert [(each.bill.account, plain(each.bill.total)) for each in bills_of(text)] == [
        ("b", "0.002"),
        ("a", "0.012"),
    ]


def test_whole_amounts_may_be_cents_and_that_is_a_hint_only() -> None:
    whole = "date,provider,amount,currency\n" + "2026-10-06,groq,1234,USD\n" * 5
    [bill] = bills_of(whole)
    assert looks_like_cents(bill.bill, bill.lines)
    [bill] = bills_of(whole + "2026-10-06,groq,0.5,USD\n")
    assert not looks_like_cents(bill.bill, bill.lines)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("AWS", "aws"),
        ("Amazon Web Services EMEA SARL", "aws"),
        ("Microsoft", "azure"),
        ("Google Cloud", "google"),
        ("Mistral AI", "mistral"),
        ("OpenAI, L.L.C.", "openai"),
        ("Anthropic", "anthropic"),
        ("Acme  Models", "acme models"),
    ],
)
def test_issuers_are_known_with_their_legal_form(name: str, provider: str) -> None:
    assert provider_of(name) == provider


AMOUNTS = st.decimals(-(10**15), 10**15, places=12)
TEXTS = st.none() | st.text(
    st.characters(categories=("L", "N", "P", "S"), exclude_characters="\x00"), min_size=1
)


@given(
    st.lists(
        st.tuples(st.integers(1, 31), TEXTS, st.none() | AMOUNTS, AMOUNTS), min_size=1, max_size=20
    )
)
def test_a_plain_csv_is_read_as_it_was_written(
    rows: list[tuple[int, str | None, Decimal | None, Decimal]],
) -> None:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["date", "provider", "description", "quantity", "amount", "currency"])
    for day, description, quantity, amount in rows:
        counted = "" if quantity is None else f"{quantity:f}"
        values = [f"2026-10-{day:02d}", "groq", description or "", counted, f"{amount:f}", "usd"]
        writer.writerow(values)
    [bill] = bills_of(written.getvalue())
    read = [(each.starts.day, each.description, each.quantity, each.amount) for each in bill.lines]
    assert read == rows
    assert bill.bill.total == total([amount for _day, _text, _quantity, amount in rows])
