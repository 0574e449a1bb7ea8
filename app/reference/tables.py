"""docs/reference/tables.md: every table of the database, with what each column holds."""

from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Final

from sqlalchemy import Column, Index, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import DefaultClause

from app.reference.markdown import anchor, code, described, page, table
from spend.meters import METERS
from store import tables

_ABOUT: Final = (
    "What is in Postgres. These tables are ours and change from version to version "
    "([upgrades](../upgrades.md)): whoever asks in SQL is better off with the [views](views.md), "
    "which are promises. All moments are UTC; amounts are exact, to 1e-12 of their currency; null "
    "is not known, never 0. Words: [language](../language.md)."
)
_OF_METERS: Final = (
    "A *meter* counts one kind of usage. Those of tokens that are no part of another one are "
    "disjoint: they add up to all tokens of a call."
)
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
_SHORT: Final = {"timestamp with time zone": "timestamptz"}


def tables_page(metadata: MetaData) -> str:
    """The page of all tables that there are. Raises NotDescribedError."""
    told = {
        each.name: described(each.info.get("doc"), f"the table {each.name}")
        for each in _sorted(metadata)
    }
    rows = [[f"[`{name}`](#{anchor(name)})", _first_sentence(text)] for name, text in told.items()]
    parts = [table(["table", "what it holds"], rows), "## Meters", _meters()]
    for heading, family in _families(metadata).items():
        parts.append(f"## {heading}")
        for each in family:
            parts += _table(each, told[each.name])
    return page("Tables", _ABOUT, *parts)


def _sorted(metadata: MetaData) -> list[Table]:
    return [metadata.tables[name] for name in sorted(metadata.tables)]


def _families(metadata: MetaData) -> dict[str, list[Table]]:
    """The tables by what their module is about; those of no module come last."""
    found: dict[str, list[Table]] = {}
    left = dict(metadata.tables)
    for name in tables.__all__:
        module = getattr(tables, name)
        if isinstance(module, ModuleType):
            names = [each.name for each in vars(module).values() if isinstance(each, Table)]
            own = [left.pop(each) for each in names if each in left]
            if own:
                found[_heading(module)] = own
    return found | ({"Others": list(left.values())} if left else {})


def _heading(module: ModuleType) -> str:
    first = described(module.__doc__, module.__name__)
    for end in (".", ":", ";", " ("):
        first = first.partition(end)[0]
    return f"{first} (`{module.__name__.replace('.', '/')}.py`)"


def _meters() -> str:
    rows = [[code(each.name), each.unit, code(each.of_which or ""), each.says] for each in METERS]
    return f"{_OF_METERS}\n\n{table(['meter', 'counts', 'part of', 'what it is'], rows)}"


def _table(each: Table, told: str) -> Iterator[str]:
    yield f"### {each.name}"
    yield told
    yield "\n".join(f"- {line}" for line in _structure(each))
    rows, metered = [], False
    for column in each.columns:
        if column.info.get("meter"):
            if not metered:
                rows.append(_column(column, "each [meter](#meters)"))
            metered = True
        else:
            rows.append(_column(column, code(column.name)))
    yield table(["column", "type", "null", "default", "what it holds"], rows)


def _column(column: Column[object], name: str) -> list[str]:
    default = column.server_default
    told = str(default.arg) if isinstance(default, DefaultClause) else ""
    return [
        name,
        _type(column),
        "null" if column.nullable else "",
        code(told or ("''" if isinstance(default, DefaultClause) else "")),
        described(column.doc, f"the column {column.table.name}.{column.name}"),
    ]


def _type(column: Column[object]) -> str:
    told = column.type.compile(dialect=_DIALECT).lower()
    return _SHORT.get(told, told)


def _structure(each: Table) -> Iterator[str]:
    yield f"key: {_names(each.primary_key.columns)}"
    by = each.dialect_options["postgresql"].get("partition_by")
    if by:
        yield f"partitioned by {code(by)}"
    for constraint in sorted(each.constraints, key=lambda one: str(one.name)):
        if isinstance(constraint, UniqueConstraint):
            yield f"unique: {_names(constraint.columns)}"
        elif isinstance(constraint, ExcludeConstraint):
            yield f"no two overlap: {code(constraint.name)}"
    for index in sorted(each.indexes, key=lambda one: str(one.name)):
        yield _index(index)


def _index(index: Index) -> str:
    where = index.dialect_options["postgresql"].get("where")
    only = "" if where is None else f", where {code(where)}"
    return f"{'unique' if index.unique else 'index'}: {_names(index.expressions)}{only}"


def _names(columns: Iterable[object]) -> str:
    return ", ".join(code(getattr(each, "name", each)) for each in columns)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."
