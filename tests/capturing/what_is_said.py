"""What the stand-in says to a request: an id, a tool it asks for, or a text."""

import itertools
import json
import time
from typing import Any

Json = dict[str, Any]

_numbers = itertools.count(1)


def new_id(prefix: str) -> str:
    """An id of an answer, as providers shape it, another one each time."""
    return f"{prefix}{time.time_ns():x}{next(_numbers):06d}"


def wants_tool(request: Json) -> str | None:
    """The tool to ask for: the first one offered, unless one has answered already."""
    told = json.dumps(request.get("messages", request.get("input", request.get("contents"))))
    answered = any(
        word in told for word in ('"tool"', "tool_result", "functionResponse", "_output")
    )
    forced = (request.get("tool_choice") or {}) if request.get("tools") else {}
    if isinstance(forced, dict) and forced.get("type") in {"tool", "function"}:
        return str(forced.get("function", forced)["name"])
    if isinstance(forced, dict) and forced.get("type") == "any":
        return str(request["tools"][0]["name"])
    if "tool" not in str(request.get("model")) or answered or not request.get("tools"):
        return None
    first = request["tools"][0]
    return str(first.get("function", {}).get("name") or first.get("name"))


def said(request: Json) -> str:
    """The answer's text: JSON where that is asked for."""
    if any(word in json.dumps(request) for word in ('"json_schema"', '"application/json"')):
        return '{"answer": "hello"}'
    return "Hello from the stand-in."


def words_of(text: str) -> list[str]:
    """A text in three pieces."""
    return [text[:6], text[6:12], text[12:]]
