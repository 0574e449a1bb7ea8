"""Lists traces: the latest, the slowest or the largest of a time that is bounded by its calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from spend.calls import Outcome
from spend.meters import INPUTS
from spend.periods import Period
from store.breakdowns.booked_time import within
from store.breakdowns.dimensions import Question, fitting
from store.calls.call_pages import calls_of, windows
from store.ownership import payers
from store.tables.rollups import cells
from store.twins.links import microseconds

ENOUGH: Final = 5_000
"""Calls that fit: further back nobody looks for a trace by its time."""
MOST_READ: Final = 30_000
"""Calls, also of those that do not fit, that are read to find them."""


@dataclass(frozen=True, slots=True)
class ListedTrace:
    """A trace by those of its calls that fit."""

    trace_id: UUID
    start_at: datetime
    last_at: datetime
    """When its last call began."""
    took_us: int
    """From the start of the first call to the end of the last."""
    calls: int
    errors: int
    input: int
    """Tokens, caches included."""
    output: int


@dataclass(frozen=True, slots=True)
class Looked:
    """The time that is looked into."""

    period: Period
    calls: int
    """Those that fit, as far as they are rolled up."""
    is_cut: bool
    """Whether what was asked begins earlier, and is not looked into."""


def looked_into(session: Session, question: Question, tenant: int, *, failed: bool) -> Looked:
    """The latest part of a question's time that has enough calls, by the rollups.

    A list reads sightings, so its time is bounded by how many there are.
    """
    start, fit, read = question.period.end, 0, 0
    for window in windows(question.period):
        start = window.start
        all_of_it, fitting_ones = _counted(session, question, tenant, window, failed=failed)
        read, fit = read + all_of_it, fit + fitting_ones
        if fit >= ENOUGH or read >= MOST_READ:
            break
    period = Period(start, question.period.end)
    return Looked(period, fit, is_cut=start > question.period.start)


def traces(
    session: Session, question: Question, tenant: int, *, order: str, failed: bool, at_most: int
) -> list[ListedTrace]:
    """Traces of the question's calls; read from sightings, so of a short time.

    By ``order``: latest, slowest, calls (most first), or work: tokens read, and four times those
    written.
    """
    calls = calls_of(session, question, tenant)
    figures = _figures(calls)
    asked = select(calls.c.trace_id, *(each.label(name) for name, each in figures.items()))
    asked = asked.group_by(calls.c.trace_id)
    if failed:
        asked = asked.having(figures["errors"] > 0)
    by = {
        "latest": figures["last_at"],
        "slowest": figures["took_us"],
        "work": figures["input"] + 4 * figures["output"],
        "calls": figures["calls"],
    }[order]
    rows = session.execute(asked.order_by(by.desc(), calls.c.trace_id).limit(at_most))
    return [
        ListedTrace(
            **{name: _whole(value) for name, value in row._mapping.items()}  # noqa: SLF001 - public
        )
        for row in rows
    ]


def _figures(calls: Subquery) -> Mapping[str, ColumnElement[Any]]:
    ends = microseconds(calls.c.start_at) + func.coalesce(calls.c.duration_us, 0)
    prompt: ColumnElement[int] = func.coalesce(calls.c[INPUTS[0]], 0)
    for name in INPUTS[1:]:
        prompt += func.coalesce(calls.c[name], 0)
    return {
        "start_at": func.min(calls.c.start_at),
        "last_at": func.max(calls.c.start_at),
        "took_us": func.max(ends) - func.min(microseconds(calls.c.start_at)),
        "calls": func.count(),
        "errors": func.sum(case((calls.c.outcome != Outcome.OK, 1), else_=0)),
        "input": func.sum(prompt),
        "output": func.sum(func.coalesce(calls.c.output, 0)),
    }


def _whole(value: Any) -> Any:
    return value if isinstance(value, datetime | UUID) else int(value)


def _counted(
    session: Session, question: Question, tenant: int, window: Period, *, failed: bool
) -> tuple[int, int]:
    """All calls of a time, and those that fit."""
    source, payer = payers.joined(session, tenant, cells, cells.c.slot)
    fits = fitting(question.filters, tenant, cells, payer)
    if failed:
        fits.append(cells.c.outcome != Outcome.OK)
    every = func.sum(cells.c.calls)
    row = session.execute(
        select(every, func.sum(case((and_(*fits), cells.c.calls), else_=0)) if fits else every)
        .select_from(source)
        .where(cells.c.tenant_id == tenant, within(cells.c.slot, window))
    ).one()
    return int(row[0] or 0), int(row[1] or 0)
