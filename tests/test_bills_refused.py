"""A bill's file that is not what it should be is refused whole, by line and reason."""

import contextlib
import json
from decimal import Decimal

import pytest
from billed_files import CSV, as_gzip, as_parquet, bills_of, changed, parsed, vector
from hypothesis import given
from hypothesis import strategies as st

from spend.periods import Month
from spend.reconciliation.bill_assembly import FileRefusedError
from spend.written_rows import RowsRefusedError

DEEP = '{"a":' * 900 + "1" + "}" * 900
OCTOBER = {"month": Month(2026, 10)}


def refusal(*files: bytes | str, **expected: object) -> str:
    """Why files are refused."""
    with pytest.raises((RowsRefusedError, FileRefusedError)) as refused:
        bills_of(*files, **expected)
    return str(refused.value)


def renamed(name: str, column: str) -> str:
    text = vector(name)
    assert column in text
    return text.replace(column, f"{column}New", 1)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("openai-export.csv", "amount_currency"),
        ("openai-export.csv", "line_item"),
        ("aws-cur.csv", "line_item_unblended_cost"),
        ("aws-cur.csv", "line_item_line_item_type"),
        ("aws-cur.csv", "bill_billing_period_start_date"),
        ("aws-focus.csv", "BilledCost"),
        ("azure-focus.csv", "BillingCurrency"),
        ("gcp-focus.csv", "ChargePeriodStart"),
        ("focus-1-4.csv", "InvoiceIssuerName"),
        ("gcp-billing.csv", "cost_type"),
        ("gcp-billing.csv", "credits"),
    ],
)
def test_a_column_that_was_renamed_is_missed(name: str, column: str) -> None:
    assert refusal(renamed(name, column)).startswith(f"line 1, {column}: this column is missing")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        # Types, words and units that the documentation does not have.
        ("aws-cur.csv", ",Tax,", ",Levy,", "line 11, line_item_line_item_type: is 'Levy'"),
        ("aws-focus.csv", ",Tax,", ",Levy,", "line 3, ChargeCategory: is 'Levy'"),
        ("gcp-billing.csv", ",regular", ",special", "line 2, cost_type: is 'special'"),
        ("gcp-billing.csv", "202610", "2026-10-01", "line 2, invoice_month: must be a month"),
        ("gcp-billing.csv", ',"[{', ',"[', "line 2, credits: is not JSON"),
        ("aws-cur.csv", "2026-10-06T01:00:00Z", "6.10.2026", "must be a time such as"),
        ("aws-focus.csv", "USD", "US$", "BillingCurrency: must be a code of ISO 4217"),
        ("aws-focus.csv", "0.0370370100", "n/a", "line 2, BilledCost: must be a number"),
        ("aws-focus.csv", "0.0370370100", "", "line 2, BilledCost: is missing"),
        ("aws-focus.csv", "2026-10-06T01", "2026-10-05T01", "must not be before ChargePeriodStart"),
        ("aws-focus.csv", "0.0370370100", "NaN", "line 2, BilledCost: must be a number"),
        ("aws-focus.csv", "0.0370370100", "1e400", "line 2, BilledCost: is larger or finer"),
        ("plain.csv", ",cents,", ",pennies,", "line 3, amount_unit: is 'pennies': we know whole"),
        ("plain.csv", ",output,", ",outputs,", "line 2, meter: is 'outputs': we know input"),
        ("plain.csv", ",credit,", ",gift,", "line 4, kind: is 'gift': we know usage"),
        ("plain.csv", "1000000 tokens", "seconds", "line 2, unit: must be token"),
        ("plain.csv", "region", "regions", "line 1, regions: unknown column"),
        ("plain.csv", "2026-10,,", ",,", "line 2, date: is missing"),
        ("plain.csv", "2026-10,,", "10/2026,,", "line 2, period: '10/2026' is not a month"),
        ("plain.csv", "14.28", "14.29", "total: is 14.29, the lines come to 14.28 EUR"),
    ],
)
def test_what_the_format_does_not_have_is_refused(name: str, old: str, new: str, said: str) -> None:
    text = vector(name)
    assert old in text
    assert said in refusal(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1.23E+05", "has an exponent, as spreadsheets write what they have rounded"),
        ("1e-7", "has an exponent"),
        ("1,234.56", "has a decimal comma or separators of thousands"),
        ("1.234,56", "has a decimal comma or separators of thousands"),
        ("1 234.56", "has a decimal comma or separators of thousands"),
        ("1234,56", "has a decimal comma or"),
        ("NaN", "must be a number"),
        ("inf", "must be a number"),
        ("$12", "must be a number"),
        ("12 EUR", "must be a number"),
        ("٣", "must be a number"),
        ("", "is missing"),
        ("1" * 51, "is longer than 50 digits"),
        ("1" * 19, "is larger or finer"),
    ],
)
def test_an_amount_that_people_or_spreadsheets_spoil_is_refused(amount: str, said: str) -> None:
    text = CSV.replace("0.012", f'"{amount}"')
    assert f"line 3, amount: {said}" in refusal(text)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": {"value": True, "currency": "usd"}}, "line 1, amount.value: must be a number"),
        ({"amount": {"value": [1], "currency": "usd"}}, "line 1, amount.value: must be a number"),
        ({"amount": {"currency": "usd"}}, "line 1, amount.value: is missing"),
        ({"amount": {"value": 1}}, "line 1, amount.currency: is missing"),
        ({"amount": {"value": "1,5", "currency": "usd"}}, "has a decimal comma or"),
        ({"amount": 5}, "line 1, amount.value: is missing"),
        ({"project_id": 7}, "line 1, project_id: must be text"),
        ({"project_id": "p" * 301}, "line 1, project_id: is longer than 300"),
        ({"line_item": "a\x00b"}, "line 1, line: holds a NUL or half a character"),
        ({"has_more": True}, "line 1, has_more: is true, and no page follows"),
        ({"next_page": "page_2"}, "line 1, has_more: is true, and no page follows"),
        ({"data": {}}, "line 1, data: must be a list"),
        ({"data": [{"start_time": [], "results": [{}]}]}, "line 1, start_time: must be a number"),
        ({"data": [{"start_time": 253402300799, "results": [{}]}]}, "must be from 2000 to 2999"),
        ({"data": [{"start_time": 1e40, "results": [{}]}]}, "is larger or finer than any"),
        ({"data": []}, "line 1, data: no buckets"),
        ({"data": [{"start_time": 1}]}, "line 1, data: must be buckets with results"),
        ({"data": [{"start_time": 1, "results": []}]}, "line 1, file: has no lines"),
    ],
)
def test_a_page_of_openai_that_is_not_as_documented_is_refused(
    fields: dict[str, object], said: str
) -> None:
    assert said in refusal(changed("openai-costs.json", **fields))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        # Dollars as a number, where cents as text are documented.
        ({"amount": 1.23}, "line 1, amount: must be text"),
        ({"amount": None}, "line 1, amount: is missing"),
        ({"currency": None}, "line 1, currency: is missing"),
        ({"model": {"id": "x"}}, "line 1, model: must be text"),
        ({"rbac_group_id": "g1"}, "rows of groups overlap"),
        ({"has_more": True}, "line 1, has_more: is true, and no page follows"),
    ],
)
def test_a_report_of_anthropic_that_is_not_as_documented_is_refused(
    fields: dict[str, object], said: str
) -> None:
    assert said in refusal(changed("anthropic-costs.json", **fields))


def test_a_page_or_a_part_that_is_there_twice_is_refused() -> None:
    text = vector("openai-costs.json")
    assert "file 2: line 1, file: is there twice" in refusal(text, text)
    again = changed("openai-costs.json", project_id="other")
    assert "file 2: line 1, data: 2026-10-06 is in another file as well" in refusal(text, again)
    page = json.loads(text)
    assert "the bucket of this day is there twice" in refusal(
        json.dumps([page | {"has_more": True}, page])
    )


def test_the_same_bill_in_two_formats_is_one_too_many() -> None:
    said = refusal(vector("openai-costs.json"), vector("openai-export.csv"))
    assert said.endswith("file: is of the same account, period and invoice as file 1")
    assert len(bills_of(vector("openai-costs.json"), vector("plain.csv"))) == 2


def test_a_bill_has_one_currency() -> None:
    said = refusal(CSV.replace("EUR\n2026", "USD\n2026"))
    assert said == "file 1: line 3, currency: is EUR, others are USD: a bill has one"


@pytest.mark.parametrize(
    ("text", "expected", "said"),
    [
        (CSV, {"month": Month(2026, 9)}, "line 2, period: 2026-10-06 to 2026-10-07 is not in"),
        (CSV.replace("10-07", "11-01"), {}, "line 3, period: 2026-11-01 to 2026-11-02 is not in"),
        (CSV.replace("10-07", "11-01"), OCTOBER, "line 3, period: 2026-11-01 to 2026-11-02"),
        (vector("gcp-billing.csv"), {"month": Month(2026, 9)}, "line 1, period: 2026-10-01 to"),
        (vector("aws-cur.csv"), {"month": Month(2026, 11)}, "line 2, period: 2026-10-01 to"),
        (vector("openai-costs.json"), {"month": Month(2026, 11)}, "line 1, period: 2026-10-06"),
        (CSV, {"provider": "groq"}, "line 2, provider: is mistral, not groq"),
        (vector("aws-focus.csv"), {"account": "1"}, "account: is 111122223333, not 1"),
        (vector("aws-focus.csv"), {"invoice": "1"}, "invoice: is 2026100001, not 1"),
        (CSV.replace("provider", "project"), {}, "line 2, provider: is missing"),
    ],
)
def test_what_was_asked_for_is_what_is_in_the_file(
    text: str, expected: dict[str, object], said: str
) -> None:
    assert said in refusal(text, **expected)


def test_a_stated_total_is_met_in_whole_coins_or_exactly() -> None:
    for stated in ("2.41", "2.41384828"):
        assert bills_of(vector("openai-costs.json"), total=Decimal(stated))
    said = refusal(vector("openai-costs.json"), total=Decimal("2.42"))
    assert "total: is 2.42, the lines come to 2.41384828 USD" in said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is of no format that we know"),
        (b"date;amount;currency\n2026-10-06;1;EUR\n", "has semicolons between its columns"),
        (b"colour,size\nred,5\n", "is of no format that we know"),
        (b"amount,currency,amount\n", "amount: this column is there twice"),
        (b"date,amount,currency\n", "has no lines"),
        (b"date,amount,currency\n2026-10-06,1\n", "line 2, line: has 2 values, the header has 3"),
        (b'date,amount,currency\n"2026', "not CSV"),
        (b"date,amount,currency\n\xff", "is not UTF-8 at byte 21"),
        (b"lineItem/UsageType,x\n", "this is the legacy Cost and Usage Report"),
        (b"CostInBillingCurrency,x\n", "export FOCUS instead"),
        (b"PK\x03\x04rest", "is a ZIP archive or a spreadsheet"),
        (b"PAR1rest", "is no Parquet file that can be read"),
        (b"\x1f\x8b" + b"rest" * 9, "is no gzip file that can be read"),
        (as_gzip(CSV)[:-9], "ends too early: the gzip file is cut off"),
        (as_gzip(CSV)[:-8] + bytes(8), "is no gzip file that can be read: CRC"),
        (as_gzip("x" * 1_000_001), "is larger than 1,000,000 bytes, unpacked"),
        (b"x" * 1_000_001, "is larger than 1,000,000 bytes"),
        (b'{"data": [', "line 1, file: not JSON"),
        (b'{"data": [{"start_time": 1, "results": [NaN]}]}', "NaN is not a number"),
        (b'{"data": [' + b"1" * 5000 + b"]}", "line 1, file: not JSON"),
        (b'{"cost": 1e999999999999999999999}', "line 1, file: not JSON"),
        (b"[" * 100_000, "not JSON: too deep"),
        (b'{"a":' * 400 + b"1" + b"}" * 400, "is of no format that we know"),
        (vector("anthropic-costs.json").replace("null", DEEP, 1).encode(), "not JSON: too deep"),
        (b"[]", "has no lines"),
        (b"[1]", "line 1, line: must be an object"),
        (b'{"a": 1}\n{"a"\n', "line 2, file: not JSON"),
    ],
)
def test_bytes_that_are_no_bill_are_refused(data: bytes, said: str) -> None:
    assert said in refusal(data)


def test_parquet_is_bounded_before_it_is_unpacked() -> None:
    text = "a,b\n" + f"1,{'x' * 20_000}\n" * 500
    packed = as_parquet(text, {})
    assert len(packed) < 10_000
    assert "is larger than 1,000,000 bytes, unpacked" in refusal(packed)
    assert "is no Parquet file that can be read" in refusal(packed[:-4] + b"XXXX")


def test_a_format_that_was_asked_for_is_the_one_there_is() -> None:
    with pytest.raises(RowsRefusedError, match="is of the format csv, not focus"):
        parsed(CSV, expected="focus")


@given(
    st.sampled_from(["openai-costs.json", "aws-cur.csv", "gcp-billing.jsonl", "plain.csv"]),
    st.integers(0, 10**6),
    st.binary(max_size=3),
)
def test_any_damage_is_refused_or_leaves_a_bill(name: str, place: int, inserted: bytes) -> None:
    data = vector(name).encode()
    place %= len(data)
    damaged = data[:place] + inserted + data[place + 1 :]
    with contextlib.suppress(RowsRefusedError, FileRefusedError):
        assert bills_of(damaged)
