"""docs/reference/shapes.md: what bodies and answers of the API hold, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.reference.markdown import anchor, code, described, page, table

Schema = Mapping[str, Any]

_ABOUT: Final = (
    "What bodies hold and answers say, for the routes of the [API](api.md). Amounts are decimal "
    "strings, exact; null is not known, never zero; instants are RFC 3339 in UTC."
)
_BOUNDS: Final = {
    "exclusiveMinimum": "more than {:,}",
    "minLength": "{:,} characters or more",
    "maxLength": "{:,} characters at most",
    "minItems": "{:,} or more of them",
    "maxItems": "{:,} of them at most",
}
_LARGEST: Final = 2**63 - 1
"""What an id can be at most: of a bound, nothing to tell."""
_PLAIN: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true`, `false`",
    "object": "object",
    "null": "null",
}
_FORMATS: Final = {"date-time": "an instant", "date": "a date", "binary": "bytes"}


def shapes_page(contract: Mapping[str, Any]) -> str:
    """The page of a contract's shapes. Raises NotDescribedError."""
    shapes: Mapping[str, Schema] = contract["components"]["schemas"]
    bodies = _of_bodies(contract)
    parts = []
    for name in sorted(shapes, key=shape_name):
        shape = shapes[name]
        parts += [
            f"## {shape_name(name)}",
            described(shape.get("description"), f"the shape {shape_name(name)}"),
        ]
        # An answer always says all of it.
        needed = shape.get("required", ()) if name in bodies else ()
        fields = shape.get("properties", {})
        if fields:
            rows = [
                [
                    code(field),
                    takes(said) + (", required" if field in needed else ""),
                    default_of(said),
                    described(_says(said, shapes), f"the field {shape_name(name)}.{field}"),
                ]
                for field, said in fields.items()
            ]
            parts.append(table(["field", "is", "default", "what it says"], rows))
    return page("Shapes", _ABOUT, *parts)


def _of_bodies(contract: Mapping[str, Any]) -> set[str]:
    """The shapes that bodies have, and those in them."""
    shapes = contract["components"]["schemas"]
    routes = [route for methods in contract["paths"].values() for route in methods.values()]
    found: set[str] = set()
    told = [route["requestBody"] for route in routes if "requestBody" in route]
    while told:
        each = told.pop()
        if isinstance(each, Mapping):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                told.append(shapes[name])
            told += each.values()
        elif isinstance(each, list):
            told += each
    return found


def shape_name(name: str) -> str:
    """As people may read it: where two have one name, with the module that it is of."""
    *module, last = name.split("__")
    return f"{last} of {module[-1]}" if module else last


def link(name: str, file: str = "") -> str:
    """A link to a shape, from its page or from another."""
    return f"[{shape_name(name)}]({file}#{anchor(shape_name(name))})"


def takes(schema: Schema, file: str = "") -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2], file)
    if "anyOf" in schema:
        return " or ".join(takes(each, file) for each in schema["anyOf"])
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(each) or "`''`" for each in schema["enum"])
    kind = schema.get("type", "")
    if kind == "array":
        told = f"list of {takes(schema.get('items', {}), file)}"
    elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        told = f"object of {takes(schema['additionalProperties'], file)}"
    else:
        told = _FORMATS.get(schema.get("format", "")) or _PLAIN.get(kind, "anything")
    return ", ".join([told, *_bounds(schema)])


def _bounds(schema: Schema) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None and most < _LARGEST:
        yield f"{least:,} to {most:,}"
    elif least is not None:
        yield f"{least:,} or more"
    yield from (words.format(schema[name]) for name, words in _BOUNDS.items() if name in schema)


def default_of(schema: Schema) -> str:
    """What holds where nothing is said."""
    default = schema.get("default")
    if default is None or default in ([], {}, ""):
        return ""
    return code(str(default).lower() if isinstance(default, bool) else default)


def _says(schema: Schema, shapes: Mapping[str, Schema]) -> str | None:
    """What a field says of itself, else what the shape that it holds does."""
    if schema.get("description"):
        return str(schema["description"])
    for part in (schema, *schema.get("anyOf", ()), schema.get("items", {})):
        held = part.get("$ref") or part.get("items", {}).get("$ref")
        held = held or (
            part["additionalProperties"].get("$ref")
            if isinstance(part.get("additionalProperties"), dict)
            else None
        )
        if held:
            return str(shapes[held.rpartition("/")[2]].get("description", ""))
    return None
