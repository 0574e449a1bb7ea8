"""What changed between two states of a thing, told in values that JSON has: for the record."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from posixpath import commonprefix
from typing import Any, Final
from uuid import UUID

SECRETS: Final = frozenset(
    {"webhook_url", "secret", "signing_key", "token", "password", "digest", "rows_sha256"}
)
"""Fields whose value is nobody's business: that they are set is told, and whether they changed."""
_SET: Final = "(set)"
_ANOTHER: Final = "(another)"
MOST_ITEMS: Final = 50
"""Of one list: what a file of a thousand prices entered is told by the first of them."""
LONGEST: Final = 500
"""Characters of one text."""


def plain(value: Any) -> Any:
    """A value as JSON has it, no longer than it must be."""
    return _cut(_whole(value))


def _whole(value: Any) -> Any:
    """A value as JSON has it: money and times as text, records by their fields."""
    told: Any
    if is_dataclass(value) and not isinstance(value, type):
        told = {each.name: _whole(getattr(value, each.name)) for each in fields(value)}
    elif isinstance(value, Mapping):
        told = {str(key): _whole(each) for key, each in value.items()}
    elif isinstance(value, AbstractSet):
        told = _whole(sorted(value, key=str))
    elif isinstance(value, Enum):
        told = _whole(value.value)
    elif isinstance(value, str):
        told = value
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        told = [_whole(each) for each in value]
    elif isinstance(value, datetime | date):
        told = value.isoformat()
    elif value is None or isinstance(value, bool | int):
        told = value
    elif isinstance(value, Decimal) and value.is_finite():
        # The same amount is the same text, with however many zeros it was kept.
        told = f"{value.normalize():f}"
    else:
        told = str(value) if isinstance(value, UUID) else f"({type(value).__name__})"
    return told


def _cut(told: Any) -> Any:
    if isinstance(told, Mapping):
        return {name: _cut(each) for name, each in told.items()}
    if isinstance(told, list):
        more = len(told) - MOST_ITEMS
        return [_cut(each) for each in told[:MOST_ITEMS]] + [f"… {more:,} more"] * (more > 0)
    if isinstance(told, str) and len(told) > LONGEST:
        return told[:LONGEST] + "…"
    return told


def _where_they_differ(was: Any, now: Any) -> tuple[Any, Any]:
    """Of two long lists what is in one alone, of two long texts what follows the same beginning.

    What was changed may stand behind what is cut off.
    """
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        pairs = {name: _where_they_differ(was[name], now[name]) for name in was.keys() & now}
        return (
            {name: pairs[name][0] if name in pairs else each for name, each in was.items()},
            {name: pairs[name][1] if name in pairs else each for name, each in now.items()},
        )
    if isinstance(was, list) and isinstance(now, list) and max(len(was), len(now)) > MOST_ITEMS:
        there, then = ({json.dumps(each, sort_keys=True) for each in side} for side in (now, was))
        gone = [each for each in was if json.dumps(each, sort_keys=True) not in there]
        new = [each for each in now if json.dumps(each, sort_keys=True) not in then]
        return (gone, new) if gone or new else (was, now)
    if isinstance(was, str) and isinstance(now, str) and max(len(was), len(now)) > LONGEST:
        alike = len(commonprefix([was, now]))
        return (f"…{was[alike:]}", f"…{now[alike:]}") if alike and was != now else (was, now)
    return was, now


def told_apart(
    before: Any | None, after: Any | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """How a thing was and is: what differs alone, where both are there. Never a secret.

    >>> told_apart({"amount": Decimal(1), "name": "a"}, {"amount": Decimal(2), "name": "a"})
    ({'amount': '1'}, {'amount': '2'})
    >>> told_apart({"secret": "x"}, {"secret": "y"})
    ({'secret': '(set)'}, {'secret': '(another)'})
    """
    was = None if before is None else _whole(before)
    now = None if after is None else _whole(after)
    if was is not None and now is not None:
        names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
        was = {name: was[name] for name in names if name in was}
        now = {name: now[name] for name in names if name in now}
        was, now = _where_they_differ(was, now)
    return _cut(_hidden(was, _SET)), _cut(_hidden(now, _ANOTHER if was else _SET))


def _hidden(told: Any, mark: str) -> Any:
    if isinstance(told, Mapping):
        return {
            name: mark if name in SECRETS and each is not None else _hidden(each, mark)
            for name, each in told.items()
        }
    return [_hidden(each, mark) for each in told] if isinstance(told, list) else told
