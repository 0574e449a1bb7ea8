"""The OpenAPI description of the API: what the routes say, and what FastAPI cannot know."""

from threading import Lock
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import field_words
from api.problems import FieldProblem, ProblemAnswer, answers

_ABOUT: Final = """
Who spent what on models, and how each number came about.

- Amounts are decimal **strings**, exact: never a float, never rounded but where it says so.
- `null` is *unknown*, never zero.
- Everything that goes wrong is `application/problem+json` (RFC 9457) and names the parameter.
- Days and months are local to `timezone`; instants are UTC, RFC 3339.
- `complete_until` says how far an answer is complete.
- Where keys exist: `Authorization: Bearer sl_read_…`; what changes something takes an admin key.
"""


def describe(app: FastAPI) -> None:
    """Makes ``/openapi.json`` whole: the shape of problems, and that keys may be asked for."""
    one_at_a_time = Lock()

    def openapi() -> dict[str, Any]:
        # The first requests ask for it all at once, from threads of their own: FastAPI makes it of
        # parts that it makes meanwhile, and two that do so trip over each other's.
        with one_at_a_time:
            if app.openapi_schema is None:
                app.openapi_schema = _made(app)
            return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _made(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_ABOUT.strip(),
        routes=app.routes,
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
    )
    parts = made.setdefault("components", {})
    for model in (ProblemAnswer, FieldProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        parts.setdefault("schemas", {})[model.__name__] = schema
    for routes in made["paths"].values():
        for route in routes.values():
            _with_body(route)
    field_words.say(made)
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    # Either: without keys the API is open to its own machine.
    made["security"] = [{"key": []}, {}]
    return made


def _with_body(route: dict[str, Any]) -> None:
    """A body can be no JSON at all, or too large, whatever it is of."""
    if "requestBody" in route:
        told = {str(status): said for status, said in answers(400, 413).items()}
        route["responses"] = told | route["responses"]
