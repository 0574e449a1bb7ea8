"""Bills of OpenAI: pages of its costs API, and the file that its dashboard exports.

Sources: the API reference of ``GET /v1/organization/costs`` and the types of openai-python 3.54
(``organization.costs.result``: ``amount.value`` is a number, ``amount.currency`` lower case,
``line_item``, ``quantity``, ``project_id`` and ``api_key_id`` where grouped by). Line items are
such as ``gpt-4o-2024-08-06, cached input``, ``priority | gpt-5.6, output, long context``,
``gpt-audio-mini audio, input`` and ``web search tool calls``: no document lists them. The export
has the same fields as columns, ``amount_value`` with 30 decimals, and a row without an amount
for each day on which nothing was spent.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from spend.periods import Period
from spend.reconciliation.bill_buckets import rows_of_buckets
from spend.reconciliation.bill_reading import (
    NO_TIME,
    ReadLine,
    RowFields,
    Rows,
    Written,
    check_columns,
    flat,
)
from spend.reconciliation.bill_words import (
    counted,
    meter_in_unit,
    scaled,
    tier_in,
    token_meter,
    unit_of,
)
from spend.reconciliation.bills import USAGE, BillLine
from spend.written_rows import Refusal

ISSUER: Final = "openai"
COLUMNS: Final = ("start_time", "end_time", "amount_value", "amount_currency", "line_item")
_MODALITIES: Final = ("text", "audio", "image")
_TOKENS_OF: Final = frozenset({"input_tokens", "output_tokens"})


def lines_of_pages(pages: Sequence[Mapping[str, Any]], refusals: list[Refusal]) -> list[ReadLine]:
    """What the costs API answered, page by page."""
    return [
        _line(RowFields(Written(row.line, dict(flat(row.values))), refusals), amount="amount.value")
        for row in rows_of_buckets(pages, times=("start_time", "end_time"))
    ]


def lines_of_export(table: Rows, refusals: list[Refusal]) -> list[ReadLine]:
    """What the dashboard exported."""
    check_columns(table.columns, COLUMNS, called="OpenAI's export")
    return [
        _line(RowFields(row, refusals), amount="amount_value")
        for row in table.rows
        # A day without costs.
        if row.values.get("amount_value") or row.values.get("line_item")
    ]


def _line(row: RowFields, *, amount: str) -> ReadLine:
    period = _bucket(row)
    item = row.text("line_item")
    model, meter, tier = item_of(item) if item else (None, None, None)
    unit, each = counted(row.text("quantity_unit"))
    if unit is not None and unit.lower() in _TOKENS_OF:
        unit = "token"
    return ReadLine(
        issuer=ISSUER,
        billed=row.name("organization_id"),
        said=BillLine(
            line=row.line,
            starts=period.start,
            ends=period.end,
            account=row.name("project_id"),
            provider=ISSUER,
            model=model,
            meter=meter_in_unit(meter, unit),
            region=None,
            service_tier=tier,
            description=item,
            kind=USAGE,
            quantity=scaled(row.number("quantity"), each),
            unit=unit or unit_of(meter),
            unit_price=None,
            amount=row.amount(amount),
            currency=row.currency(amount.replace("value", "currency")),
            raw=row.raw,
        ),
    )


def item_of(item: str) -> tuple[str | None, str | None, str | None]:
    """Model, meter and service tier of a line item.

    >>> item_of("priority | gpt-5.6-sol, cached input, long context")
    ('gpt-5.6-sol', 'cache_read', 'priority')
    >>> item_of("web search tool calls")
    (None, 'tool_calls', None)
    """
    tier, _, rest = item.rpartition(" | ")
    head, comma, what = rest.partition(", ")
    if not comma:
        return None, "tool_calls" if "tool call" in item.lower() else None, tier_in(item)
    model, _, kind = head.partition(" ")
    if kind and kind not in _MODALITIES:
        return None, None, tier_in(item)
    if what.startswith("seconds") or (kind == "" and what == "audio"):
        return model, "seconds", tier_in(tier)
    return model, token_meter(f"{kind} {what}"), tier_in(tier) or tier_in(what)


def _bucket(row: RowFields) -> Period:
    starts, ends = (_unix(row, name) for name in ("start_time", "end_time"))
    if starts is None or ends is None:
        return NO_TIME
    if ends <= starts:
        row.refuse("end_time", "must be after start_time")
    return Period(starts, ends)


def _unix(row: RowFields, name: str) -> datetime | None:
    """A moment in seconds since 1970."""
    seconds = row.number(name, required=True)
    if seconds is None:
        return None
    try:
        return row.bounded(name, datetime.fromtimestamp(int(seconds), UTC))
    except (ValueError, OverflowError, OSError):
        row.refuse(name, "must be seconds since 1970")
        return None
