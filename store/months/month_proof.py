"""Proves that closed months are what they were closed as: recomputes all that was recorded."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.orm import Session

from spend.moments import moment_text
from spend.months.month_proofs import (
    BOUND,
    DAYS,
    HISTORY,
    LEDGER,
    LINK,
    RECORD,
    STATEMENT,
    USAGE,
    Broken,
    Proof,
)
from spend.months.month_records import (
    FIELDS,
    FORMAT,
    act_fields,
    calendar_fields,
    canonical,
    sha256_of,
    statement_lines,
)
from spend.months.months import CLOSE, CLOSED, LedgerMonth, MonthAct
from store import closing
from store.months import months
from store.months.month_closing import books_of
from store.months.month_lines import BookedLines, Told
from store.spending import days
from store.spending.booked import booked
from store.tables.ledger import charges, usage_lines


def prove(session: Session, tenant: int, *, told: Told | None = None) -> Iterator[Proof]:
    """Goes through all closed months in order, on one snapshot, and then through what is gone."""
    held = [each for each in months.held(session, tenant) if each.state == CLOSED]
    acts = months.acts(session, tenant)
    before: LedgerMonth | None = None
    for month in held:
        record, lines = _read(month), 0
        broken = [*_record(month, record), *_link(month, record, before)]
        # What is told by a record that is none of ours is worth no comparison.
        if record is not None and all(each.part != RECORD for each in broken):
            broken += _history(month, record, acts.get(month.name, ()))
            lines, found = _Books(session, tenant, month, record).compared(told)
            broken += found
        if month is held[-1]:
            broken += _bound(session, tenant, month)
        yield Proof(month.name, month.hash, lines, broken)
        before = month
    for name in _lost(held, acts):
        said = "it was closed, and its record is gone"
        yield Proof(name, None, 0, [Broken(name, RECORD, said)])


def _read(month: LedgerMonth) -> dict[str, Any] | None:
    """What its record says; None: it is none."""
    try:
        record = json.loads(month.record or "")
    except ValueError:
        return None
    is_ours = isinstance(record, dict) and record.get("format") == FORMAT
    return record if is_ours and record.keys() == FIELDS else None


def _record(month: LedgerMonth, record: Mapping[str, Any] | None) -> Iterator[Broken]:
    if sha256_of(month.record or "") != month.hash:
        yield Broken(month.name, RECORD, "its text is not what the hash was made of")
    if record is None:
        yield Broken(month.name, RECORD, "it cannot be read")
        return
    row = {
        "month": month.name,
        "starts": moment_text(month.period.start),
        "ends": moment_text(month.period.end),
        "calendar": calendar_fields(month.calendar),
    }
    other = [name for name, value in row.items() if record.get(name) != value]
    if other:
        yield Broken(month.name, RECORD, f"the month has another {', '.join(other)} now")


def _link(
    month: LedgerMonth, record: Mapping[str, Any] | None, before: LedgerMonth | None
) -> Iterator[Broken]:
    if record is not None and record.get("previous") != (before.hash if before else None):
        named = f"of {before.name}, which is before it" if before else "of a month before it"
        yield Broken(month.name, LINK, f"it names another record than that {named}")
    if before is not None and before.period.end != month.period.start:
        yield Broken(month.name, LINK, f"it does not begin where {before.name} ends")


def _history(
    month: LedgerMonth, record: Mapping[str, Any], acts: Sequence[MonthAct]
) -> Iterator[Broken]:
    if canonical([act_fields(act) for act in acts]) != canonical(record.get("acts")):
        yield Broken(month.name, HISTORY, "who did what with it is not what was recorded")


def _bound(session: Session, tenant: int, last: LedgerMonth) -> Iterator[Broken]:
    open_from = closing.open_from(session, tenant)
    if open_from is None or open_from < last.period.end:
        yield Broken(last.name, BOUND, "the ledger is open before it ends")


def _lost(held: Sequence[LedgerMonth], acts: Mapping[str, Sequence[MonthAct]]) -> list[str]:
    there = {month.name for month in held}
    closed = (name for name, done in acts.items() if any(act.act == CLOSE for act in done))
    return [name for name in closed if name not in there]


class _Books:
    """What stands in a closed month's books, beside what was recorded."""

    def __init__(
        self, session: Session, tenant: int, month: LedgerMonth, record: Mapping[str, Any]
    ) -> None:
        self._asked = (session, tenant)
        self._month = month
        self._record = record

    def compared(self, told: Told | None) -> tuple[int, list[Broken]]:
        """How many lines were read, and what is different."""
        found = []
        count = 0
        for table, part in ((charges, LEDGER), (usage_lines, USAGE)):
            lines, broken = self._lines(table, part, told)
            count += lines
            found += broken
        return count, [*found, *self._statement()]

    def _lines(self, table: Table, part: str, told: Told | None) -> tuple[int, list[Broken]]:
        recorded = self._record["ledger" if part == LEDGER else "usage"]
        books = books_of(self._month, first=self._record["previous"] is None)
        try:
            reading = BookedLines(table, books, recorded["columns"])
        except KeyError as unknown:
            return 0, [self._broken(part, f"they have no column {unknown} any more")]
        reading.read(*self._asked, told=told)
        lines = reading.found()
        if lines.lines != recorded["lines"]:
            said = f"{lines.lines:,} lines where {recorded['lines']:,} were recorded"
            return lines.lines, [self._broken(part, said)]
        if lines.sha256 != recorded["sha256"]:
            return lines.lines, [self._broken(part, f"of {lines.lines:,} lines some were changed")]
        return lines.lines, []

    def _statement(self) -> Iterator[Broken]:
        at = datetime.fromisoformat(self._record["acts"][-1]["at"])
        as_closed = booked(*self._asked, self._month.period, as_known_at=at)
        if statement_lines(as_closed).sha256 != self._record["statement"]["sha256"]:
            yield self._broken(STATEMENT, "it says something else than was recorded")
        shown = booked(*self._asked, self._month.period, named_at=at)
        are_sums = days.add_up_to_months(*self._asked, self._month.period)
        if not are_sums or statement_lines(shown) != statement_lines(as_closed):
            yield self._broken(DAYS, "they do not add up to the lines")

    def _broken(self, part: str, said: str) -> Broken:
        return Broken(self._month.name, part, said)
