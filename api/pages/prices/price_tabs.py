"""The views of prices, for the line of tabs above each."""

from typing import Final

from fastapi import Request

from api.pages.links import elsewhere

VIEWS: Final = (
    ("/prices", "Price book"),
    ("/prices/unpriced", "Unpriced"),
    ("/prices/discrepancies", "Discrepancies"),
    ("/prices/discounts", "Discounts"),
    ("/prices/repricings", "Re-pricings"),
    ("/prices/rates", "Exchange rates"),
)


def price_tabs(request: Request, current: str) -> list[tuple[str, str, bool]]:
    """Address, text, and whether it is the one that is looked at."""
    return [(elsewhere(request, path), text, path == current) for path, text in VIEWS]
