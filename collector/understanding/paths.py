"""Values within a value: parsed once, and found by the paths of the dialects' tables.

The paths of a table are walked together, as a tree: what is not there is asked for once.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from collector.understanding.printed import as_json

UNREADABLE: Final = object()
"""What a text holds that nobody can read."""
_PRINTED: Final = re.compile(rb"[\[{(]+['A-Za-z_]|[A-Za-z_]\w*\(")


def parsed(raw: bytes) -> object:
    """What a text holds, if it is JSON or was printed by Python."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    if not _PRINTED.match(raw):
        return UNREADABLE
    try:
        return orjson.loads(as_json(raw.decode("utf-8", "replace")))
    except orjson.JSONDecodeError:
        return UNREADABLE


def steps_of(path: str) -> tuple[str, ...]:
    """The steps of a path."""
    return tuple(path.split(".")) if path else ()


@dataclass(slots=True)
class Node:
    """Where paths that begin alike go on. Of two paths for one name, the lower order counts."""

    here: list[tuple[int, int]] = field(default_factory=list)
    """Order and number of what ends here."""
    below: dict[str, "Node"] = field(default_factory=dict)
    sums: list[tuple[int, int, tuple[str, ...]]] = field(default_factory=list)
    """Order, number and the steps of what is added up from here on."""

    def add(self, order: int, steps: tuple[str, ...], number: int) -> None:
        """A path to what is known by a number."""
        if not steps:
            self.here.append((order, number))
        elif any(sign in steps[0] for sign in "*+="):
            self.sums.append((order, number, steps))
        else:
            self.below.setdefault(steps[0], Node()).add(order, steps[1:], number)

    def gather(self, content: object, found: dict[int, tuple[int, object]]) -> None:
        """What is found in some content, by number and with its order."""
        for order, number in self.here:
            keep(found, order, number, content)
        if not self.below and not self.sums:
            return
        if isinstance(content, str):
            content = parsed(content.encode())
        if isinstance(content, dict):
            for step in self.below.keys() & content.keys():
                self.below[step].gather(content[step], found)
        elif isinstance(content, list):
            for step, node in self.below.items():
                if step.isdecimal() and int(step) < len(content):
                    node.gather(content[int(step)], found)
        for order, number, steps in self.sums:
            keep(found, order, number, at_path(content, steps))


def keep(found: dict[int, tuple[int, object]], order: int, number: int, value: object) -> None:
    """Adds what was found, unless a path of a lower order has found it."""
    if value is not None and (number not in found or order < found[number][0]):
        found[number] = order, value


def at_path(content: object, steps: Sequence[str]) -> object:
    """What stands at a path, if anything."""
    for place, step in enumerate(steps):
        if isinstance(content, str):
            content = parsed(content.encode())
        if isinstance(content, dict):
            content = (
                _sum_of_keys(content, step) if "*" in step or "+" in step else content.get(step)
            )
        elif not isinstance(content, list):
            return None
        elif step.isdecimal():
            content = content[int(step)] if int(step) < len(content) else None
        elif "=" in step and place == len(steps) - 1:
            return len(_those(content, step)) or None
        else:
            return _sum(at_path(item, steps[place + 1 :]) for item in _those(content, step))
    return content


def _sum_of_keys(content: Mapping[str, object], step: str) -> object:
    """The numbers of some keys, added: ``input+input_audio``, ``input_modality_*``."""
    keys = [
        key
        for part in step.split("+")
        for key in (
            [key for key in content if key.startswith(part[:-1])] if part[-1:] == "*" else [part]
        )
    ]
    return _sum(content.get(key) for key in dict.fromkeys(keys))


def _those(items: Sequence[object], step: str) -> Sequence[object]:
    if step == "*":
        return items
    asked = [condition.partition("=") for condition in step.split("|")]
    return [
        item
        for item in items
        if any(str(at_path(item, key.split("/"))) == value for key, _, value in asked)
    ]


def _sum(values: Iterable[object]) -> object:
    told = [value for value in values if type(value) in (int, float)]
    return sum(told) if told else None  # type: ignore[arg-type] # numbers, by the line above
