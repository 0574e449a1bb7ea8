"""What the pages of one pool share: which pool, over which time, its head and its tabs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request
from sqlalchemy.orm import Session

from api.pages.capacity.capacity_board import models_told
from api.pages.links import elsewhere
from api.pages.ranges import Range, RangeAsked, days_of, name_of, range_of
from api.pages.visitor import Visitor
from api.problems import Problem
from spend.capacity.pools import Pool
from spend.moments import moment_text
from store.capacity import pool_board, pools
from store.completeness import complete_until

VIEWS = (("", "Overview"), ("/hours", "Hours"), ("/costs", "What it costs"))


@dataclass(frozen=True, slots=True)
class PoolShown:
    """One pool over a range."""

    pool: Pool
    models: frozenset[str]
    asked: Range
    days: Sequence[date]
    every: Sequence[Pool]

    @property
    def file(self) -> str:
        """For names of files."""
        return f"pool-{self.pool.id}-{self.asked.file}"


def pool_shown(
    session: Session, tenant: int, visitor: Visitor, query: RangeAsked, pool_id: int
) -> PoolShown:
    """The pool of a page. Problem 403, 404, 422."""
    visitor.whole_ledger()
    every = pools.all_pools(session, tenant)
    pool = next((each for each in every if each.id == pool_id), None)
    if pool is None:
        raise Problem(404, "There is no such pool", f"No pool has the id {pool_id}.")
    asked = range_of(visitor, query)
    models = pool_board.models_of(session, tenant, [pool])[pool.id]
    return PoolShown(pool, models, asked, days_of(asked, visitor.zone), every)


def head(
    request: Request, session: Session, visitor: Visitor, shown: PoolShown, view: str
) -> dict[str, Any]:
    """What the frame of a pool's page says, for its template."""
    pool, told = shown.pool, visitor.formats
    place = f"/capacity/{pool.id}"
    time = shown.asked.asked
    return {
        "title": pool.name,
        "pool": pool,
        "asked": shown.asked,
        "name": name_of(shown.asked, visitor),
        "models": models_told(shown.models),
        "state": state_of(pool, visitor),
        "since": told.when(pool.valid_from),
        "complete": complete_until(session),
        "views": [
            (elsewhere(request, f"{place}{end}", **time), name, end == view) for end, name in VIEWS
        ],
        "exact_until": None if pool.charged_to is None else moment_text(pool.charged_to),
    }


def state_of(pool: Pool, visitor: Visitor) -> tuple[str, str]:
    """Whether a pool is paid for now, in a word and a tone."""
    if pool.valid_from > visitor.now:
        return "to come", ""
    if pool.valid_to is not None and pool.valid_to <= visitor.now:
        return "ended", ""
    return ("in force", "good") if pool.charged_to is not None else ("being posted", "warn")
