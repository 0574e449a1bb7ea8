"""docs/reference/api.md: every route: what it does, who may, what it takes and answers."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.reference.markdown import anchor, code, described, page, table
from app.reference.shapes import default_of, takes

_ABOUT: Final = (
    "Every route, from the contract at `/openapi.json`. What holds everywhere, with examples: "
    "[API](../api.md); what the words of *who may* mean: [who is let in](../routes.md). The "
    "doors for OTLP: [otlp](../otlp.md). Wherever something is wrong the answer is a "
    "[problem](shapes.md#problemanswer)."
)
_BESIDE: Final = (
    "What people and machines other than callers of the API ask for: [metrics](../metrics.md), "
    "[pages](../pages.md) with what they are made of, and the contract itself."
)
_SHARED: Final = "Parameters of several routes"
_OF_SHARED: Final = 3
"""A parameter that so many routes take is told once."""
_MORE: Final = {
    "access": ("access",),
    "alert rules": ("alert-rules",),
    "alerts": ("alerts",),
    "bills": ("bills", "reconcile"),
    "budgets": ("budgets", "budget-check", "forecasts"),
    "calls": ("api", "content"),
    "channels": ("channels",),
    "commitments": ("commitments",),
    "health": ("api",),
    "months": ("months",),
    "ownership": ("ownership",),
    "performance": ("api",),
    "pools": ("pools", "economics"),
    "prices": ("prices", "currencies"),
    "spend": ("api",),
    "statements": ("statements", "focus"),
    "what-if": ("what-if",),
}
"""Of what routes are about -> the documents that tell of it."""
_PLACES: Final = {"path": "in the path", "query": "", "header": "a header"}

Route = Mapping[str, Any]
Row = tuple[str, ...]


def api_page(contract: Mapping[str, Any], who_may: str) -> str:
    """The page of a contract. ``who_may`` is the text of docs/routes.md. Raises NotDescribedError.

    Also where that does not say who is let in.
    """
    allowed = _allowed(who_may)
    by_tag: dict[str, list[tuple[str, str, Route]]] = {}
    for path, methods in contract["paths"].items():
        for method, route in methods.items():
            tag = next(iter(route.get("tags", ())), "none")
            by_tag.setdefault(tag, []).append((method.upper(), path, route))
    every = [each for routes in by_tag.values() for each in routes]
    times = Counter(row for *_, route in every for row in _parameters(route))
    shared = {row for row, count in times.items() if count >= _OF_SHARED}
    index = [
        [
            f"[`{method} {path}`](#{anchor(f'{method} {path}')})",
            described(route.get("summary"), f"{method} {path}"),
            _who(method, path, allowed),
        ]
        for method, path, route in every
    ]
    parts = [
        part
        for tag, routes in by_tag.items()
        for part in (
            f"## {tag[0].upper()}{tag[1:]}",
            _more(tag),
            *(
                line
                for method, path, route in routes
                for line in _route(method, path, route, allowed, shared)
            ),
        )
    ]
    return page(
        "API",
        _ABOUT,
        table(["route", "what it does", "who may"], index),
        f"## {_SHARED}",
        table(_HEADINGS, [row for row in times if row in shared]),
        *parts,
        "## Beside the contract",
        _BESIDE,
        table(
            ["route", "who may look", "who may change"],
            [[code(path), *who] for path, who in allowed.items() if path not in contract["paths"]],
        ),
    )


_HEADINGS: Final = ["parameter", "takes", "default", "what it says"]


def _allowed(who_may: str) -> dict[str, tuple[str, str]]:
    """Route -> who may look, and who may change."""
    rows = re.findall(r"^\| `(/[^`]*)` \|([^|]*)\|([^|]*)\|$", who_may, re.MULTILINE)
    return {path: (look.strip(), change.strip()) for path, look, change in rows}


def _more(tag: str) -> str:
    told = ", ".join(f"[{name}](../{name}.md)" for name in _MORE.get(tag, ()))
    return described(told and f"More: {told}", f"the tag {tag} in app/reference/routes.py")


def _who(method: str, path: str, allowed: Mapping[str, tuple[str, str]]) -> str:
    look, change = allowed.get(path, ("", ""))
    return described(look if method == "GET" else change, f"{method} {path} in docs/routes.md")


def _route(
    method: str,
    path: str,
    route: Route,
    allowed: Mapping[str, tuple[str, str]],
    shared: set[Row],
) -> Iterator[str]:
    yield f"### {method} {path}"
    yield f"{_sentence(route.get('summary', ''))} Who may: {_who(method, path, allowed)}."
    yield described(route.get("description"), f"{method} {path}")
    rows = _parameters(route)
    own = [row for row in rows if row not in shared]
    if own:
        yield table(_HEADINGS, own)
    others = ", ".join(row[0] for row in rows if row in shared)
    if others:
        yield f"{'Also' if own else 'It takes'} {others}: [{_SHARED.lower()}](#{anchor(_SHARED)})."
    yield "\n".join(f"- {line}" for line in _bodies(route))


def _parameters(route: Route) -> list[Row]:
    return [
        (
            code(each["name"]),
            ", ".join(filter(None, [_taken(each["schema"]), _PLACES[each["in"]]]))
            + (", required" if each.get("required") and each["in"] != "path" else ""),
            default_of(each["schema"]),
            described(each.get("description"), f"the parameter {each['name']}"),
        )
        for each in route.get("parameters", ())
    ]


def _taken(schema: Mapping[str, Any]) -> str:
    """A list is a parameter that may be repeated, and one that may be null can be left out."""
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    if len(choices) == 1 and choices[0].get("type") == "array":
        return f"{takes(choices[0].get('items', {}), 'shapes.md')}, repeatable"
    return " or ".join(takes(each, "shapes.md") for each in choices)


def _bodies(route: Route) -> Iterator[str]:
    for kind, said in route.get("requestBody", {}).get("content", {}).items():
        yield f"body: {_shape(kind, said.get('schema', {}))}"
    problems = []
    for status, answer in sorted(route["responses"].items()):
        content = answer.get("content", {})
        if "application/problem+json" in content:
            problems.append(code(status))
        elif content:
            for kind, said in content.items():
                yield f"{code(status)}: {_shape(kind, said.get('schema', {}))}"
        else:
            yield f"{code(status)}: nothing"
    if problems:
        yield f"problems: {', '.join(problems)}"


def _shape(kind: str, schema: Mapping[str, Any]) -> str:
    told = takes(schema, "shapes.md") if schema else "a file"
    return told if kind == "application/json" else f"{told} ({code(kind)})"


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."
