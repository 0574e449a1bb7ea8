"""JSON in a cell: on one line, with exact numbers."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from spend.money import plain

Json = str | Decimal | bool | None | Mapping[str, "Json"] | Sequence["Json"]


def json_text(value: Json) -> str:
    """A value as JSON. A Decimal is a number, to its last digit."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        parts = (f"{json.dumps(name)}:{json_text(value[name])}" for name in value)
        return "{" + ",".join(parts) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
