"""What of a bill is compared with what of the ledger: as finely as both tell things apart."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spend.meters import METERS, TOKENS
from spend.prices.prices import tier_of
from spend.reconciliation.billed_models import same_models
from spend.reconciliation.bills import USAGE
from spend.reconciliation.variance import Billed, Estimated


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One thing that is compared; what the bill or we do not tell is ''."""

    model: str = ""
    meter: str = ""
    region: str = ""
    service_tier: str = ""
    description: str = ""
    """Of what a bill has for no model, while it has models."""


STANDARD: Final = "standard"
_OF_TOKENS: Final = "token"
_UNITS: Final = {meter.name: meter.unit for meter in METERS}
_PLAIN: Final = re.compile(r"[^a-z0-9]+")
# Who does not say how long a cache entry lives is charged the shorter time.
_ALIKE: Final = {"cache_write": "cache_write_5m"}


@dataclass(frozen=True, slots=True)
class _Grain:
    """What of a model is told apart."""

    meter: bool
    region: bool
    tier: bool


class Keys:
    """Finds what each row of a bill and of the ledger is compared under.

    A model is compared by its meters if each line of it on the bill has one; by regions or service
    tiers if both sides tell them throughout, and in the same words. What a bill has for no model
    but with a meter, such as tool calls, is compared with that meter of all models. A bill that
    names no model at all is compared as a whole.
    """

    def __init__(self, estimated: Sequence[Estimated], billed: Sequence[Billed]) -> None:
        usage = [each for each in billed if each.kind == USAGE]
        self.by_model = any(each.model for each in usage)
        self._of_any_model = {each.meter for each in usage if each.meter and not each.model}
        if not self.by_model:
            self._of_any_model = set()
        self._names = same_models(_named(estimated), _named(usage))
        ours, theirs = defaultdict(list), defaultdict(list)
        for row in estimated:
            ours[self._model(row.model)].append(row)
        for line in usage:
            theirs[self._model(line.model)].append(line)
        self._grains = {
            model: _grain(ours.get(model, ()), theirs.get(model, ()))
            for model in ours.keys() | theirs.keys()
        }

    @property
    def names(self) -> Mapping[str, str]:
        """A model as either side calls it -> as it is compared; empty: as a whole."""
        return self._names if self.by_model else {}

    def of(self, row: Estimated | Billed) -> Key:
        """Of usage."""
        if row.meter in self._of_any_model:
            return Key(meter=_meter(row.meter))
        model = self._model(row.model)
        if self.by_model and not model and isinstance(row, Billed):
            return Key(description=row.description or "")
        grain = self._grains[model]
        return Key(
            model,
            _meter(row.meter) if grain.meter else "",
            _region(row.region) if grain.region else "",
            (_tier(row.service_tier) or STANDARD) if grain.tier else "",
        )

    def counts(self, row: Estimated | Billed) -> bool:
        """Whether its quantity adds to those of its key, where it tells one."""
        if row.quantity is None:
            return False
        if row.meter in self._of_any_model:
            return True
        if self._grains[self._model(row.model)].meter and row.meter:
            return True
        if isinstance(row, Billed) and row.meter is None:
            return row.unit == _OF_TOKENS
        return row.meter in TOKENS

    def _model(self, model: str | None) -> str:
        return self._names.get(model or "", "") if self.by_model else ""


def unit_told(line: Billed) -> str | None:
    """What a line of a bill counts."""
    return _UNITS.get(line.meter, line.unit) if line.meter else line.unit


def _named(rows: Iterable[Estimated | Billed]) -> set[tuple[str, str | None]]:
    return {(row.model, row.listed) for row in rows if row.model}


def _grain(ours: Sequence[Estimated], theirs: Sequence[Billed]) -> _Grain:
    return _Grain(
        meter=all(each.meter for each in theirs),
        region=_both_tell(
            {_region(each.region) for each in ours}, {_region(each.region) for each in theirs}
        ),
        tier=_tiers_apart(
            {_tier(each.service_tier) for each in ours},
            {_tier(each.service_tier) for each in theirs},
        ),
    )


def _tiers_apart(ours: set[str], theirs: set[str]) -> bool:
    if _both_tell(ours, theirs):
        return True
    # Who tells of batches alone does not name the usual tier.
    usual = [{tier or STANDARD for tier in side} for side in (ours, theirs)]
    return usual[0] == usual[1] and len(usual[0]) > 1


def _both_tell(ours: set[str], theirs: set[str]) -> bool:
    return "" not in ours | theirs and bool(ours & theirs)


def _meter(meter: str | None) -> str:
    return _ALIKE.get(meter or "", meter or "")


def _region(region: str | None) -> str:
    return _PLAIN.sub("", (region or "").lower())


def _tier(service_tier: str | None) -> str:
    return (tier_of(service_tier) or STANDARD) if service_tier else ""
