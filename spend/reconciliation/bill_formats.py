"""Which format a bill's file has, and what it says in it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from spend.reconciliation import (
    bills_anthropic,
    bills_aws,
    bills_csv,
    bills_focus,
    bills_gcp,
    bills_openai,
)
from spend.reconciliation.bill_reading import MOST_LINES, ReadLine, Rows, Written, refused
from spend.written_rows import Refusal, RowsRefusedError, rows_of_csv

AUTO: Final = "auto"
OPENAI: Final = "openai-costs"
OPENAI_EXPORT: Final = "openai-export"
ANTHROPIC: Final = "anthropic-costs"
CUR: Final = "aws-cur"
FOCUS: Final = "focus"
GCP: Final = "gcp-billing"
CSV: Final = "csv"
FORMATS: Final = (OPENAI, OPENAI_EXPORT, ANTHROPIC, CUR, FOCUS, GCP, CSV)

# A column that only this format has, the surest first.
_KNOWN_BY: Final = {
    "BilledCost": FOCUS,
    "ChargePeriodStart": FOCUS,
    "ChargeCategory": FOCUS,
    "line_item_line_item_type": CUR,
    "line_item_usage_type": CUR,
    "line_item_unblended_cost": CUR,
    "amount_value": OPENAI_EXPORT,
    "sku_description": GCP,
    "sku.description": GCP,
    "sku": GCP,
    "invoice_month": GCP,
    "amount": CSV,
}
_FOREIGN: Final = {
    "lineItem/UsageType": "the legacy Cost and Usage Report: export CUR 2.0 or FOCUS instead",
    "CostInBillingCurrency": "Microsoft's actual cost export: export FOCUS instead",
    "costInBillingCurrency": "Microsoft's actual cost export: export FOCUS instead",
    "n_context_tokens_total": "OpenAI's activity export, which has no amounts: export costs",
    "usage_input_tokens_uncached": "Anthropic's usage, which has no amounts: ask its cost report",
}

JsonPages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """What one file says of a bill."""

    name: str
    sha256: str
    """Of its bytes as they came."""
    format: str
    lines: tuple[ReadLine, ...]
    totals: Mapping[int, Decimal]
    """What it says that its lines come to, by the line that says so."""
    goes_on: bool = False
    """Its last page says that there is another one."""


def read_file(
    said: str | Rows, *, name: str, sha256: str, expected: str = AUTO, provider: str | None = None
) -> ReadFile:
    """What a file says: its text, or the rows of a Parquet file. Raises RowsRefusedError.

    ``expected`` is one of ``FORMATS``; ``provider`` is whose bill it is where the file does not
    say.
    """
    source = _parsed(said) if isinstance(said, str) else said
    if isinstance(source, Rows) and len(source.rows) > MOST_LINES:
        raise refused(MOST_LINES + 1, "file", f"has more than {MOST_LINES:,} rows")
    found = _format_of(source)
    if expected not in {AUTO, found}:
        raise refused(1, "file", f"is of the format {found}, not {expected}")
    refusals: list[Refusal] = []
    try:
        lines, totals = _lines_of(source, found, provider, refusals)
    except RecursionError:
        raise refused(1, "file", "not JSON: too deep") from None
    if not refusals and not lines:
        refusals.append(Refusal(1, "file", "has no lines"))
    if refusals:
        raise RowsRefusedError(refusals)
    return ReadFile(
        name=name,
        sha256=sha256,
        format=found,
        lines=tuple(lines),
        totals=totals,
        goes_on=not isinstance(source, Rows) and _goes_on(source[-1]),
    )


def _lines_of(
    source: Rows | JsonPages, format_: str, provider: str | None, refusals: list[Refusal]
) -> tuple[list[ReadLine], Mapping[int, Decimal]]:
    """The lines, and totals that are stated."""
    if not isinstance(source, Rows):
        return _PAGES[format_](source, refusals), {}
    if format_ == CSV:
        return bills_csv.lines_of_csv(source, refusals, provider=provider)
    return _TABLES[format_](source, refusals), {}


_TABLES: Final = {
    OPENAI_EXPORT: bills_openai.lines_of_export,
    CUR: bills_aws.lines_of_cur,
    FOCUS: bills_focus.lines_of_focus,
    GCP: bills_gcp.lines_of_billing,
}
_PAGES: Final = {
    OPENAI: bills_openai.lines_of_pages,
    ANTHROPIC: bills_anthropic.lines_of_pages,
}
PAGED: Final = frozenset(_PAGES)
"""Formats that are answers of an API, page by page."""


def _parsed(text: str) -> Rows | JsonPages:
    """Rows of CSV or JSON, or pages of an API."""
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] not in {"[", "{"}:
        rows = rows_of_csv(text, ())
        header = text.lstrip().partition("\n")[0]
        columns = tuple(rows[0].values) if rows else tuple(map(str.strip, header.split(",")))
        if len(columns) == 1 and ";" in columns[0]:
            raise refused(1, "file", "has semicolons between its columns: save it with commas")
        return Rows(columns, [Written(row.line, row.values) for row in rows])
    items = _json_items(text)
    if all("data" in item for item in items):
        if any(not isinstance(item["data"], list) for item in items):
            raise refused(1, "data", "must be a list")
        return items
    columns = tuple(dict.fromkeys(name for item in items for name in item))
    return Rows(columns, [Written(line, item) for line, item in enumerate(items, 1)])


def _json_items(text: str) -> list[Mapping[str, Any]]:
    """The objects of a JSON text: one, a list of them, or one on each line."""
    try:
        found = _json(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise refused(error.lineno, "file", f"not JSON: {error.msg}") from None
        found = [
            _json_of_line(number, line)
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip()
        ]
    items = found if isinstance(found, list) else [found]
    for place, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise refused(place, "line", "must be an object")
    if not items:
        raise refused(1, "file", "has no lines")
    return items


def _json_of_line(number: int, line: str) -> Any:
    try:
        return _json(line)
    except json.JSONDecodeError as error:
        raise refused(number, "file", f"not JSON: {error.msg}") from None


def _json(text: str) -> Any:
    """Numbers as they were written: through a float, 0.1 would no longer be 0.1."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise refused(1, "file", "not JSON: too deep") from None
    except (ValueError, ArithmeticError) as error:
        raise refused(1, "file", f"not JSON: {error}") from None


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number")


def _format_of(source: Rows | JsonPages) -> str:
    if not isinstance(source, Rows):
        buckets = [bucket for page in source for bucket in page["data"] if isinstance(bucket, dict)]
        if any("start_time" in bucket for bucket in buckets):
            return OPENAI
        if any("starting_at" in bucket for bucket in buckets):
            return ANTHROPIC
        raise refused(1, "data", "no buckets with start_time (OpenAI) or starting_at (Anthropic)")
    for column, what in _FOREIGN.items():
        if column in source.columns:
            raise refused(1, column, f"this is {what}")
    for column, known in _KNOWN_BY.items():
        if column in source.columns:
            return known
    known = ", ".join(FORMATS)
    told = ", ".join(source.columns[:5])
    raise refused(1, "file", f"is of no format that we know ({known}); its columns: {told}")


def _goes_on(page: Mapping[str, Any]) -> bool:
    """Whether a page says that there is another one."""
    return bool(page.get("has_more")) or bool(page.get("next_page"))
