"""The small JSON beside a sighting, written as text for all sightings at once.

Never a prompt, a completion or a tool's argument: only the members below.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from collector.understanding.columns import ABSENT, Columns
from collector.understanding.counts import Flags
from collector.understanding.otlp import Ints

_MOST_ATTEMPTS: Final = 1000


class Details:
    """Members of JSON objects, one object a sighting."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._members: list[pa.StringArray] = []

    def texts(self, name: str, index: Ints, texts: Sequence[str]) -> None:
        """A text on each sighting, as an index in ``texts`` or ABSENT."""
        used = np.unique(index[index != ABSENT])
        if not len(used):
            return
        written = pa.array([_member(name, texts[place]) for place in used], pa.string())
        place = np.searchsorted(used, index)
        self._members.append(written.take(pa.array(place, mask=index == ABSENT)))

    def whole(self, name: str, value: Ints, told: Flags) -> None:
        """A whole number where ``told``."""
        if told.any():
            digits = pa.array(value, mask=~told).cast(pa.string())
            self._members.append(pc.binary_join_element_wise(f',"{name}":', digits, ""))

    def real(self, name: str, value: Any) -> None:
        """A finite number as text ("0.00015"), so that nobody's float comes in; NaN for none."""
        told = np.isfinite(value)
        if told.any():
            digits = pa.array(value, mask=~told).cast(pa.string())
            self._members.append(pc.binary_join_element_wise(f',"{name}":"', digits, '"', ""))

    def flag(self, name: str, told: Flags) -> None:
        """``true`` where ``told``."""
        if told.any():
            written = pa.array([f',"{name}":true'], pa.string())
            places = pa.array(np.zeros(self._rows, dtype=np.int64), mask=~told)
            self._members.append(written.take(places))

    def few(self, name: str, values: Mapping[int, object]) -> None:
        """Values of some sightings only."""
        if values:
            column: list[str | None] = [None] * self._rows
            for row, value in values.items():
                column[row] = _member(name, value)
            self._members.append(pa.array(column, pa.string()))

    def written(self) -> pa.StringArray:
        """The objects, null where there is no member."""
        if not self._members:
            return pa.nulls(self._rows, pa.string())
        # Each member begins with its comma. null_handling="skip" would be shorter, but pyarrow 26
        # leaves out rows that have nothing but nulls.
        body = pc.binary_join_element_wise(
            *self._members, "", null_handling="replace", null_replacement=""
        )
        body = pc.if_else(pc.equal(pc.binary_length(body), 0), None, body)
        return pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(body, 1), "}", "")


def _member(name: str, value: object) -> str:
    return f',"{name}":{orjson.dumps(value).decode()}'


def describe(columns: Columns, details: Details, streamed: Flags) -> None:
    """The members that stand in attributes as they are, and which calls streamed."""
    for name in ("user", "session", "request_id", "finish_reason"):
        if columns.tells(name):
            details.texts(name, columns.text(name), columns.texts)
    if columns.tells("cost_given"):
        details.real("cost_given", columns.number("cost_given"))
    details.flag("streaming", streamed)
    details.flag("cache_hit", columns.flag("cache_hit") == 1)
    if not (columns.tells("resend_count") or columns.tells("attempt")):
        return
    resent, attempt = columns.number("resend_count") + 1, columns.number("attempt")
    attempts = np.nan_to_num(np.fmax(resent, attempt))
    sane = (attempts > 1) & (attempts <= _MOST_ATTEMPTS)
    details.whole("attempts", np.where(sane, attempts, 0).astype(np.int64), sane)
