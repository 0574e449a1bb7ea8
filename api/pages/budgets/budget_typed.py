"""What somebody typed into the form of a budget: kept as it was typed, and read as fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from api.pages.forms import Fields, one
from spend.budgets.budget_periods import CUSTOM
from spend.budgets.budgets import DEFAULT_THRESHOLDS, NOT_SAID
from spend.checked_fields import TermsRefused

NONE: Final = "(none)"
"""What is typed, and shown, for spend that has no value of a dimension."""
ROWS: Final = 3
"""Empty rows of the filter that are shown below those that are filled in."""

_TEXTS: Final = (
    *("name", "amount", "currency", "period", "timezone", "thresholds", "forecast_thresholds"),
    *("pace_thresholds", "rollover_cap", "parent", "owner", "remind_hours", "webhook_url"),
    *("own_period.starts_on", "own_period.days", "own_period.ends_on", "effective_from"),
)
_LISTS: Final = ("thresholds", "forecast_thresholds", "pace_thresholds")
_NULLABLE: Final = ("rollover_cap", "parent", "owner", "webhook_url")


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was filled in."""

    texts: Mapping[str, str]
    """By field; of a field that is made of several, with a point: ``own_period.days``."""
    rows: Sequence[tuple[str, str]] = ()
    """Of the filter: dimension and value."""
    channels: Sequence[str] = field(default=())

    def __getitem__(self, name: str) -> str:
        return self.texts.get(name, "")

    @property
    def shown_rows(self) -> list[tuple[str, str]]:
        """With some to be filled in."""
        return [*self.rows, *[("", "")] * ROWS]


def typed_in(fields: Fields) -> Typed:
    """A form that was sent."""
    dimensions, values = fields.get("dimension", []), fields.get("value", [])
    rows = [(each, value.strip()) for each, value in zip(dimensions, values, strict=False)]
    return Typed(
        {name: one(fields, name) for name in _TEXTS},
        [row for row in rows if any(row)],
        fields.get("channel", []),
    )


def typed_of(said: Mapping[str, Any]) -> Typed:
    """The form of fields that a budget has (``store.budgets.budget_names.Names.fields``)."""
    texts = {name: "" if said.get(name) is None else str(said[name]) for name in _TEXTS}
    for name in _LISTS:
        texts[name] = ", ".join(map(str, said.get(name) or ()))
    for name, value in (said.get("own_period") or {}).items():
        texts[f"own_period.{name}"] = str(value)
    rows = [
        (dimension, value or NONE)
        for dimension, values in said.get("filter", {}).items()
        for value in values
    ]
    return Typed(texts, rows, said.get("channels", ()))


def empty(currency: str, timezone: str, **texts: str) -> Typed:
    """The form of a budget that there is not yet."""
    usual = {
        "currency": currency,
        "timezone": timezone,
        "period": "month",
        "thresholds": ", ".join(map(str, DEFAULT_THRESHOLDS)),
        "forecast_thresholds": "100",
    }
    return Typed(usual | texts)


def said(typed: Typed) -> dict[str, Any]:
    """The fields as the API has them. Raises TermsRefused for what is no number, and the like."""
    found: dict[str, Any] = {
        "name": typed["name"],
        "filter": _filter(typed.rows),
        "amount": typed["amount"],
        "period": typed["period"],
        "channels": list(typed.channels),
        "own_period": _own_period(typed) if typed["period"] == CUSTOM else None,
        "remind_hours": _whole(typed["remind_hours"], "remind_hours"),
    }
    # Left empty they are as they are, or as the settings say.
    found |= {name: typed[name] for name in ("currency", "timezone") if typed[name]}
    found |= {name: _numbers(typed[name], name) for name in _LISTS}
    return found | {name: typed[name] or None for name in _NULLABLE}


def _filter(rows: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for dimension, value in rows:
        if not dimension:
            raise TermsRefused("filter", f"say what {value[:100]!r} is: a team, a model, …")
        if not value:
            raise TermsRefused("filter", f"say which {dimension}; {NONE} for spend without one")
        found.setdefault(dimension, []).append(NOT_SAID if value == NONE else value)
    return found


def _own_period(typed: Typed) -> dict[str, Any]:
    return {
        "starts_on": typed["own_period.starts_on"] or None,
        "days": _whole(typed["own_period.days"], "own_period.days"),
        "ends_on": typed["own_period.ends_on"] or None,
    }


def _numbers(text: str, name: str) -> list[int]:
    parts = text.replace("%", " ").replace(",", " ").replace(";", " ").split()
    return [_number(each, name) for each in parts]


def _whole(text: str, name: str) -> int | None:
    return _number(text, name) if text else None


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004  # of any use
        raise TermsRefused(name, f"{text[:100]!r} is no whole number")
    return int(text)
