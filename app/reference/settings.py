"""docs/reference/settings.md: every setting, what it takes, and what holds without it."""

from collections.abc import Iterator
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.reference.markdown import code, described, page, table
from app.setting_values import Takes, Unset

_ABOUT: Final = (
    "Settings are environment variables, all called `SPANLEDGER_…`. How they are read, and what "
    "belongs together: [settings](../settings.md). A *secret* one is, or holds, a password: it can "
    "stand in a [file](../settings.md#secrets-in-files)."
)
_BOUNDS: Final = {"ge": "{} or more", "gt": "more than {}", "le": "{} at most", "lt": "below {}"}
_PLAIN: Final = {bool: "`true`, `false`", int: "a whole number", float: "a number", str: "text"}


def settings_page(settings: type[BaseSettings]) -> str:
    """The page of these settings, each class that adds some under a heading of its own."""
    parts = []
    for cls in settings.__mro__:
        own = {
            name: field
            for name, field in settings.model_fields.items()
            if name in get_annotations(cls)
        }
        if own:
            heading = described(cls.__doc__, cls.__name__).partition(". ")[0].rstrip(".")
            rows = [_row(name, field) for name, field in own.items()]
            parts += [
                f"## {heading}",
                table(["setting `SPANLEDGER_…`", "takes", "default", "what it sets"], rows),
            ]
    return page("Settings", _ABOUT, *parts)


def _row(name: str, field: FieldInfo) -> list[str]:
    marks = [*field.metadata, *_marks(field.annotation)]
    told = described(field.description, f"the setting {name.upper()}")
    return [code(name.upper()), _takes(field, marks), _default(field, marks), told]


def _marks(annotation: object) -> Iterator[object]:
    """What is said of a type that may also be left out."""
    for part in get_args(annotation):
        if get_origin(part) is Annotated:
            for mark in get_args(part)[1:]:
                yield from mark.metadata if isinstance(mark, FieldInfo) else [mark]


def _takes(field: FieldInfo, marks: list[object]) -> str:
    for mark in marks:
        if isinstance(mark, Takes):
            return mark.words + (" (secret)" if mark.secret else "")
    kind = _kind(field.annotation)
    if get_origin(kind) is Literal:
        return ", ".join(code(choice) for choice in get_args(kind))
    if not isinstance(kind, type) or kind not in _PLAIN:
        raise TypeError(f"say what {field.annotation} takes: app/setting_values.py")
    return ", ".join([_PLAIN[kind], *_bounds(marks)])


def _bounds(marks: list[object]) -> Iterator[str]:
    told = {name: getattr(mark, name) for name in _BOUNDS for mark in marks if hasattr(mark, name)}
    if told.keys() == {"ge", "le"}:
        yield f"{told['ge']:,} to {told['le']:,}"
    else:
        yield from (_BOUNDS[name].format(f"{bound:,}") for name, bound in told.items())


def _kind(annotation: object) -> object:
    """A type without what is said of it, and without None; a collection is none of those told."""
    if get_origin(annotation) in {Annotated, Union, UnionType}:
        return next(_kind(part) for part in get_args(annotation) if part is not NoneType)
    return annotation


def _default(field: FieldInfo, marks: list[object]) -> str:
    for mark in marks:
        if isinstance(mark, Unset):
            return mark.words
    default = field.get_default(call_default_factory=True)
    if isinstance(default, bool):
        return code(str(default).lower())
    return code(default) if default not in (None, (), frozenset()) else "not set"
