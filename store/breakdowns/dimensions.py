"""What spend can be asked by, and how each of them is found in SQL.

Owners and routes are dictionaries: filters pick ids from them, and answers join them last, after
the rows of a cell or a charge have been added up by id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, or_, select

from spend.periods import Period, day_period, month_period, parse_month
from store.breakdowns.booked_time import booked_in, within
from store.breakdowns.shown_routes import shown_routes
from store.tables.heard import owners

TIMED: Final = ("day", "month")
OWNED: Final = ("team", "project", "service", "environment", "feature", "customer")
ROUTED: Final = ("provider", "model", "request_model", "operation", "deployment", "region")
DIMENSIONS: Final = (*TIMED, *OWNED, *ROUTED)

NOT_SAID: Final = ""
"""As the value of a filter: rows that have no value there."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a period, cut by days or months of a zone, filtered and grouped.

    ``filters`` gives for a dimension the values that are let through; ``day`` and ``month`` may be
    among them (``'2026-10-31'``, ``'2026-10'``), cut in ``zone`` too.
    """

    period: Period
    zone: ZoneInfo
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    billing: bool = False
    """Whether lines of the ledger are in the period that they are booked in, not in their slot's;
    days and months likewise."""
    as_known_at: datetime | None = None
    """A moment (UTC), after ``waiting.until_nobody_posts``: of the ledger's lines those that were
    posted by then, with the names of then. None: all."""


def conditions(
    question: Question,
    tenant: int,
    rows: FromClause,
    moment: ColumnElement[datetime],
    who: ColumnElement[int],
) -> list[ColumnElement[bool]]:
    """Which of ``rows`` (which has tenant_id, route_id) are asked about; ``who`` pays for them."""

    def is_in(period: Period) -> ColumnElement[bool]:
        return booked_in(rows, period) if is_booked(question, rows) else within(moment, period)

    asked = [rows.c.tenant_id == tenant, is_in(question.period)]
    if question.as_known_at is not None and "posted_at" in rows.c:
        asked.append(rows.c.posted_at <= question.as_known_at)
    for name in TIMED:
        if values := question.filters.get(name):
            pieces = [named_period(name, value, question.zone) for value in values]
            asked.append(or_(*map(is_in, pieces)))
    asked += fitting(question.filters, tenant, rows, who, known_at=question.as_known_at)
    return asked


def fitting(
    filters: Mapping[str, tuple[str, ...]],
    tenant: int,
    rows: FromClause,
    who: ColumnElement[int],
    *,
    known_at: datetime | None = None,
) -> list[ColumnElement[bool]]:
    """Which of ``rows`` fit a filter on OWNED and ROUTED; ``who`` pays for them."""
    asked: list[ColumnElement[bool]] = []
    for dictionary, names, column in (
        (owners, OWNED, who),
        (shown_routes(tenant, known_at), ROUTED, rows.c.route_id),
    ):
        wanted = [_one_of(dictionary.c[name], filters[name]) for name in names if filters.get(name)]
        if wanted:
            ids = select(dictionary.c.id).where(dictionary.c.tenant_id == tenant, *wanted)
            asked.append(column.in_(ids))
    return asked


def is_booked(question: Question, rows: FromClause) -> bool:
    """Whether the question looks at when ``rows`` are booked."""
    return question.billing and "booked_slot" in rows.c


def named_period(name: str, value: str, zone: ZoneInfo) -> Period:
    """The local day ``2026-10-31`` or month ``2026-10`` of a filter.

    ValueError if it is neither, as the name says.
    """
    if name == "month":
        return month_period(parse_month(value), zone)
    day = date.fromisoformat(value)
    return day_period(day, zone)


def _one_of(column: ColumnElement[Any], values: tuple[str, ...]) -> ColumnElement[bool]:
    said = [value for value in values if value != NOT_SAID]
    found = column.in_(said)
    return found if len(said) == len(values) else column.is_(None) | found
