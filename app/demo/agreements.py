"""What the simulated company agreed on: credits, a discount, and who pays for whose calls."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

CREDITS: Final[Mapping[str, str]] = {
    "name": "OpenAI credits",
    "kind": "prepaid",
    "amount": "500.00",
    "paid": "450.00",
    "provider": "openai",
    "reference": "order 4711",
}
"""Bought before the first call; what they cover costs 90 %."""

DISCOUNT: Final[Mapping[str, str]] = {
    "kind": "discount",
    "provider": "anthropic",
    "model": "claude*",
    "percent": "8",
    "reference": "Anthropic, order form 7",
}
"""Told when the calls were charged already, as it goes: so they are priced again."""

MOVED: Final = "catalogue-translate"
"""The service that another team pays for from a day on."""
MOVED_TO: Final = "search"


def rules_from(day: date) -> list[dict[str, Any]]:
    """The ownership rules (docs/ownership.md); ``day`` is of UTC."""
    return [
        {
            "name": "translations moved to search",
            "match": {"service": [MOVED]},
            "gives": {"team": MOVED_TO},
            "from": f"{day:%Y-%m-%d}",
        }
    ]
