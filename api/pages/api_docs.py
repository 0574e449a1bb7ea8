"""What can be asked over REST, from the contract: every route with its parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.pages.shell import page
from api.pages.visitor import Visiting

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a route can be asked with."""

    name: str
    place: str
    """query or path."""
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one path."""

    method: str
    path: str
    summary: str
    text: str
    parameters: tuple[Parameter, ...]
    has_body: bool


@router.get("/docs")
def show(request: Request, visitor: Visiting) -> Response:
    """Routes by their nouns, in the order of the contract."""
    contract: dict[str, Any] = request.app.openapi()
    nouns: dict[str, list[Route]] = {}
    for noun, route in _routes(contract):
        nouns.setdefault(noun, []).append(route)
    return page(request, visitor, "api_docs.html", title="What can be asked", nouns=nouns)


def _routes(contract: Mapping[str, Any]) -> Iterator[tuple[str, Route]]:
    for path, methods in contract["paths"].items():
        for method, said in methods.items():
            parameters = tuple(
                Parameter(
                    name=each["name"],
                    place=each["in"],
                    required=bool(each.get("required")),
                    text=each.get("description") or each.get("schema", {}).get("description", ""),
                )
                for each in said.get("parameters", ())
                if each["in"] in {"query", "path"}
            )
            route = Route(
                method=method.upper(),
                path=path,
                summary=said.get("summary", ""),
                text=said.get("description", ""),
                parameters=parameters,
                has_body="requestBody" in said,
            )
            yield said.get("tags", ["other"])[0], route
