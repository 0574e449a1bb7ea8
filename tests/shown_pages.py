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


_POOL: Final = first("/v1/pools", "pools", "id")
_BUDGET: Final = first("/v1/budgets", "budgets", "id")


def _call(api: TestClient) -> str:
    call = api.get("/v1/calls?service=support-chat&limit=1").json()["calls"][0]
    return f"{call['trace_id']}/{call['span_id']}"


def _trace(api: TestClient) -> str:
    return _call(api).partition("/")[0]


PAGES: Final[dict[str, str | Callable[[TestClient], str]]] = {
    "overview": "/",
}


def addresses(api: TestClient) -> dict[str, str]:
    """The address of each page."""
    return {name: place if isinstance(place, str) else place(api) for name, place in PAGES.items()}
