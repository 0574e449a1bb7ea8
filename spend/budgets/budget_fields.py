"""A budget as fields: those of the API, of a file and of the command line are the same.

What a field may say is checked by ``spend/budgets/budget_terms.py``; here is what it is made of.
The parent and the channels are names here, which the store knows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from spend.budgets.budget_periods import CUSTOM, FISCAL
from spend.budgets.budget_terms import terms
from spend.budgets.budgets import DEFAULT_THRESHOLDS, Terms
from spend.checked_fields import TermsRefused
from spend.fiscal import FiscalYear
from spend.money import plain
from spend.periods import FIRST_YEAR, LAST_YEAR, day_start, local_day

FIELDS: Final = (
    *("name", "filter", "amount", "currency", "period", "own_period", "timezone", "fiscal"),
    *("thresholds", "forecast_thresholds", "pace_thresholds", "rollover_cap"),
    *("parent", "owner", "channels", "remind_hours", "webhook_url"),
)
NULLABLE: Final = frozenset(
    ("own_period", "rollover_cap", "parent", "owner", "remind_hours", "webhook_url", "fiscal")
)
"""What may be taken away from a budget."""

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check_types(said: Mapping[str, Any]) -> None:
    """Refuses a field that there is not, and what is not made as it is to be: TermsRefused."""
    for field, value in said.items():
        if field not in FIELDS:
            raise TermsRefused(field[:100], f"unknown field; there are {', '.join(FIELDS)}")
        if value is None:
            if field not in NULLABLE:
                raise TermsRefused(field, "null is no value for it")
        elif field in _MADE_OF:
            kind, told = _MADE_OF[field]
            if isinstance(value, bool) or not isinstance(value, kind):
                raise TermsRefused(field, f"must be {told}")
        elif field == "filter":
            _check_filter(value)
        elif field in {"thresholds", "forecast_thresholds", "pace_thresholds"}:
            _check_list(field, value, int, "whole numbers")
        elif field == "channels":
            _check_list(field, value, str, "names of channels")


_TEXT: Final[tuple[tuple[type, ...], str]] = ((str,), "text")
_TABLE: Final[tuple[tuple[type, ...], str]] = ((Mapping,), "an object")
_MADE_OF: Final = {
    **dict.fromkeys(("name", "currency", "period", "timezone", "owner", "webhook_url"), _TEXT),
    **dict.fromkeys(("own_period", "fiscal"), _TABLE),
    "parent": ((str, int), "the name of a budget, or its number"),
    "remind_hours": ((int,), "a whole number"),
}


def _check_filter(value: object) -> None:
    if not isinstance(value, Mapping):
        raise TermsRefused("filter", "must be dimensions, and of each the values that count")
    for dimension, values in value.items():
        _check_list(f"filter.{dimension}"[:100], values, str, "texts")


def _check_list(field: str, value: object, kind: type, told: str) -> None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TermsRefused(field, f"must be a list of {told}")
    for place, each in enumerate(value):
        if isinstance(each, bool) or not isinstance(each, kind):
            raise TermsRefused(f"{field}.{place}", f"must be of {told}")


def terms_of_fields(
    said: Mapping[str, Any],
    *,
    parent_id: int | None,
    channel_ids: Sequence[int],
    fiscal: FiscalYear,
    allow_private: bool,
) -> Terms:
    """The terms that fields say, whose types were checked. Raises TermsRefused.

    ``fiscal`` is how fiscal years are cut where the fields do not say it.
    """
    for needed in ("name", "filter", "amount"):
        if needed not in said:
            raise TermsRefused(needed, "is missing")
    return terms(
        name=said["name"],
        filter=said["filter"],
        amount=said["amount"],
        currency=said["currency"],
        period=said.get("period", "month"),
        timezone=said["timezone"],
        thresholds=said.get("thresholds", DEFAULT_THRESHOLDS),
        webhook_url=said.get("webhook_url"),
        fiscal=_fiscal(said.get("fiscal"), fiscal),
        own_period=said.get("own_period"),
        rollover_cap=said.get("rollover_cap"),
        parent_id=parent_id,
        owner=said.get("owner"),
        forecast_thresholds=said.get("forecast_thresholds", ()),
        pace_thresholds=said.get("pace_thresholds", ()),
        channel_ids=channel_ids,
        remind_hours=said.get("remind_hours"),
        allow_private=allow_private,
    )


def fields_of_terms(said: Terms) -> dict[str, Any]:
    """The fields that say these terms, as JSON: all but the parent, the channels and the secret."""
    own = said.own_period
    return {
        "name": said.name,
        "filter": {name: list(values) for name, values in said.filter.items()},
        "amount": plain(said.amount),
        "currency": said.currency,
        "period": said.period,
        "own_period": None
        if own is None
        else {"starts_on": str(own.starts_on)}
        | ({"days": own.days} if own.ends_on is None else {"ends_on": str(own.ends_on)}),
        "timezone": said.timezone,
        "fiscal": asdict(said.fiscal) if said.period in FISCAL else None,
        "thresholds": list(said.thresholds),
        "forecast_thresholds": list(said.forecast_thresholds),
        "pace_thresholds": list(said.pace_thresholds),
        "rollover_cap": None if said.rollover_cap is None else plain(said.rollover_cap),
        "owner": said.owner,
        "remind_hours": said.remind_hours,
    }


def changed_fields(current: Terms, said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a budget with some of them changed.

    Another period leaves behind how a custom one was cut; fiscal years are cut anew.
    """
    kept = fields_of_terms(current)
    del kept["fiscal"]
    if said.get("period", current.period) != CUSTOM:
        kept["own_period"] = None
    return kept | dict(said)


def effective_from(said: str | None, timezone: str, now: datetime) -> datetime | None:
    """From when a change is to hold (UTC): a local day of a zone, or an instant with its offset.

    None: at once, which today is too. Raises TermsRefused.
    """
    if said is None:
        return None
    zone = ZoneInfo(timezone)
    try:
        if _DATE.fullmatch(said):
            day = date.fromisoformat(said)
            if day == local_day(now, zone):
                return None
            moment = day_start(day, zone)
        else:
            moment = datetime.fromisoformat(said)
            if moment.tzinfo is None:
                raise ValueError(said)  # noqa: TRY301  # one way to refuse it
            moment = moment.astimezone(UTC)
        if not FIRST_YEAR <= moment.year < LAST_YEAR:
            raise ValueError(said)  # noqa: TRY301  # as above
    except (ValueError, OverflowError):
        reason = "a day (2026-12-01), or an instant with its offset (2026-12-01T00:00:00Z)"
        raise TermsRefused("effective_from", reason) from None
    if moment <= now:
        raise TermsRefused("effective_from", "it has passed: leave it out to change it at once")
    return moment


def _fiscal(said: Mapping[str, Any] | None, otherwise: FiscalYear) -> FiscalYear:
    if said is None:
        return otherwise
    try:
        return FiscalYear(**said)
    except (TypeError, ValueError) as error:
        raise TermsRefused("fiscal", str(error).replace("FiscalYear.__init__() ", "")) from None
