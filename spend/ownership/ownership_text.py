"""Ownership as a text to be changed by hand, and where in it something is wrong."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from spend.ownership.ownership import FIRST, LAST, Rule
from spend.ownership.ownership_files import Ownership, OwnershipRefusedError, fields_of
from spend.ownership.splits import Split
from spend.periods import day_start, local_day
from spend.toml_text import lines_of, toml_block, toml_value

_AT_LINE: Final = re.compile(r"\bline ([0-9]{1,9})\b")


def toml_of(ownership: Ownership) -> str:
    """A TOML file that says the same; dates where something begins or ends with a day."""
    fields = fields_of(ownership)
    head = f"timezone = {toml_value(ownership.timezone)}"
    blocks = [head if ownership.rules else f"{head}\nrules = []"]
    rules = zip(fields["rules"], ownership.rules, strict=True)
    splits = zip(fields["splits"], ownership.splits, strict=True)
    zone = ownership.zone
    blocks += [toml_block("rules", _spoken(said, rule, zone)) for said, rule in rules]
    blocks += [toml_block("splits", _spoken(said, split, zone)) for said, split in splits]
    return "\n\n".join(blocks) + "\n"


def line_of(text: str, refused: OwnershipRefusedError) -> int | None:
    """The line of a text, from 1, that a refusal is about; None: it cannot be told."""
    if refused.field == "file":
        named = _AT_LINE.search(refused.reason)
        return int(named[1]) if named else None
    section, _, number = refused.place.partition(" ")
    begins = lines_of(text, section) if section else []
    lines = text.splitlines()
    if number and int(number) <= len(begins):
        first = begins[int(number) - 1]
        last = next((n for n in range(first, len(lines)) if lines[n].lstrip()[:1] == "["), None)
        return _field_line(lines, refused.field, first, last) or first
    return None if section else _field_line(lines, refused.field, 0, None)


def _field_line(lines: list[str], field: str, first: int, last: int | None) -> int | None:
    name = re.compile(rf"\s*[\"']?{re.escape(field.partition('.')[0])}\b")
    within = enumerate(lines[first:last], first + 1)
    return next((number for number, line in within if name.match(line)), None)


def _spoken(said: dict[str, Any], each: Rule | Split, zone: ZoneInfo) -> dict[str, Any]:
    spoken = dict(said)
    for way in ("shares", "weights"):
        if way in spoken:
            spoken[way] = {team: Decimal(share) for team, share in spoken[way].items()}
    bounds = {"from": (each.valid_from, FIRST), "to": (each.valid_to, LAST)}
    return spoken | {name: _bound(at, zone) for name, (at, none) in bounds.items() if at != none}


def _bound(at: datetime, zone: ZoneInfo) -> date:
    day = local_day(at, zone)
    return day if day_start(day, zone) == at else at
