"""How much of what is billed was heard: in tokens, or in money where a bill tells no tokens."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import reduce
from typing import Final

from spend.meters import TOKENS
from spend.periods import Period
from spend.reconciliation.billed_keys import Keys, unit_told
from spend.reconciliation.billed_parts import within
from spend.reconciliation.bills import USAGE
from spend.reconciliation.variance import Billed, Compared, Coverage, Estimated

BY_TOKENS: Final = "token"
BY_MONEY: Final = "money"
_NOTHING: Final = Decimal(0)
_NO_TOKENS: Final = Coverage(_NOTHING, _NOTHING, BY_TOKENS)
_NO_MONEY: Final = Coverage(_NOTHING, _NOTHING, BY_MONEY)


def coverage_by_model(
    keys: Keys,
    estimated: Iterable[Estimated],
    billed: Iterable[Billed],
    lines: Iterable[Compared],
    period: Period,
) -> dict[str, Coverage]:
    """For each model on either side, by the name under which it is compared."""
    tokens: dict[str, Coverage] = defaultdict(lambda: _NO_TOKENS)
    untold = set()
    for row in estimated:
        if within(row.piece, period) and row.meter in TOKENS:
            model = keys.of(row).model
            tokens[model] = tokens[model].plus(Coverage(row.quantity, _NOTHING, BY_TOKENS))
    for line in billed:
        if line.kind != USAGE or line.elsewhere:
            continue
        model = keys.of(line).model
        if line.quantity is None:
            untold.add(model)
        elif unit_told(line) == BY_TOKENS:
            tokens[model] = tokens[model].plus(Coverage(_NOTHING, line.quantity, BY_TOKENS))
    cost: dict[str, Coverage] = defaultdict(lambda: _NO_MONEY)
    for each in lines:
        if each.kind == USAGE and each.model:
            cost[each.model] = cost[each.model].plus(_money(each))
    return {
        model: tokens[model] if model in tokens and model not in untold else cost[model]
        for model in sorted((tokens.keys() | cost.keys()) - {""})
    }


def together(lines: Iterable[Compared], models: Mapping[str, Coverage]) -> Coverage:
    """Of the whole bill: in tokens, if all of its models are told in tokens."""
    if models and all(each.unit == BY_TOKENS for each in models.values()):
        return reduce(Coverage.plus, models.values())
    return reduce(Coverage.plus, (_money(each) for each in lines if each.kind == USAGE), _NO_MONEY)


def _money(line: Compared) -> Coverage:
    return Coverage(line.estimated, line.billed, BY_MONEY)
