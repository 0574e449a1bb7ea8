"""What a tool is: what it asks for, what it promises, and how an answer is told."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from mcp_types import Tool as Offer
from pydantic import BaseModel, ConfigDict, ValidationError

from app.mcp.asking import Api, Refused
from app.mcp.untrusted import plain_text

log = structlog.get_logger()

_MOST_TOLD: Final = 5
_OTHERWISE: Final = (
    "spanledger answered otherwise than this version of spanledger mcp expects ({}): its API is"
    " another version. Whoever set this up should bring both to the same."
)


class Asked(BaseModel):
    """Arguments of a tool. One that it does not have is refused, never passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """What a tool promises of its answer; more may be in it, as the API tells it."""

    model_config = ConfigDict(extra="allow", frozen=True)


A = TypeVar("A", bound=Asked)
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """Something that a model can ask."""

    name: str
    title: str
    does: str
    """For the model: what it answers, and when to take it."""
    asks: type[A]
    tells: type[Told]
    answer: Callable[[Api, A], Awaitable[Found]]
    text: Callable[[Mapping[str, Any]], str]
    """The answer in short, for people."""

    def offer(self) -> Offer:
        """How clients list it."""
        return Offer(
            name=self.name,
            title=self.title,
            description=self.does,
            input_schema=_lean(self.asks.model_json_schema(by_alias=True), asked=True),
            output_schema=_lean(self.tells.model_json_schema(by_alias=True), asked=False),
            annotations=ToolAnnotations(
                title=self.title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )

    async def call(self, api: Api, arguments: Mapping[str, Any]) -> CallToolResult:
        """Its answer; where there is none, an error that says why."""
        try:
            found = await self.answer(api, self._asked(arguments))
            self.tells.model_validate(found)
            text = self.text(found)
        except Refused as refused:
            return _no_answer(str(refused))
        except (ValidationError, LookupError, TypeError, AttributeError) as other:
            # The API is of another version: it lacks, or has otherwise, what is looked for here.
            where = _field(other) if isinstance(other, ValidationError) else repr(other)
            log.warning("an answer of another shape", tool=self.name, where=where)
            return _no_answer(_OTHERWISE.format(where))
        return CallToolResult(content=[TextContent(text=text)], structured_content=found)

    def _asked(self, arguments: Mapping[str, Any]) -> A:
        try:
            return self.asks.model_validate(dict(arguments))
        except ValidationError as error:
            raise Refused("\n".join(self._wrong(error))) from None

    def _wrong(self, error: ValidationError) -> Iterator[str]:
        there = [field.alias or name for name, field in self.asks.model_fields.items()]
        for each in error.errors(include_url=False)[:_MOST_TOLD]:
            field = plain_text(".".join(str(part) for part in each["loc"]), 100)
            reason = each["msg"].removeprefix("Value error, ")
            if each["type"] == "extra_forbidden":
                reason = f"there is no such argument: there are {', '.join(there) or 'none'}"
            elif each["type"] != "missing":
                reason += f" (not {plain_text(repr(each['input']), 100)})"
            yield f"{field}: {reason}"


def _no_answer(why: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=why)], is_error=True)


def _field(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.errors()[0]["loc"])


def _lean(schema: Any, *, asked: bool) -> Any:
    """A schema without what a model pays for and learns nothing from.

    These are titles, and of arguments that null stands for leaving them out.
    """
    if isinstance(schema, list):
        return [_lean(each, asked=asked) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {k: v for k, v in schema.items() if not (k == "title" and isinstance(v, str))}
    if asked and schema.get("default", ...) is None:
        del schema["default"]
        kept = [each for each in schema.pop("anyOf", []) if each != {"type": "null"}]
        # What is said of the whole goes before what is said of the part.
        schema = {**kept[0], **schema} if len(kept) == 1 else {**schema, "anyOf": kept}
    return {
        name: {key: _lean(each, asked=asked) for key, each in part.items()}
        if name in {"properties", "$defs"}
        else _lean(part, asked=asked)
        for name, part in schema.items()
    }
