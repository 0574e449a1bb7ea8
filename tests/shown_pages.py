"""Where each page is found, by what it is called in pictures."""

from collections.abc import Callable
from typing import Any, Final

from fastapi.testclient import TestClient

Found = Callable[[TestClient], str]


def first(path: str, rows: str, name: str, where: Callable[[Any], bool] = lambda _: True) -> Found:
    """``name`` of the first row of an answer that fits."""

    def find(api: TestClient) -> str:
        answer = api.get(path).json()
        return str(next(each[name] for each in answer[rows] if where(each)))

    return find


_BILL: Final = first("/v1/bills", "bills", "id")
_POOL: Final = first("/v1/pools", "pools", "id")
_BUDGET: Final = first("/v1/budgets", "budgets", "id", lambda each: "research" in each["name"])
_ALERT: Final = first("/v1/alerts", "alerts", "id")


def _call(api: TestClient) -> str:
    call = api.get("/v1/calls?service=support-chat&limit=1").json()["calls"][0]
    return f"{call['trace_id']}/{call['span_id']}"


def _trace(api: TestClient) -> str:
    return _call(api).partition("/")[0]


def _within(path: str, found: Found) -> Found:
    return lambda api: path.format(found(api))


PAGES: Final[dict[str, str | Found]] = {
    "overview": "/",
    "explore": "/explore",
    "explore a team's models": "/explore?group_by=model&team=support&columns=day",
    "calls": "/calls",
    "call": _within("/calls/{}", _call),
    "performance": "/performance",
    "traces": "/traces",
    "trace": _within("/traces/{}", _trace),
    "teams": "/teams",
    "team": "/teams/support",
    "statement": "/statements/2026-11",
    "months": "/months",
    "reconciliation": "/reconciliation",
    "bill": _within("/reconciliation/{}", _BILL),
    "budgets": "/budgets",
    "budget": _within("/budgets/{}", _BUDGET),
    "new budget": "/budgets/new",
    "alerts": "/alerts",
    "alert": _within("/alerts/{}", _ALERT),
    "deliveries": "/alerts/deliveries",
    "alert rules": "/alerts/rules",
    "models": "/models",
    "prices": "/prices",
    "unpriced": "/prices/unpriced",
    "discrepancies": "/prices/discrepancies",
    "capacity": "/capacity",
    "pool": _within("/capacity/{}", _POOL),
    "what if": "/what-if",
    "commitments": "/commitments",
    "settings": "/settings",
    "preferences": "/settings/preferences",
    "keys": "/settings/keys",
    "ownership": "/settings/ownership",
    "channels": "/settings/channels",
    "system": "/settings/system?last=24h",
    "about": "/settings/about",
    "what can be asked": "/docs",
    "sign in": "/sign-in",
    "no such page": "/traces/00000000000000000000000000000000",
}


def addresses(api: TestClient) -> dict[str, str]:
    """The address of each page."""
    return {name: place if isinstance(place, str) else place(api) for name, place in PAGES.items()}
