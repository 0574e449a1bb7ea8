"""Answers as lines for people. Names that senders chose stand in quotation marks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson


def quoted(name: object) -> str:
    """A name as somebody said it, in quotation marks; a dash where nobody said one."""
    return "-" if name is None else orjson.dumps(str(name)).decode()


def money(amount: str | None, currency: str) -> str:
    """An amount with all its digits, or that it is unknown."""
    return "unknown" if amount is None else f"{amount} {currency}"


def number(value: object, unit: str = "") -> str:
    """A figure, or that it is unknown."""
    return "unknown" if value is None else f"{value}{unit}"


def told(*parts: str | Iterable[str]) -> str:
    """Lines, and lists of lines, as one text; empty ones are left out."""
    lines: list[str] = []
    for part in parts:
        lines += [part] if isinstance(part, str) else part
    return "\n".join(line for line in lines if line)


def rows(header: Sequence[str], lines: Iterable[Sequence[object]]) -> list[str]:
    """A table, cells with bars between them; empty where it has no lines."""
    table = [" | ".join(str(cell) for cell in line) for line in lines]
    return [" | ".join(header), *table] if table else ["(no rows)"]


def watermark(found: Mapping[str, Any]) -> str:
    """Until when the figures are complete."""
    if found.get("as_known_at"):
        return f"As it was known at {found['as_known_at']}."
    until = found.get("complete_until")
    return f"Complete until {until}." if until else "Until when this is complete is not known."


def period(found: Mapping[str, Any]) -> str:
    """The time that an answer is about."""
    return f"{found['from']} to {found['to']} (exclusive, {found['timezone']})"


def more(found: Mapping[str, Any], currency: str = "") -> str:
    """What was left out, and how to see it."""
    hidden = found.get("not_shown")
    if not hidden:
        return ""
    cost = f", {money(hidden['cost'], currency)}" if "cost" in hidden else ""
    where = f"; next: skip={found['next_skip']}" if found["next_skip"] is not None else ""
    return f"Not shown: {hidden['rows']} of {found['rows_in_all']} rows{cost}{where}."
