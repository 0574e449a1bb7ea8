"""Refuses what would be kept and looks like a secret: a key pasted for a name is there for good.

A name is in the record of changes, in exports and in messages soon after it was written. Where a
secret belongs, in a channel's, it is sealed and shown to nobody.
"""

import json
from typing import Any, Final

from fastapi import Request

from api.problems import Problem
from spend.secret_shapes import has_secret
from spend.told_apart import SECRETS

OURS: Final = SECRETS | {"key", "form_token"}
"""Fields that hold secrets, and are kept as that or not at all."""
_WRITING: Final = frozenset({"POST", "PUT", "PATCH"})
_WHY: Final = "this looks like a key or a password: write what it is for, never the secret itself"


async def no_secrets(request: Request) -> None:
    """Holds a request's JSON to it. Problem 422, naming the field."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method not in _WRITING or not (kind == "application/json" or kind.endswith("+json")):
        return
    try:
        told = json.loads(await request.body())
    except (ValueError, RecursionError):
        return  # its reader says what is wrong with it
    refuse_secrets(told)


def refuse_secrets(told: Any) -> None:
    """Raises Problem 422 where a text, or a name of a field, looks like a secret."""
    waiting: list[tuple[str, Any]] = [("", told)]
    while waiting:
        field, value = waiting.pop()
        if isinstance(value, dict):
            for name, each in value.items():
                if has_secret(name):
                    raise _refusal(field or "body")
                if name not in OURS:
                    waiting.append((f"{field}.{name}" if field else name, each))
        elif isinstance(value, list):
            waiting += [(f"{field}.{place}", each) for place, each in enumerate(value)]
        elif isinstance(value, str) and has_secret(value):
            raise _refusal(field or "body")


def _refusal(field: str) -> Problem:
    field = field[:100]
    return Problem(422, "The request is not valid", f"{field}: {_WHY}", field=field)
