"""What the company tells spanledger through the API: its pools, its agreements, its budgets.

What was said before stays, so that the demo can be started again and again.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

import httpx2

from app.demo.agreements import CREDITS, DISCOUNT, rules_from
from app.demo.capacity import POOLS

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
    """Declare the company's pools as of ``since`` (a full hour, UTC).

    Returns the names of the new ones. Raises RefusedError.
    """
    known = {pool["name"] for pool in _asked(api.get("/v1/pools"))["pools"]}
    new = [pool for pool in POOLS if pool.name not in known]
    for pool in new:
        _asked(api.post("/v1/pools", json=pool.said(since=since, currency=currency)))
    return [pool.name for pool in new]


def declare_credits(api: httpx2.Client, *, since: datetime, currency: str) -> list[str]:
    """Say which credits were bought as of ``since`` (a quarter hour, UTC).

    Returns the names of the new ones. Raises RefusedError.
    """
    known = {each["name"] for each in _asked(api.get("/v1/commitments"))["commitments"]}
    if CREDITS["name"] in known:
        return []
    said = {**CREDITS, "currency": currency, "valid_from": since.isoformat()}
    _asked(api.post("/v1/commitments", json=said))
    return [CREDITS["name"]]


def apply_rules(api: httpx2.Client, *, day: date) -> list[str]:
    """Say who pays for whose calls from ``day`` on, where nobody has said anything about it.

    Returns the names of the rules. Raises RefusedError.
    """
    if _asked(api.get("/v1/ownership/versions"))["versions"]:
        return []
    rules = rules_from(day)
    _asked(api.put("/v1/ownership", json={"timezone": "UTC", "rules": rules}))
    return [rule["name"] for rule in rules]


def agree_on_discount(api: httpx2.Client, *, since: datetime) -> int | None:
    """Enter a discount that holds from ``since`` (UTC), and ask to have that time priced again.

    Returns the id of the re-pricing, which the job ``reprice`` does; None: it was entered before.
    Raises RefusedError.
    """
    if _asked(api.get("/v1/discounts"))["discounts"]:
        return None
    _asked(api.post("/v1/discounts", json={**DISCOUNT, "valid_from": since.isoformat()}))
    asked = {"from": since.isoformat(), "note": DISCOUNT["reference"]}
    return int(_asked(api.post("/v1/repricings", json=asked))["id"])


def repriced(api: httpx2.Client, repricing: int) -> Mapping[str, Any]:
    """A re-pricing with the difference it makes: GET /v1/repricings/{id}. Raises RefusedError."""
    answer: Mapping[str, Any] = _asked(api.get(f"/v1/repricings/{repricing}"))
    return answer


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
