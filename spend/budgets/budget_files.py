"""Budgets and alert rules as a JSON or TOML file: read, refused, and written."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spend.budgets.budget_fields import FIELDS
from spend.toml_text import lines_of, toml_block

BUDGETS: Final = "budgets"
ALERT_RULES: Final = "alert_rules"
SECTIONS: Final = (BUDGETS, ALERT_RULES)
MOST: Final = 10_000
"""Of each section."""


class BudgetFileRefusedError(ValueError):
    """Nothing was taken from a file: mend ``field`` of what stands at ``place``."""

    def __init__(self, place: str, field: str, reason: str) -> None:
        super().__init__(f"{place}, {field}: {reason}" if field else f"{place}: {reason}")
        self.place = place
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Written:
    """A budget or a rule of a file."""

    place: str
    """Where it stands, for people: ``budgets 2 (line 14)``."""
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it is called, '' if it does not say."""
        said = self.fields.get("name")
        return said.strip() if isinstance(said, str) else ""


@dataclass(frozen=True, slots=True)
class BudgetFile:
    """What a file says. A section that it does not have is None."""

    budgets: tuple[Written, ...] | None
    alert_rules: tuple[Written, ...] | None


def file_of(text: str, *, toml: bool) -> BudgetFile:
    """What a text says: ``[[budgets]]`` and ``[[alert_rules]]``, or in JSON an object of the lists.

    Raises BudgetFileRefusedError.
    """
    try:
        said = (
            tomllib.loads(text, parse_float=str)
            if toml
            # Through a float, 0.1 would no longer be 0.1.
            else json.loads(text, parse_float=str, parse_constant=str, object_pairs_hook=_each_once)
        )
    except (ValueError, RecursionError) as error:
        reason = f"not {'TOML' if toml else 'JSON'}: {error}"
        raise BudgetFileRefusedError("file", "", reason) from None
    if not isinstance(said, dict) or not said:
        raise BudgetFileRefusedError("file", "", f"there must be a list of {' or '.join(SECTIONS)}")
    for section in said:
        if section not in SECTIONS:
            reason = f"unknown; there are {', '.join(SECTIONS)}"
            raise BudgetFileRefusedError("file", section[:100], reason)
    found = {each: _section(said[each], each, text, toml) for each in SECTIONS if each in said}
    return BudgetFile(found.get(BUDGETS), found.get(ALERT_RULES))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. TOML refuses what is said twice; JSON's reader would take the last."""
    said: dict[str, Any] = {}
    for name, value in pairs:
        if name in said:
            raise ValueError(f"{name[:100]!r} is said twice in one object")
        said[name] = value
    return said


def _section(said: object, name: str, text: str, toml: bool) -> tuple[Written, ...]:
    if not isinstance(said, list) or len(said) > MOST:
        raise BudgetFileRefusedError("file", name, f"must be a list of at most {MOST}")
    lines = lines_of(text, name) if toml else []
    found: dict[str, Written] = {}
    for number, fields in enumerate(said, 1):
        line = f" (line {lines[number - 1]})" if len(lines) == len(said) else ""
        place = f"{name} {number}{line}"
        if not isinstance(fields, dict):
            raise BudgetFileRefusedError(place, "", "must be an object")
        written = Written(place, fields)
        if not written.name:
            raise BudgetFileRefusedError(place, "name", "is missing")
        if written.name in found:
            reason = f"{written.name!r} stands at {found[written.name].place} too"
            raise BudgetFileRefusedError(place, "name", reason)
        found[written.name] = written
    return tuple(found.values())


def text_of(
    budgets: Iterable[Mapping[str, Any]], rules: Iterable[Mapping[str, Any]], *, toml: bool
) -> str:
    """A file that says these budgets and rules; what has nothing to say is left out of it."""
    said = {
        BUDGETS: [_spoken({name: each[name] for name in FIELDS}) for each in budgets],
        ALERT_RULES: [_spoken(each) for each in rules],
    }
    said = {section: listed for section, listed in said.items() if listed}
    if not toml:
        return json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    blocks = [toml_block(section, each) for section, listed in said.items() for each in listed]
    return "\n\n".join(blocks) + "\n" if blocks else ""


_ABSENT: Final = frozenset(("forecast_thresholds", "pace_thresholds", "channels"))
"""Lists that may be left out when they are empty."""


def _spoken(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields.items()
        if value is not None and (value != [] or name not in _ABSENT)
    }
