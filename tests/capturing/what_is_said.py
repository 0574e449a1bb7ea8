"""What the stand-in says to a request: an id, a tool it asks for, or a text."""

import itertools
import json
import time
from typing import Any, Final

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
    names = [str(one.get("function", one).get("name")) for one in request["tools"]]
    # A coding agent's tool that starts another agent, where a model called agent-tool is asked.
    agents = [name for name in names if name in _GIVEN and "agent" in str(request["model"])]
    return (agents or names)[0]


_TASK: Final = {"description": "Say hello", "prompt": "Say hello.", "subagent_type": "Explore"}
_GIVEN: Final[Json] = {"json": {"answer": "hello"}, "Task": _TASK, "Agent": _TASK}


def given_to(tool: str) -> Json:
    """What a tool is called with."""
    return dict(_GIVEN.get(tool, {}))


def said(request: Json) -> str:
    """The answer's text: JSON where that is asked for."""
    if any(word in json.dumps(request) for word in ('"json_schema"', '"application/json"')):
        return '{"answer": "hello"}'
    return "Hello from the stand-in."


def words_of(text: str) -> list[str]:
    """A text in three pieces."""
    return [text[:6], text[6:12], text[12:]]
