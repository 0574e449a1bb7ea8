"""docs/reference/dialects.md: what each dialect reads, and as what."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from app.reference.markdown import anchor, code, described, page, table
from collector.dialects.provider_usage import raw_usage
from collector.dialects.table import (
    COLUMNS,
    MEANINGS,
    Dialect,
    Meaning,
    TokenMetric,
    Unpacked,
)

_ABOUT: Final = (
    "What the collector reads of what each instrumentation says. How that becomes calls, what the "
    "tables mean and which versions were heard: [dialects](../dialects.md). Of a column's "
    "attributes the first one that a span has counts; those of other dialects are read too, but "
    "for what is read *on its own spans* alone. A span is a *call*, an *aggregate* (around calls, "
    "and may repeat their usage), *naming* (the same, and names the model of those beneath) or "
    "*other* (nothing to count)."
)
_RAW: Final = "Usage as a provider answered it"
_FLAGS: Final = {
    "beside_cache": "its input leaves out the cache's parts",
    "reasoning_apart": "its output leaves out reasoning",
    "rest_is_reasoning": "reasoning is not told, and is what the total has beyond input and output",
    "cache_read_twice": "its input counts what was read from the cache a second time",
    "reasoning_twice": "its output counts reasoning a second time",
}


def dialects_page(dialects: Iterable[Dialect]) -> str:
    """The page of these dialects. Raises NotDescribedError."""
    every = [*dialects]
    rows = [
        [
            f"[`{each.name}`](#{anchor(each.name)})",
            described(each.who, f"the dialect {each.name}"),
            each.to_know,
        ]
        for each in every
    ]
    columns = [
        [code(name), described(says, f"the column {name}")] for name, says in COLUMNS.items()
    ]
    parts = [part for each in every for part in _dialect(each, _internal(every))]
    return page(
        "Dialects",
        _ABOUT,
        table(["dialect", "who", "to know"], rows),
        "## Columns",
        "What can be read of a call. Attributes of the next sections are read into these.",
        table(["column", "what it holds"], columns),
        f"## {_RAW}",
        "Some attributes hold a provider's own usage. Of these tables the first one counts whose "
        "keys are there.",
        *_raw(),
        *parts,
    )


def _internal(dialects: Iterable[Dialect]) -> dict[str, list[str]]:
    """Names of what is unpacked -> the columns that they are read into."""
    names: dict[str, list[str]] = {
        name: [] for each in dialects for one in each.unpacks for name in _taken(one)
    }
    for each in dialects:
        for column, attributes in (*each.columns.items(), *each.own.items()):
            for attribute in attributes:
                if attribute in names and column not in names[attribute]:
                    names[attribute].append(column)
    return names


def _shapes(unpacked: Unpacked) -> Iterator[Unpacked]:
    """One after the other, as they are tried, up to a provider's usage."""
    yield unpacked
    if unpacked.otherwise is not None and not _is_raw(unpacked):
        yield from _shapes(unpacked.otherwise)


def _is_raw(unpacked: Unpacked) -> bool:
    return unpacked == raw_usage(unpacked.attribute, at=unpacked.at, own=unpacked.own)


def _taken(unpacked: Unpacked) -> Iterator[str]:
    while True:
        for names in unpacked.takes.values():
            yield from (names,) if isinstance(names, str) else names
        if unpacked.otherwise is None:
            return
        unpacked = unpacked.otherwise


def _raw() -> Iterator[str]:
    shape: Unpacked | None = raw_usage("")
    while shape is not None:
        keys = " or ".join(map(code, sorted(shape.given)))
        unless = " or ".join(map(code, sorted(shape.unless)))
        last = shape.otherwise is None
        yield "Else:" if last else f"With {keys}{f', without {unless}' if unless else ''}:"
        rows = [
            [code(path), code(str(name).strip("()"))]
            for path, name in shape.takes.items()
            if isinstance(name, str)
        ]
        yield table(["path", "column"], rows)
        shape = shape.otherwise


def _dialect(each: Dialect, internal: Mapping[str, list[str]]) -> Iterator[str]:
    yield f"## {each.name}"
    yield f"{each.who} {each.to_know}".strip()
    yield "\n".join(f"- {line}" for line in _facts(each)) or "Nothing of its own."
    yield from _told(["column", "attributes"], _columns(each.columns, internal))
    yield from _told(["column, on its own spans", "attributes"], _columns(each.own, internal))
    yield from _told(["in attribute", "at", "column"], _unpacked(each, internal))
    yield from _told(["a span whose attribute", "has the value", "is", "of spans"], _marks(each))
    yield from _told(["a log record", "is", "where"], _events(each))
    yield from _told(["metric", "counts", "by"], map(_metric, each.metrics))


def _told(headings: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    filled = [*rows]
    if filled:
        yield table(headings, filled)


def _facts(each: Dialect) -> Iterator[str]:
    if each.scopes:
        yield f"scopes: {', '.join(map(code, each.scopes))}"
    if each.serves:
        yield "a gateway or a model server: it sees the server's side of a call"
    if each.engine:
        yield f"where it names no provider: {code(each.engine)}"
    if each.kin is not None:
        yield f"its signals of one call have in common: {each.kin.name.lower()}"
    if each.first_token_events:
        yield f"the first token came at the event {', '.join(map(code, each.first_token_events))}"
    if each.exceptions_fail:
        yield "a recorded exception is a failure"
    for flag in MEANINGS:
        for meaning in getattr(each, flag):
            yield f"{_FLAGS[flag]}: {_where(meaning)}"


def _where(meaning: Meaning) -> str:
    said = [code(meaning.scope) if meaning.scope != "*" else "everywhere"]
    if meaning.since:
        said.append(f"from {_version(meaning.since)}")
    if meaning.before:
        said.append(f"before {_version(meaning.before)}")
    if meaning.providers is not None:
        said.append(f"of {', '.join(sorted(meaning.providers))}")
    if meaning.given:
        said.append(f"with {code(meaning.given)}")
    if meaning.unless:
        said.append(f"without {code(meaning.unless)}")
    for name, values in sorted(meaning.where.items()):
        said.append(f"where {code(name)} is {' or '.join(map(code, sorted(values)))}")
    if meaning.streaming is not None:
        said.append("that streamed" if meaning.streaming else "that did not stream")
    return ", ".join(said)


def _version(parts: tuple[int, ...]) -> str:
    return ".".join(map(str, parts))


def _columns(
    columns: Mapping[str, tuple[str, ...]], internal: Mapping[str, list[str]]
) -> Iterator[list[str]]:
    for column, attributes in columns.items():
        plain = [code(name) for name in attributes if name not in internal]
        if plain:
            yield [code(column), ", ".join(plain)]


def _unpacked(each: Dialect, internal: Mapping[str, list[str]]) -> Iterator[list[str]]:
    for one in each.unpacks:
        name = code(one.attribute) + (" (on its own spans)" if one.own else "")
        for shape in _shapes(one):
            if _is_raw(shape):
                yield [name, code(one.at), f"[{_RAW}](#{anchor(_RAW)})"]
                continue
            paths: dict[str, list[str]] = {}
            for path, names in shape.takes.items():
                told = (names,) if isinstance(names, str) else names
                columns = dict.fromkeys(column for name in told for column in internal[name])
                at = code(".".join(filter(None, [one.at, path]))) or "itself"
                paths.setdefault(", ".join(map(code, columns)) or "for marks", []).append(at)
            yield from ([name, ", ".join(at), column] for column, at in paths.items())


def _marks(each: Dialect) -> Iterator[list[str]]:
    kinds = {1: "internal", 2: "server", 3: "client"}
    for mark in each.marks:
        of = " and ".join(kinds.get(kind, str(kind)) for kind in sorted(mark.kinds or ()))
        scope = code(mark.scope) if mark.scope != "*" else ""
        name = mark.attribute if mark.attribute.startswith("(") else code(mark.attribute)
        by: dict[str, list[str]] = {}
        for pattern, verdict in mark.says.items():
            by.setdefault(verdict.name.lower(), []).append(code(pattern))
        for said, patterns in by.items():
            yield [name, ", ".join(patterns), said, ", ".join(filter(None, [of, scope]))]


def _events(each: Dialect) -> Iterator[list[str]]:
    for event in each.events:
        where = [f"{code(name)} is {code(value)}" for name, value in sorted(event.where.items())]
        if event.needs:
            where.append(f"one of {', '.join(map(code, sorted(event.needs)))} is there")
        said = "a call that failed" if event.fails else event.says.name.lower()
        yield [code(event.name), said, "; ".join(where)]


def _metric(each: TokenMetric) -> list[str]:
    if isinstance(each.counts, str):
        return [code(each.name), code(each.counts), ""]
    told = ", ".join(f"{code(value)} as {code(count)}" for value, count in each.counts.items())
    return [code(each.name), told, code(each.type)]
