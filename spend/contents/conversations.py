"""Content as people read it: who said what, which tools were called. Whatever dialect told it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spend.contents.contents import Content

MOST_TURNS: Final = 500
_SPEAKERS: Final = {"input": "user", "output": "assistant", "tools": "tool", "system": "system"}
"""Who speaks in a kind of content, where nobody says so."""
_NUMBERED: Final = re.compile(
    r"(gen_ai\.(?:prompt|completion)|llm\.(?:input|output)_messages)\.(\d+)\.(.+)"
)
_WHOLE: Final = frozenset({"input.value", "output.value"})
"""What repeats the rest, where there is a rest."""
_CALLS: Final = frozenset(
    {"tool_call", "tool_use", "function_call", "function", "server_tool_call"}
)
_RESULTS: Final = frozenset(
    {"tool_call_response", "tool_result", "function_call_output", "tool_response"}
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that somebody said."""

    role: str
    """Who: user, assistant, system, tool, or as they were called."""
    text: str
    tool: str | None = None
    """The tool that is called, or that answers."""
    is_call: bool = False
    """Whether ``text`` is what a tool was given."""
    kind: str = "input"


@dataclass(frozen=True, slots=True)
class Piece:
    """What an attribute or an event told."""

    name: str
    text: str


def pieces_of(content: Content) -> list[Piece]:
    """What a part is made of."""
    return [Piece(str(name), str(text)) for name, text in json.loads(content.body)]


def turns_of(contents: Sequence[Content]) -> list[Turn]:
    """The conversation, in the order in which it was told: at most MOST_TURNS."""
    order = {"system": 0, "tools": 1, "input": 2, "output": 3}
    told = sorted(contents, key=lambda each: (each.at, order.get(each.kind, 4)))
    turns: list[Turn] = []
    for content in told:
        for turn in _turns(content.kind, pieces_of(content)):
            if len(turns) >= MOST_TURNS:
                return turns
            turns.append(turn)
    return turns


def _turns(kind: str, pieces: Sequence[Piece]) -> Iterator[Turn]:
    rest = [piece for piece in pieces if piece.name not in _WHOLE] or pieces
    numbered: dict[tuple[str, int], dict[str, str]] = {}
    for piece in rest:
        found = _NUMBERED.fullmatch(piece.name)
        if found:
            message = numbered.setdefault((found[1], int(found[2])), {})
            message[found[3].removeprefix("message.")] = piece.text
    for key in sorted(numbered):
        yield from _numbered(kind, numbered[key])
    for piece in rest:
        if not _NUMBERED.fullmatch(piece.name):
            yield from _said(kind, _SPEAKERS.get(kind, kind), _read(piece.text))


def _numbered(kind: str, message: Mapping[str, str]) -> Iterator[Turn]:
    """A message whose members are attributes: content, role, tool_calls.0.name ..."""
    role = message.get("role") or _SPEAKERS.get(kind, kind)
    for name, text in message.items():
        if name.endswith(("content", ".text")):
            yield from _said(kind, role, _read(text))
    tools = {name: text for name, text in message.items() if name.startswith("tool_calls.")}
    for name, text in tools.items():
        if name.endswith("arguments"):
            beside = name.removesuffix("arguments") + "name"
            yield Turn(role, text, tools.get(beside, "a tool"), is_call=True, kind=kind)


def _read(text: str) -> Any:
    if text[:1] not in {"{", "[", '"'}:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _said(kind: str, role: str, told: Any) -> Iterator[Turn]:
    """What a value says: messages, blocks, or something that is shown as it is."""
    match told:
        case None | "" | []:
            return
        case str():
            yield Turn(role, told, kind=kind)
        case [*each] if all(isinstance(one, Mapping | str) for one in each):
            yield from (turn for one in each for turn in _said(kind, role, one))
        case {"messages": [*_] as within} | {"choices": [*_] as within} | {"message": {} as within}:
            yield from _said(kind, role, within)
        case {"message": str(text)}:
            yield from _said(kind, role, _read(text))
        case {"type": str(what)} if what in _CALLS or what in _RESULTS:
            yield _tool(kind, role, told, is_call=what in _CALLS)
        case {"role": str(speaker)}:
            yield from _message(kind, speaker, told)
        case {"content": content} | {"text": content} | {"parts": content}:
            yield from _message(kind, role, {**told, "content": content})
        case _:
            yield Turn(role, _shown(told), kind=kind)


def _message(kind: str, role: str, told: Mapping[str, Any]) -> Iterator[Turn]:
    if role == "tool" and isinstance(told.get("content"), str):
        yield _tool(kind, role, told, is_call=False)
        return
    for name in ("content", "parts"):
        content = told.get(name)
        yield from _said(kind, role, _read(content) if isinstance(content, str) else content)
    calls = told.get("tool_calls")
    calls = _read(calls) if isinstance(calls, str) else calls
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, Mapping):
            yield _tool(kind, role, call, is_call=True)


def _tool(kind: str, role: str, told: Mapping[str, Any], *, is_call: bool) -> Turn:
    inner = told.get("function")
    of = inner if isinstance(inner, Mapping) else told
    names = (
        ("arguments", "input", "args") if is_call else ("result", "response", "content", "output")
    )
    value = next((of[name] for name in names if name in of), None)
    name = of.get("name") or told.get("tool_call_id") or told.get("id")
    return Turn(role, _shown(value), str(name or "a tool"), is_call=is_call, kind=kind)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        value = _read(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
