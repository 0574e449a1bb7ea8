"""What if these calls had gone elsewhere: read, rated and put together. Nothing is written."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from spend import money
from spend.capacity.what_if import (
    Answer,
    Here,
    Key,
    Rated,
    Rater,
    ToApi,
    ToPool,
    Traffic,
    WhatIf,
    all_of,
)
from spend.capacity.what_if_pool import on_pool
from spend.capacity.what_if_terms import assumptions
from spend.periods import Period
from spend.prices.prices import PriceBook
from spend.prices.volume_steps import month_of, next_month
from spend.totals import together
from store.breakdowns.dimensions import Question
from store.capacity.pool_economics import book_of
from store.capacity.pool_use import runs_on
from store.capacity.what_if_calls import here, traffic
from store.capacity.what_if_pool import coming, load_of


def what_if(
    session: Session,
    question: Question,
    tenant: int,
    targets: Sequence[ToApi | ToPool],
    *,
    currency: str,
    now: datetime,
) -> WhatIf:
    """The calls of a question, and what they would have cost on each target, in ``currency``.

    A pool would have run until ``now`` at most. TargetRefusedError for a model that the price book
    has no line of; TooManyRowsError.
    """
    found, elsewhere = here(session, question, tenant, currency=currency, now=now)
    apis = [each for each in targets if isinstance(each, ToApi)]
    pools = {each.pool.id: each.pool for each in targets if isinstance(each, ToPool)}
    book = book_of(session, tenant, [each.target for each in apis], currency=currency)
    changes = {
        moment
        for each in apis
        if each.prices_at is None
        for moment in book.changes(each.target.route).moments
    }
    changes.update(_months(question.period))
    ran = {id_: runs_on(session, tenant, pool) for id_, pool in pools.items()}
    calls = list(traffic(session, question, tenant, sorted(changes), ran))
    answers = []
    for each in targets:
        if isinstance(each, ToApi):
            answers.append(_on_api(book, each, [call for call, _ran in calls]))
        else:
            id_ = each.pool.id
            load = load_of(session, tenant, each.pool, question.period, now)
            more = coming(session, question, tenant, ran[id_])
            used = [(call, flags[id_]) for call, flags in calls]
            answers.append(on_pool(each, load, more, used))
    whole = Here(
        together([each.totals for each in found.values()]),
        money.total([each.idle_cost for each in found.values()]),
    )
    return WhatIf(found, whole, tuple(answers), elsewhere)


def _on_api(book: PriceBook, asked: ToApi, calls: Sequence[Traffic]) -> Answer:
    rater = Rater(book, asked)
    groups: dict[Key, list[Rated]] = defaultdict(list)
    for each, rated in zip(calls, rater.rated(calls), strict=True):
        groups[each.key].append(rated)
    by_group = {key: all_of(alike) for key, alike in groups.items()}
    notes = (*assumptions(asked.terms), *rater.notes())
    return Answer(asked.target.name, by_group, all_of(by_group.values()), notes)


def _months(period: Period) -> Iterator[datetime]:
    """The months of UTC that begin in a period: volumes are counted by them."""
    month = next_month(month_of(period.start))
    while month < period.end:
        yield month
        month = next_month(month)
