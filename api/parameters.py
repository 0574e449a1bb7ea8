"""Refuses parameters that a route does not have, and those that were said twice.

A parameter that is passed over in silence gives an answer to another question than was asked:
``/v1/budgets?team=search`` would show every team's.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import Request

from api.problems import Problem


def known_parameters_only(request: Request) -> None:
    """Holds a request to the contract. Problem 422, naming the parameter."""
    asked = Counter(name for name, _value in request.query_params.multi_items())
    if not asked:
        return
    known = _parameters(request)
    for name, times in asked.items():
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none"
            raise _wrong(name, f"is not a parameter here: {there}")
        if times > 1 and known[name].get("type") != "array":
            raise _wrong(name, "was said more than once")


def _parameters(request: Request) -> Mapping[str, Mapping[str, Any]]:
    """Those of the request's route, as the contract has them: name to schema."""
    paths = request.app.openapi()["paths"]
    route = paths[request.scope["route"].path_format][request.method.lower()]
    return {
        each["name"]: each["schema"]
        for each in route.get("parameters", ())
        if each["in"] == "query"
    }


def _wrong(name: str, reason: str) -> Problem:
    name = name[:100]
    return Problem(422, "The request is not valid", f"{name}: {reason}", field=name)
