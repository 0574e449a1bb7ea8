"""What the collector heard, and what became of it: sums of the batches' own accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, cast, func, select, true
from sqlalchemy.orm import Session

from spend.canary import REFUSED
from store.tables.heard import batches


@dataclass(frozen=True, slots=True)
class HeardCounts:
    """Spans: heard = stored + duplicate + not_a_call + refused."""

    heard: int
    stored: int
    duplicate: int
    not_a_call: int
    refused: int
    refused_for: Mapping[str, int]
    """By reason."""
    usage_refused_for: Mapping[str, int]
    """By reason: calls that were kept without their usage."""
    usage_conflicts_for: Mapping[str, int]
    """By emitter and version: calls whose counts contradict what is held of it."""


def refused_in_earnest() -> ColumnElement[int]:
    """How many spans of a batch were refused, but for those that canaries send for that."""
    of_canaries = cast(batches.c.refused_for[REFUSED].astext, BigInteger)
    return batches.c.refused - func.coalesce(of_canaries, 0)


def heard_counts(session: Session, tenant: int, since: datetime) -> HeardCounts:
    """Sums over the batches received at or after ``since``."""
    names = ("heard", "stored", "duplicate", "not_a_call", "refused")
    asked = (batches.c.tenant_id == tenant, batches.c.received_at >= since)
    sums = session.execute(
        select(*(func.coalesce(func.sum(batches.c[name]), 0) for name in names)).where(*asked)
    ).one()

    def by_reason(column: Column[Any]) -> dict[str, int]:
        each = func.jsonb_each_text(column).table_valued("key", "value")
        rows = session.execute(
            select(each.c.key, func.sum(cast(each.c.value, BigInteger)))
            .select_from(batches.join(each, true()))
            .where(*asked, column.is_not(None))
            .group_by(each.c.key)
            .order_by(each.c.key)
        )
        return {reason: int(count) for reason, count in rows}

    return HeardCounts(
        **{name: int(count) for name, count in zip(names, sums, strict=True)},
        refused_for=by_reason(batches.c.refused_for),
        usage_refused_for=by_reason(batches.c.usage_refused_for),
        usage_conflicts_for=by_reason(batches.c.usage_conflicts_for),
    )
