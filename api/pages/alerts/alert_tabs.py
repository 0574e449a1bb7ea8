"""The pages under /alerts, beside each other."""

from typing import Final

from fastapi import Request

from api.pages.links import elsewhere

_PLACES: Final[tuple[tuple[str, str, dict[str, str], str], ...]] = (
    ("open", "/alerts", {}, "Open"),
    ("past", "/alerts", {"view": "past"}, "Past"),
    ("silences", "/alerts/silences", {}, "Silences"),
    ("rules", "/alerts/rules", {}, "Rules"),
    ("deliveries", "/alerts/deliveries", {}, "Deliveries"),
)


def alert_tabs(request: Request, here: str | None) -> list[tuple[str, str, bool]]:
    """Address, name, and whether it is the page shown, whose name is ``here``."""
    return [
        (elsewhere(request, path, **asked), title, name == here)
        for name, path, asked, title in _PLACES
    ]
