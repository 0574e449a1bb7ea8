"""Bills of Anthropic: pages of its cost report, and of the analytics cost report.

Source: the Admin API's reference of ``GET /v1/organizations/cost_report`` (``amount`` is a decimal
string "in lowest currency units (e.g. cents)", ``currency`` "currently always USD") and
``/v1/organizations/analytics/cost_report`` (``amount`` after discounts and before credits,
``list_amount``, ``organization_id``); types of anthropic-sdk 2.12. Without
``group_by[]=description`` a row has neither model nor token type.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from spend.money import minor_digits
from spend.reconciliation.bill_buckets import rows_of_buckets
from spend.reconciliation.bill_reading import ReadLine, RowFields
from spend.reconciliation.bills import USAGE, BillLine
from spend.written_rows import Refusal

ISSUER: Final = "anthropic"
_METERS: Final = {
    "uncached_input_tokens": "input",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
}
_OVERLAP: Final = ("rbac_group_id", "rbac_group")


def lines_of_pages(pages: Sequence[Mapping[str, Any]], refusals: list[Refusal]) -> list[ReadLine]:
    """What the cost report answered, page by page."""
    rows = rows_of_buckets(pages, times=("starting_at", "ending_at"), of_page=("organization_id",))
    return [_line(RowFields(row, refusals)) for row in rows]


def _line(row: RowFields) -> ReadLine:
    period = row.stretch("starting_at", "ending_at")
    token_type, cost_type = row.text("token_type"), row.text("cost_type")
    if any(row.text(name) for name in _OVERLAP):
        row.refuse(_OVERLAP[0], "rows of groups overlap: ask without grouping by them")
    currency = row.currency("currency")
    meter = _METERS.get(token_type or "") or ("tool_calls" if cost_type == "web_search" else None)
    return ReadLine(
        issuer=ISSUER,
        billed=row.name("organization_id"),
        said=BillLine(
            line=row.line,
            starts=period.start,
            ends=period.end,
            account=row.name("workspace_id"),
            provider=ISSUER,
            model=row.name("model"),
            meter=meter,
            region=row.text("inference_geo"),
            service_tier=row.text("service_tier"),
            description=row.text("description") or cost_type,
            kind=USAGE,
            quantity=None,
            unit=None,
            unit_price=None,
            amount=_cents(row, currency),
            currency=currency,
            raw=row.raw,
        ),
    )


def _cents(row: RowFields, currency: str) -> Decimal:
    # A number would be of another endpoint, and nobody could tell whether in cents.
    if row.text("amount", required=True) is None:
        return Decimal(0)
    return row.amount("amount", shift=minor_digits(currency))
