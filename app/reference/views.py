"""docs/reference/views.md: the views and functions for whoever asks in SQL."""

from collections.abc import Iterable, Iterator
from typing import Final

from app.reference.markdown import anchor, code, described, page, table
from migrations.reporting.views import SCHEMA, Function, View

_ABOUT: Final = (
    f"The schema `{SCHEMA}` is for whoever asks in SQL: its names, columns and their meaning are "
    "promises, which the [tables](tables.md) beneath are not. How to use "
    "them: [views](../views.md)."
)


def views_page(views: Iterable[View], functions: Iterable[Function]) -> str:
    """The page of these views and functions. Raises NotDescribedError."""
    told = [*views]
    rows = [
        [
            f"[`{SCHEMA}.{view.name}`](#{anchor(f'{SCHEMA}.{view.name}')})",
            described(view.description, f"the view {view.name}").partition(". ")[0].rstrip(".")
            + ".",
        ]
        for view in told
    ]
    parts = [part for view in told for part in _view(view)]
    return page(
        "Views", _ABOUT, table(["view", "what it shows"], rows), *parts, *_functions(functions)
    )


def _view(view: View) -> Iterator[str]:
    yield f"## {SCHEMA}.{view.name}"
    yield view.description
    rows = [
        [
            code(column.name),
            column.type,
            described(column.description, f"the column {view.name}.{column.name}"),
        ]
        for column in view.columns
    ]
    yield table(["column", "type", "what it holds"], rows)


def _functions(functions: Iterable[Function]) -> Iterator[str]:
    rows = [
        [
            code(f"{SCHEMA}.{each.name}({each.arguments})"),
            each.returns,
            described(each.description, f"the function {each.name}"),
        ]
        for each in functions
    ]
    if rows:
        yield "## Functions"
        yield table(["function", "gives", "what it is"], rows)
