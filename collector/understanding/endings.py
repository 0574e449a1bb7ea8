"""How each sighting ended: one decision for each distinct combination of what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.understanding.attributes import dialects_that
from collector.understanding.columns import ABSENT, Columns
from collector.understanding.counts import Flags
from collector.understanding.details import Details
from collector.understanding.distinct import distinct
from collector.understanding.otlp import (
    EXCEPTION_MESSAGE,
    EXCEPTION_TYPE,
    Events,
    Ints,
    Spans,
)
from collector.understanding.scrub import readable
from spend.calls import Outcome
from spend.outcomes import error_named, outcome_of, status_told

_ERROR: Final = 2
"""OTLP's status code for a failure."""
_EXCEPTION: Final = b"exception"
_READ: Final = 1000
"""Bytes of a message that are looked at."""

_THROWS: Final = dialects_that(lambda dialect: dialect.exceptions_fail)


@dataclass(frozen=True, slots=True)
class Endings:
    """One row a sighting."""

    outcome: npt.NDArray[np.int16]
    failed: Flags
    exceptions: Mapping[int, str]
    """Sighting -> the name of the error, where only an exception event has it."""
    http_status: Ints
    """0 where unknown."""

    def describe(self, columns: Columns, details: Details) -> None:
        """What is kept of it beside the outcome."""
        told = columns.text("error_type")
        details.texts("error_type", np.where(self.failed, told, ABSENT), columns.texts)
        details.few("error_type", self.exceptions)
        details.whole("http_status", self.http_status, self.failed & (self.http_status > 0))


@lru_cache(maxsize=8192)
def _outcome(failed: bool, http_status: int, error_type: str | None) -> Outcome:
    return outcome_of(failed=failed, http_status=http_status or None, error_type=error_type)


def endings_of(spans: Spans, rows: Ints, columns: Columns, dialect: Ints) -> Endings:
    """How each of the columns' spans ended; ``rows`` are their places in ``spans``.

    ``dialect`` is each one's index in DIALECTS, or -1.
    """
    failed = (spans.status[rows] == _ERROR) | (columns.flag("failed") == 1)
    told = columns.text("error_type")
    numbers = columns.number("http_status")
    sane = np.isfinite(numbers) & (numbers >= 100) & (numbers <= 599)  # noqa: PLR2004 - HTTP's
    http = np.where(sane, np.nan_to_num(numbers), 0).astype(np.int64)
    throws = _THROWS[dialect]
    unnamed = np.flatnonzero((failed | throws) & ((told == ABSENT) | (http == 0)))
    exceptions: dict[int, str] = {}
    if len(unnamed):
        thrown = _thrown(spans, rows, unnamed)
        failed[[row for row in thrown if throws[row]]] = True
        exceptions = _named(thrown, told)
        silent = unnamed[failed[unnamed] & (http[unnamed] == 0)]
        _read_messages(_messages(spans, rows, silent, columns), silent, thrown, http)
    names = told.copy()
    texts = list(columns.texts)
    for row, name in exceptions.items():
        names[row] = len(texts)
        texts.append(name)
    firsts, groups = distinct([failed.astype(np.int64), http, names], len(columns))
    outcomes = np.array(
        [
            _outcome(
                bool(failed[row]),
                int(http[row]),
                texts[names[row]] if names[row] != ABSENT else None,
            )
            for row in firsts.tolist()
        ],
        dtype=np.int16,
    )
    outcome = outcomes[groups]
    return Endings(outcome, outcome != Outcome.OK, exceptions, http)


@dataclass(frozen=True, slots=True)
class _Thrown:
    """An exception that a span recorded."""

    name: str = ""
    message: str = ""


def _named(thrown: Mapping[int, _Thrown], told: Ints) -> dict[int, str]:
    """The names of exceptions, where the span itself names no error."""
    return {
        row: readable(error_named(one.name, one.message).encode())
        for row, one in thrown.items()
        if told[row] == ABSENT and one.name
    }


def _messages(spans: Spans, rows: Ints, silent: Ints, columns: Columns) -> list[str]:
    """What some failed spans say of it, in their status or else in an attribute."""
    statuses = spans.status_message.take(pa.array(rows[silent])).to_pylist()
    told = columns.text("error_message")[silent].tolist()
    return [
        (status or b"")[:_READ].decode("utf-8", "replace")
        or ("" if index == ABSENT else columns.texts[index])
        for status, index in zip(statuses, told, strict=True)
    ]


def _read_messages(
    messages: list[str], silent: Ints, thrown: Mapping[int, _Thrown], http: Ints
) -> None:
    """Fills in the statuses that only a failed span's messages mention."""
    for row, message in zip(silent.tolist(), messages, strict=True):
        own = status_told(message)
        http[row] = own or status_told(thrown[row].message if row in thrown else "") or 0


def _thrown(spans: Spans, rows: Ints, unnamed: Ints) -> dict[int, _Thrown]:
    """The exceptions recorded on some spans, the last one of each."""
    events = spans.events
    if not len(events.span):
        return {}
    row_of_span = np.full(len(spans), ABSENT, dtype=np.int64)
    row_of_span[rows[unnamed]] = unnamed
    thrown = pc.equal(events.name, pa.scalar(_EXCEPTION, pa.binary()))
    row_of_event = np.where(thrown.to_numpy(zero_copy_only=False), row_of_span[events.span], ABSENT)
    mine = row_of_event != ABSENT
    found = {row: _Thrown() for row in row_of_event[mine].tolist()}
    names = _texts_of(events, row_of_event, EXCEPTION_TYPE)
    messages = _texts_of(events, row_of_event, EXCEPTION_MESSAGE)
    return {row: _Thrown(names.get(row, ""), messages.get(row, "")) for row in found}


def _texts_of(events: Events, row_of_event: Ints, key: bytes) -> dict[int, str]:
    """Row -> an attribute of its events; ``row_of_event`` is ABSENT for those of no row."""
    attributes = events.attributes
    if "text" not in attributes.values:
        return {}
    named = pc.equal(attributes.key, pa.scalar(key, pa.binary())).to_numpy(zero_copy_only=False)
    at = np.flatnonzero(named[attributes.said] & (row_of_event[attributes.holder] != ABSENT))
    texts = attributes.values["text"].take(pa.array(attributes.said[at])).to_pylist()
    owners = row_of_event[attributes.holder[at]].tolist()
    return {
        row: (text or b"")[:_READ].decode("utf-8", "replace")
        for row, text in zip(owners, texts, strict=True)
    }
