"""How each sighting ended: one decision for each distinct combination of what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from collector.understanding.columns import ABSENT, Columns
from collector.understanding.details import Details
from collector.understanding.distinct import distinct
from collector.understanding.otlp import Ints, Spans
from collector.understanding.scrub import readable
from collector.understanding.usage import Flags
from spend.calls import Outcome
from spend.outcomes import outcome_of, status_told

_ERROR: Final = 2
"""OTLP's status code for a failure."""
_EXCEPTION: Final = b"exception"
_EXCEPTION_TYPE: Final = b"exception.type"


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


def endings_of(spans: Spans, rows: Ints, columns: Columns) -> Endings:
    """How each of the columns' spans ended; ``rows`` are their places in ``spans``."""
    failed = spans.status[rows] == _ERROR
    told = columns.text("error_type")
    numbers = columns.number("http_status")
    sane = np.isfinite(numbers) & (numbers >= 100) & (numbers <= 599)  # noqa: PLR2004 - HTTP's
    http = np.where(sane, np.nan_to_num(numbers), 0).astype(np.int64)
    unnamed = np.flatnonzero(failed & ((told == ABSENT) | (http == 0)))
    exceptions: dict[int, str] = {}
    if len(unnamed):
        silent = unnamed[told[unnamed] == ABSENT]
        exceptions = _exceptions(spans, rows, silent)
        _read_messages(spans, rows, unnamed[http[unnamed] == 0], http)
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


def _read_messages(spans: Spans, rows: Ints, silent: Ints, http: Ints) -> None:
    """Fills in the statuses that only a failed span's message mentions."""
    messages = spans.status_message.take(pa.array(rows[silent]))
    for row, message in zip(silent.tolist(), messages.to_pylist(), strict=True):
        http[row] = status_told((message or b"")[:1000].decode("utf-8", "replace")) or 0


def _exceptions(spans: Spans, rows: Ints, silent: Ints) -> dict[int, str]:
    """Names of the exceptions recorded on some failed spans, the last one of each."""
    events = spans.events
    if not len(silent) or not len(events.span):
        return {}
    row_of_span = np.full(len(spans), ABSENT, dtype=np.int64)
    row_of_span[rows[silent]] = silent
    thrown = pc.equal(events.name, pa.scalar(_EXCEPTION, pa.binary()))
    row_of_event = np.where(thrown.to_numpy(zero_copy_only=False), row_of_span[events.span], ABSENT)
    attributes = events.attributes
    typed = pc.equal(attributes.key, pa.scalar(_EXCEPTION_TYPE, pa.binary()))
    at = np.flatnonzero(
        typed.to_numpy(zero_copy_only=False) & (row_of_event[attributes.holder] != ABSENT)
    )
    if not len(at) or "text" not in attributes.values:
        return {}
    names = attributes.values["text"].take(pa.array(at)).to_pylist()
    owners = row_of_event[attributes.holder[at]].tolist()
    return {row: readable(name) for row, name in zip(owners, names, strict=True) if name}
