"""FOCUS split cost allocation: which charge a part was divided from, how, and for whom."""

from decimal import Decimal
from typing import Final

from reports.focus.focus_columns import Row
from reports.focus.focus_json import Json, json_text
from spend.charge_sums import POOL, ChargeSum
from spend.ids import unsigned
from spend.money import ATOM_DIGITS, ROUNDING

_WEIGHTS: Final = "Weights"
"""What of a team's was counted: docs/pools.md and docs/ownership.md have the methods."""
_ATOM: Final = Decimal(1).scaleb(-ATOM_DIGITS)


def allocation_of(each: ChargeSum, tags: str) -> Row:
    """Columns of a part of a pool's day or of a split; ``tags`` are whose it is.

    A part has a ratio where all parts have one sign. Where they have not, as in corrections that
    put a day right, there is a method and no ratio.
    """
    whole = each.whole
    if whole is None:
        return {}
    names = (each.route.model, each.payer.service)
    row: Row = {
        "AllocatedMethodId": each.method,
        "AllocatedResourceId": f"{unsigned(each.payer_id)}-{unsigned(each.route_id)}",
        "AllocatedResourceName": " · ".join([each.payer.team, *filter(None, names)]),
        "AllocatedTags": tags,
    }
    if not whole.parts_agree or not whole.amount:
        return row
    ratio = ROUNDING.divide(each.amount, whole.amount).quantize(_ATOM, context=ROUNDING)
    element: Json = {
        "AllocatedRatio": ratio,
        "UsageUnit": _WEIGHTS,
        "UsageQuantity": abs(each.quantity),
    }
    of_what = unsigned(each.route_id) if each.source != POOL else each.currency
    listed = "listed" if each.list_amount is not None else "unlisted"
    origin = f"{each.source}-{unsigned(each.source_id)}-{each.day.start:%Y-%m-%dT%H:%MZ}"
    return row | {
        "AllocatedMethodDetails": json_text({"Elements": [element]}),
        "x_SplitOriginId": f"{origin}-{each.method}-{each.currency}-{of_what}-{listed}",
        "x_SplitOriginCost": whole.billed_amount,
    }
