"""How groups of calls went and what they cost, with the time before beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal

from sqlalchemy.orm import Session

from api.grouping import too_many_rows
from api.pages.asked import Text
from api.pages.recent_time import Lately, LatelyAsked
from api.pages.visitor import Visitor
from spend.performance import Performance, percentiles_ms
from spend.performance import together as all_calls
from spend.periods import Period
from spend.totals import Totals
from spend.totals import together as all_money
from store.breakdowns.dimensions import Question
from store.breakdowns.grouping import Key, TooManyRowsError
from store.conversion import Conversion
from store.spending.performance_by import performance_by
from store.spending.spend_by import Spent, spend_by, spend_by_days

MODEL: Final = ("provider", "model", "deployment")
FILTERS: Final = ("team", "service", "feature", "provider", "model", "operation")
_MILLION: Final = 1_000_000
_FEW_LINES: Final = timedelta(hours=6)


class PerformanceAsked(LatelyAsked):
    """Which calls."""

    team: Text | None = None
    service: Text | None = None
    feature: Text | None = None
    provider: Text | None = None
    model: Text | None = None
    operation: Text | None = None
    deployment: Literal["api", "hosted-open", "self-hosted"] | None = None

    @property
    def filters(self) -> dict[str, tuple[str, ...]]:
        """As a question has them."""
        told = ((name, getattr(self, name)) for name in (*FILTERS, "deployment"))
        return {name: (said,) for name, said in told if said is not None}


@dataclass(frozen=True, slots=True)
class Group:
    """A group of calls."""

    key: Key
    went: Performance
    spent: Totals

    def latency(self, share: str) -> float | None:
        """A percentile (``p50`` …), milliseconds."""
        return percentiles_ms(self.went.latency)[share]

    def ttft(self, share: str) -> float | None:
        """Likewise until the first token."""
        return percentiles_ms(self.went.ttft)[share]

    @property
    def error_rate(self) -> float | None:
        """The share of calls that did not end well."""
        return self.went.errors / self.went.calls if self.went.calls else None

    @property
    def cost_per_call(self) -> Decimal | None:
        """Of calls whose cost is known."""
        priced = self.spent.calls - self.spent.unpriced_calls - self.spent.waiting_calls
        if self.spent.cost is None or priced <= 0:
            return None
        return self.spent.cost / priced

    @property
    def cost_per_million(self) -> Decimal | None:
        """Of tokens whose cost is known, caches included."""
        tokens = self.spent.tokens - self.spent.unpriced_tokens
        if self.spent.cost is None or tokens <= 0:
            return None
        return self.spent.cost * _MILLION / tokens


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups of a time that have calls, the most calls first."""

    rows: Sequence[Group]

    @property
    def whole(self) -> Group:
        """All of them as one."""
        return Group(
            (),
            all_calls(each.went for each in self.rows),
            all_money(each.spent for each in self.rows),
        )

    @property
    def by_key(self) -> Mapping[Key, Group]:
        """Each by its key."""
        return {each.key: each for each in self.rows}


def groups(
    session: Session,
    tenant: int,
    visitor: Visitor,
    period: Period,
    *group_by: str,
    filters: Mapping[str, tuple[str, ...]],
) -> Groups:
    """Groups of the calls that the visitor may see. Problem 422 for too many."""
    question = visitor.question(period, *group_by, filters=filters)
    try:
        went = performance_by(session, question, tenant)
        spent = spent_by(period)(session, question, tenant, visitor.conversion).groups
    except TooManyRowsError:
        raise too_many_rows() from None
    found = [Group(key, each, spent.get(key, Totals())) for key, each in went.items()]
    return Groups(sorted(found, key=lambda each: (-each.went.calls, [k or "" for k in each.key])))


def spent_by(period: Period) -> Callable[[Session, Question, int, Conversion], Spent]:
    """What tells the same sooner: sums of days take their time where there are few lines."""
    return spend_by_days if period.end - period.start > _FEW_LINES else spend_by


def over_time(
    session: Session, tenant: int, visitor: Visitor, time: Lately, asked: PerformanceAsked
) -> dict[str, Performance]:
    """How calls went in each piece of a time, by the piece's name."""
    question = visitor.question(time.period, time.piece, filters=asked.filters)
    try:
        found = performance_by(session, question, tenant)
    except TooManyRowsError:
        raise too_many_rows() from None
    return {key[0] or "": each for key, each in found.items()}


def shared(query: PerformanceAsked, time: Lately) -> dict[str, str]:
    """What the other views of performance are asked with too."""
    told = {name: said[0] for name, said in query.filters.items()}
    return time.asked | told
