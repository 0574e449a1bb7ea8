"""Price files as people write them: every wrong line is named, and no digit is lost."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spend.prices import discount_files
from spend.prices.bands import EDGES
from spend.prices.price_files import FIELDS, REQUIRED, price_lines
from spend.prices.rating import PRICED
from spend.written_rows import RowsRefusedError, rows_of_csv, rows_of_json

HEADER = "provider,model,meter,unit_price,currency,valid_from,valid_to,above_tokens\n"
GOOD = "openai,gpt-4o,input,2.125,USD,2026-10-01,,"
PRICE: dict[str, Any] = {
    "provider": "openai",
    "model": "gpt-4o",
    "meter": "input",
    "unit_price": "2.125",
    "currency": "USD",
    "valid_from": "2026-10-01",
}


def refusals(text: str) -> list[tuple[int, str]]:
    with pytest.raises(RowsRefusedError) as refused:
        price_lines(rows_of_csv(text, REQUIRED), source="test")
    return [(each.line, each.field) for each in refused.value.refusals]


WRONG = [
    ("openai,gpt-4o,input,-1,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,1e-6,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,2E3,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,NaN,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,Infinity,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,1_0,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,٣,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,1000000000000,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,input,0.0000001,USD,2026-10-01,,", "unit_price"),
    ("openai,gpt-4o,reasoning,1,USD,2026-10-01,,", "meter"),
    ("openai,gpt-4o,tokens,1,USD,2026-10-01,,", "meter"),
    ("openai,gpt-4o,input,1,EURO,2026-10-01,,", "currency"),
    ("openai,gpt-4o,input,1,usd,2026-10-01,,", "currency"),
    ("openai,gpt-4o,input,1,USD,2026-10-01T00:10,,", "valid_from"),
    ("openai,gpt-4o,input,1,USD,2026-13-01,,", "valid_from"),
    ("openai,gpt-4o,input,1,USD,soon,,", "valid_from"),
    ("openai,gpt-4o,input,1,USD,2026-10-01,2026-10-01,", "valid_to"),
    ("openai,gpt-4o,input,1,USD,2026-10-01,,5", "above_tokens"),
    (",gpt-4o,input,1,USD,2026-10-01,,", "provider"),
    ("openai,,input,1,USD,2026-10-01,,", "model"),
    (f"openai,{'m' * 301},input,1,USD,2026-10-01,,", "model"),
    ("openai,gpt\0,input,1,USD,2026-10-01,,", "model"),
    ("openai,gpt-4o,input,1,USD,2026-10-02,,", "valid_from"),
    ("openai,gpt-4o,input,0.1234567,USD,2026-10-01,,", "unit_price"),
]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        *WRONG,
        ("openai,gpt-4o,input", "line"),
        ('openai,"gpt-4o,input', "line"),
    ],
)
def test_a_wrong_line_is_named_with_its_field(wrong: str, field: str) -> None:
    assert refusals(f"{HEADER}{GOOD}\n\n{wrong}\n") in ([(4, field)], [(5, field)])


@pytest.mark.parametrize(("wrong", "field"), WRONG)
def test_a_wrong_object_of_a_json_file_is_named_with_its_field(wrong: str, field: str) -> None:
    names = HEADER.strip().split(",")
    text = json.dumps([dict(zip(names, row.split(","), strict=True)) for row in (GOOD, wrong)])
    with pytest.raises(RowsRefusedError) as refused:
        price_lines(rows_of_json(text), source="test")
    assert [(each.line, each.field) for each in refused.value.refusals] == [(2, field)]


@pytest.mark.parametrize(
    "written", ["1e-6", "2.5E-3", "1e5", "-0.5", "NaN", "Infinity", "0.00000001", "true", "[1]"]
)
def test_a_number_of_json_is_taken_as_it_is_written(written: str) -> None:
    text = json.dumps(PRICE).replace('"2.125"', written)
    with pytest.raises(RowsRefusedError) as refused:
        price_lines(rows_of_json(text), source="test")
    assert [each.field for each in refused.value.refusals] == ["unit_price"]


@pytest.mark.parametrize(
    ("written", "per", "kept"),
    [
        ("2.125", "", "2.125"),
        ("2.125", "1000000", "2.125"),
        ("0.002125", "1000", "2.125"),
        ("0.000002125", "1", "2.125"),
        ("0.000000000001", "1", "0.000001"),
        ("999999.999999999999", "1", "999999999999.999999"),
        ("10", "1000", "10000"),
        ("0.0000000000001", "1", None),
        ("0.0000000000015", "1", None),
        ("1000000", "1", None),
        ("0." + "1" * 60, "1000", None),
    ],
)
def test_a_price_for_fewer_units_loses_no_digit_or_is_refused(
    written: str, per: str, kept: str | None
) -> None:
    text = f"{HEADER.strip()},per\n{GOOD.replace('2.125', written)},{per}\n"
    if kept is None:
        assert refusals(text) == [(2, "unit_price")]
    else:
        (line,) = price_lines(rows_of_csv(text, REQUIRED), source="x")
        assert line.unit_price == Decimal(kept)


def test_per_is_one_of_three_and_a_volume_step_a_whole_number() -> None:
    header = f"{HEADER.strip()},per,above_monthly\n"
    for per, step, field in (
        ("100", "", "per"),
        ("1e3", "", "per"),
        ("", "-1", "above_monthly"),
        ("", "1e9", "above_monthly"),
        ("", "1.5", "above_monthly"),
        ("", "9" * 19, "above_monthly"),
    ):
        assert refusals(f"{header}{GOOD},{per},{step}\n") == [(2, field)]
    steps = f"{header}{GOOD},,\n{GOOD},,1000000000\n{GOOD},,5000000000\n"
    lines = price_lines(rows_of_csv(steps, REQUIRED), source="x")
    assert [each.above_monthly for each in lines] == [0, 10**9, 5 * 10**9]
    assert refusals(f"{steps}{GOOD},,1000000000\n") == [(5, "valid_from")]


def test_meters_of_other_things_than_tokens_have_prices() -> None:
    for meter in ("requests", "tool_calls", "images", "seconds", "embeddings"):
        text = f"{HEADER.strip()},per\n{GOOD.replace('input', meter).replace('2.125', '0.04')},1\n"
        (line,) = price_lines(rows_of_csv(text, REQUIRED), source="x")
        assert (line.meter, line.unit_price) == (meter, Decimal(40_000))


def test_every_column_and_meter_of_a_price_file_is_in_the_docs() -> None:
    page = (Path(__file__).parent.parent / "docs" / "prices.md").read_text(encoding="utf-8")
    told = page.split("## Your own prices")[1].split("\n## ")[0]
    names = (*FIELDS, *discount_files.FIELDS, *PRICED)
    assert [name for name in names if f"`{name}`" not in told and f"{name}," not in told] == []
    assert ", ".join(map(str, EDGES)) in told


def test_every_wrong_line_is_named_at_once() -> None:
    rows = "a,b,input,-1,EURO,2026-10-01,,\nc,d,input,1,USD,x,,\n"
    assert refusals(HEADER + rows) == [(2, "unit_price"), (2, "currency"), (3, "valid_from")]


def test_a_header_that_lacks_or_repeats_a_column_is_refused() -> None:
    assert refusals("provider,model\n") == [
        (1, "meter"),
        (1, "unit_price"),
        (1, "currency"),
        (1, "valid_from"),
    ]
    assert refusals(HEADER.replace("above_tokens", "model") + GOOD) == [(1, "model")]
    assert refusals(HEADER.replace("above_tokens", "colour") + GOOD + "red") == [(2, "colour")]
    assert refusals("") != []
    assert refusals(HEADER) == [(1, "file")]


def test_a_provider_may_be_called_what_emitters_call_it() -> None:
    for written, meant in (("OpenAI", "openai"), ("azure.ai.openai", "azure"), ("acme", "acme")):
        text = HEADER + GOOD.replace("openai", written, 1)
        (line,) = price_lines(rows_of_csv(text, REQUIRED), source="x")
        assert line.provider == meant


def test_a_json_file_says_the_same_as_a_csv_file() -> None:
    text = """[{"provider": "openai", "model": "gpt-4o", "meter": "input", "unit_price": 2.125,
        "currency": "USD", "valid_from": "2026-10-01", "above_tokens": 200000}]"""
    from_json = price_lines(rows_of_json(text), source="x")
    from_csv = price_lines(rows_of_csv(f"{HEADER}{GOOD}200000", REQUIRED), source="x")
    assert from_json == from_csv
    assert from_json[0].unit_price == Decimal("2.125")
    for wrong in ("[", "[1]", "[]", '[{"provider": ["openai"]}]', "[" * 100_000):
        with pytest.raises(RowsRefusedError):
            price_lines(rows_of_json(wrong), source="x")
