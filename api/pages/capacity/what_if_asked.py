"""What the page of what-if is asked: which calls, where to, and what is assumed on the way."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from api.auth import whole_ledger
from api.capacity.what_if_shapes import WhatIfAsked, targets_of
from api.grouping import Asked, checked, too_many_rows, wrong
from api.pages.asked import Text
from api.pages.ranges import Range, RangeAsked
from api.pages.visitor import Visitor
from api.problems import Problem
from spend.capacity.pools import Pool
from spend.capacity.targets import TargetRefusedError
from spend.capacity.what_if import WhatIf
from spend.moments import moment_text
from spend.slots import slot_of
from store.breakdowns.grouping import TooManyRowsError
from store.capacity.what_if import what_if

FILTERS: Final = ("team", "service", "provider", "model")
GROUPS: Final = (
    ("team", "Team"),
    ("model", "Model"),
    ("provider", "Provider"),
    ("service", "Service"),
    ("feature", "Feature"),
    ("customer", "Customer"),
)
TIERS: Final = (
    ("", "As the calls had it"),
    ("batch", "Batch"),
    ("flex", "Flex"),
    ("priority", "Priority"),
)
MOST_TARGETS: Final = 4
_UNPROCESSABLE: Final = 422


class WhatIfPageAsked(RangeAsked):
    """Calls, a place for them, and assumptions; empty: not said."""

    team: Text | None = None
    service: Text | None = None
    provider: Text | None = None
    model: Text | None = None
    by: Literal["team", "model", "provider", "service", "feature", "customer"] = "team"
    target: Annotated[list[Text], Field(default_factory=list, max_length=MOST_TARGETS)]
    pool: Text | None = None
    tier: Text | None = None
    region: Text | None = None
    prices: Annotated[Literal["own", "now"], Field(description="Of their own time, or now.")] = (
        "own"
    )
    tokenizer: Text | None = None
    tokenizer_low: Text | None = None
    tokenizer_high: Text | None = None
    output: Text | None = None
    cache: Literal["kept", "lost"] = "kept"
    cache_change: Text | None = None

    @property
    def targets(self) -> list[str]:
        """Models that were named, each once."""
        return list(dict.fromkeys(each.strip() for each in self.target if each.strip()))

    @property
    def is_asked(self) -> bool:
        """Whether there is anywhere to go."""
        return bool(self.targets or self.pool)

    @property
    def assumes(self) -> bool:
        """Whether anything but the plain question was said."""
        factors = (self.tokenizer, self.tokenizer_low, self.tokenizer_high, self.output)
        said = any((*factors, self.cache_change, self.region))
        return said or self.cache == "lost" or self.prices == "now"


@dataclass(frozen=True, slots=True)
class Asking:
    """The question of an address: its answer, or what is wrong with it and in which field."""

    asked: Asked | None
    found: WhatIf | None
    field: str | None = None
    problem: str | None = None


def answered(
    session: Session,
    tenant: int,
    visitor: Visitor,
    query: WhatIfPageAsked,
    time: Range,
    pools: list[Pool],
) -> Asking:
    """What POST /v1/what-if answers to the same question. Problem 403 for pools and other teams."""
    if query.pool:
        whole_ledger(visitor.caller)
    try:
        body = _body(query, visitor, time)
        asked = checked(body, default_zone=visitor.zone, now=visitor.now, caller=visitor.caller)
        targets = targets_of(body, pools)
        found = what_if(
            session,
            asked.question,
            tenant,
            targets,
            currency=visitor.currency,
            now=visitor.now,
        )
    except TargetRefusedError as refused:
        return Asking(None, None, "target", str(refused))
    except TooManyRowsError:
        return Asking(None, None, "by", too_many_rows().detail)
    except Problem as refused:
        if refused.status != _UNPROCESSABLE:
            raise
        return Asking(None, None, _field(refused.field), refused.detail)
    return Asking(asked, found)


def _body(query: WhatIfPageAsked, visitor: Visitor, time: Range) -> WhatIfAsked:
    terms = {
        "tokenizer": query.tokenizer or "1",
        "tokenizer_low": query.tokenizer_low,
        "tokenizer_high": query.tokenizer_high,
        "output": query.output or "1",
        "keeps_cache": query.cache == "kept",
        "cache_hit_change": query.cache_change or "0",
    }
    prices_at = moment_text(slot_of(visitor.now)) if query.prices == "now" else None
    of_api = {"service_tier": query.tier, "region": query.region, "prices_at": prices_at}
    targets: list[dict[str, Any]] = [{"to": to, **terms, **of_api} for to in query.targets]
    if query.pool:
        targets.append({"pool": query.pool, **terms})
    if not targets:
        raise wrong("target", "say where the calls are thought to go")
    filters = {name: [value] for name in FILTERS if (value := getattr(query, name))}
    said = {
        "from": time.start,
        "to": time.end,
        "timezone": visitor.zone.key,
        "group_by": [query.by],
        "targets": targets,
        **filters,
    }
    return WhatIfAsked.model_validate(said)


def _field(name: str | None) -> str:
    """The form's field for one of the API's: targets.0.tokenizer is tokenizer."""
    last = (name or "").rpartition(".")[2]
    return {
        "to": "target",
        "cache_hit_change": "cache_change",
        "keeps_cache": "cache",
        "service_tier": "tier",
        "prices_at": "prices",
        "group_by": "by",
    }.get(last, last or "target")
