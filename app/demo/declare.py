"""What the company tells spanledger through the API: its pools, and its teams' budgets."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

import httpx2

from app.demo.models import POOLS

# Team -> its budget as a multiple of what it has spent this month so far. So that, on whatever day
# the demo is run, one team is over its budget, one is near it, and the others are not.
BUDGETS: Final[Mapping[str, str]] = {
    "research": "0.9",
    "support": "1.15",
    "search": "2",
    "platform": "2",
    "growth": "2",
    "checkout": "3",
}


class RefusedError(Exception):
    """The API refused something; the text says what and why. Whoever runs the demo can mend it."""


def declare_pools(api: httpx2.Client, *, since: datetime, currency: str) -> list[str]:
    """Declare the company's pools as of ``since`` (a full hour); those that are there stay.

    Returns the names of the new ones. Raises RefusedError.
    """
    known = {pool["name"] for pool in _asked(api.get("/v1/pools"))["pools"]}
    new = [pool for pool in POOLS if pool.name not in known]
    for pool in new:
        body = {
            "name": pool.name,
            "match": {"model": [pool.model.answers_as], "deployment": ["self-hosted"]},
            "cost_per_hour": pool.cost_per_hour,
            "currency": currency,
            "from": since.isoformat(),
        }
        if pool.capacity_per_hour is not None:
            body["capacity_per_hour"] = str(pool.capacity_per_hour)
        _asked(api.post("/v1/pools", json=body))
    return [pool.name for pool in new]


def set_budgets(api: httpx2.Client, *, today: datetime, currency: str) -> list[str]:
    """Give each team a budget for the month, by what it has spent so far; those set before stay.

    ``today`` is now, in the time zone of the reports. Returns the names of the new ones. Raises
    RefusedError.
    """
    known = {budget["name"] for budget in _asked(api.get("/v1/budgets"))["budgets"]}
    spent = month_so_far(api, today=today)
    new = []
    for team, share in BUDGETS.items():
        name = f"{team}, monthly"
        if name in known or team not in spent:
            continue
        body = {
            "name": name,
            "filter": {"team": [team]},
            "amount": f"{_rounded(spent[team] * Decimal(share), over=Decimal(share) < 1):f}",
            "currency": currency,
            "period": "month",
            "thresholds": [80, 100],
        }
        _asked(api.post("/v1/budgets", json=body))
        new.append(name)
    return new


def month_so_far(api: httpx2.Client, *, today: datetime) -> dict[str, Decimal]:
    """Team -> what it has spent since the month began, in the time zone of ``today``."""
    asked = {
        "from": f"{today:%Y-%m}-01",
        "to": f"{today + timedelta(days=1):%Y-%m-%d}",
        "group_by": "team",
    }
    rows = _asked(api.get("/v1/spend", params=asked))["rows"]
    return {row["team"]: Decimal(row["cost"]) for row in rows if row["cost"] is not None}


def _rounded(amount: Decimal, *, over: bool) -> Decimal:
    """To what a person would write: two digits, never on the other side of what was meant."""
    step = Decimal(1).scaleb(max(amount.adjusted() - 1, -2))
    rounding = ROUND_FLOOR if over else ROUND_CEILING
    return max((amount / step).to_integral_value(rounding) * step, Decimal("0.01"))


def _asked(answer: httpx2.Response) -> Any:
    if answer.is_success:
        return answer.json()
    if answer.status_code in {401, 403}:
        raise RefusedError(
            "this spanledger has keys: put an admin key into SPANLEDGER_API_KEY for the demo"
        )
    raise RefusedError(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
