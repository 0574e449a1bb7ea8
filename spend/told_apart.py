"""What changed between two states of a thing, told in values that JSON has: for the record."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
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
    """A value as JSON has it: money and times as text, records by their fields."""
    told: Any
    if is_dataclass(value) and not isinstance(value, type):
        told = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    elif isinstance(value, Mapping):
        told = {str(key): plain(each) for key, each in value.items()}
    elif isinstance(value, AbstractSet):
        told = plain(sorted(value, key=str))
    elif isinstance(value, Enum):
        told = plain(value.value)
    elif isinstance(value, str):
        told = value if len(value) <= LONGEST else value[:LONGEST] + "…"
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        shown = [plain(each) for each in value[:MOST_ITEMS]]
        told = shown + [f"… {len(value) - MOST_ITEMS:,} more"] * (len(value) > MOST_ITEMS)
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


def told_apart(
    before: Any | None, after: Any | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """How a thing was and is: what differs alone, where both are there. Never a secret.

    >>> told_apart({"amount": Decimal(1), "name": "a"}, {"amount": Decimal(2), "name": "a"})
    ({'amount': '1'}, {'amount': '2'})
    >>> told_apart({"secret": "x"}, {"secret": "y"})
    ({'secret': '(set)'}, {'secret': '(another)'})
    """
    was = None if before is None else plain(before)
    now = None if after is None else plain(after)
    if was is not None and now is not None:
        names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
        was = {name: was[name] for name in names if name in was}
        now = {name: now[name] for name in names if name in now}
    return _hidden(was, _SET), _hidden(now, _ANOTHER if was else _SET)


def _hidden(told: Any, mark: str) -> Any:
    if isinstance(told, Mapping):
        return {
            name: mark if name in SECRETS and each is not None else _hidden(each, mark)
            for name, each in told.items()
        }
    return [_hidden(each, mark) for each in told] if isinstance(told, list) else told
