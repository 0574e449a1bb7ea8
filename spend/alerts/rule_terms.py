"""Makes the terms of an alert rule from what somebody wrote, or says which field is wrong and why.

In the API, in files and in the store a rule is the same fields: those that all rules have, and
beside them those of its kind. What is left out has its kind's default. Channels are names there,
which the store knows.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, cast

from spend.alerts.alert_rules import RuleTerms, Value
from spend.alerts.rule_kinds import DAY, KINDS, Kind, Setting
from spend.budgets.alerting_terms import channels, filter_on, reminding
from spend.checked_fields import (
    LONGEST_VALUE,
    TermsRefused,
    listed,
    number,
    one_line,
    quoted,
    shortest,
    whole,
)
from spend.currencies.currencies import CODES
from spend.zones import zone_named

RECOVER_MINUTES: Final = 2
MOST_DIMENSIONS: Final = 3
"""That one rule is split by."""

OF_ALL: Final = (
    *("name", "kind", "filter", "by", "window_minutes", "warning", "over", "minimum"),
    *("recover_minutes", "owner", "channels", "remind_hours"),
)
"""The fields that every rule has."""


def rule_of_fields(
    said: Mapping[str, Any],
    *,
    channel_ids: Sequence[int] = (),
    usual: Mapping[str, str] = MappingProxyType({}),
) -> RuleTerms:
    """Terms that make sense, from fields as JSON or TOML has them.

    Raises TermsRefused. Exact numbers are strings or integers. ``channel_ids`` are those of the
    field ``channels``, which is not looked at here; ``usual`` is what the ledger is kept in, by the
    type of a setting: ``currency``, ``timezone``.
    """
    named = said.get("kind")
    if not isinstance(named, str) or named not in KINDS:
        raise TermsRefused("kind", f"{quoted(str(named))} is not {listed(tuple(KINDS))}")
    kind = KINDS[named]
    for field in said:
        if field not in OF_ALL and field not in kind.settings:
            told = ", ".join((*OF_ALL, *kind.settings))
            raise TermsRefused(field[:100], f"a rule of kind {named} has the fields {told}")
    warning, over = _bounds(said, kind)
    return RuleTerms(
        name=one_line(_text(said, "name")),
        kind=named,
        filter=filter_on(_filter(said), kind.dimensions),
        by=_by(said, kind),
        window_minutes=_window(said, kind),
        warning=warning,
        over=over,
        minimum=number(said.get("minimum", shortest(kind.minimum)), "minimum"),
        recover_minutes=whole(
            said.get("recover_minutes", RECOVER_MINUTES), "recover_minutes", 0, DAY
        ),
        settings={
            field: _setting(
                field, said.get(field, usual.get(setting.type, setting.default)), setting
            )
            for field, setting in kind.settings.items()
        },
        owner=None
        if said.get("owner") is None
        else one_line(_text(said, "owner"), "owner", LONGEST_VALUE),
        channel_ids=channels(channel_ids),
        remind_hours=reminding(said.get("remind_hours")),
    )


def changed_fields(current: RuleTerms, said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a rule with some of them changed. Raises TermsRefused for another kind."""
    if said.get("kind", current.kind) != current.kind:
        raise TermsRefused("kind", f"it is {current.kind}: close this rule, and make another one")
    return fields_of_rule(current) | dict(said)


def fields_of_rule(terms: RuleTerms) -> dict[str, Any]:
    """The fields that make these terms, but the channels: JSON, exact numbers as strings."""
    return {
        "name": terms.name,
        "kind": terms.kind,
        "filter": {dimension: list(values) for dimension, values in terms.filter.items()},
        "by": list(terms.by),
        "window_minutes": terms.window_minutes,
        "warning": None if terms.warning is None else shortest(terms.warning),
        "over": None if terms.over is None else shortest(terms.over),
        "minimum": shortest(terms.minimum),
        "recover_minutes": terms.recover_minutes,
        **{
            field: shortest(value) if isinstance(value, Decimal) else value
            for field, value in terms.settings.items()
        },
        "owner": terms.owner,
        "remind_hours": terms.remind_hours,
    }


def _bounds(said: Mapping[str, Any], kind: Kind) -> tuple[Decimal | None, Decimal | None]:
    # Who says one of the two means that one alone.
    asked = {"warning", "over"} & said.keys()
    bounds = (
        {each: said.get(each) for each in ("warning", "over")}
        if asked
        else {
            each: None if bound is None else shortest(bound)
            for each, bound in (("warning", kind.warning), ("over", kind.over))
        }
    )
    warning, over = (
        None if bounds[each] is None else number(bounds[each], each) for each in ("warning", "over")
    )
    if warning is None and over is None:
        raise TermsRefused("over", f"from how many {kind.unit} on? Say over, or warning, or both")
    if warning is not None and over is not None and warning >= over:
        raise TermsRefused("warning", "less than over: both tell of what is too much")
    return warning, over


def _window(said: Mapping[str, Any], kind: Kind) -> int:
    asked = said.get("window_minutes", kind.window_minutes)
    minutes = whole(asked, "window_minutes", kind.shortest, kind.longest)
    if minutes % kind.step:
        raise TermsRefused("window_minutes", f"a multiple of {kind.step}")
    return minutes


def _by(said: Mapping[str, Any], kind: Kind) -> tuple[str, ...]:
    by = said.get("by", kind.by)
    if not isinstance(by, Sequence) or isinstance(by, str):
        raise TermsRefused("by", "a list of dimensions")
    for each in by:
        if each not in kind.dimensions:
            raise TermsRefused("by", f"{quoted(str(each))} is not {listed(kind.dimensions)}")
    if len(by) > MOST_DIMENSIONS:
        raise TermsRefused("by", f"at most {MOST_DIMENSIONS} dimensions")
    return tuple(dict.fromkeys(by))


def _filter(said: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    wanted = said.get("filter", {})
    if not isinstance(wanted, Mapping):
        raise TermsRefused("filter", "dimensions, and of each the values that count")
    for dimension, values in wanted.items():
        texts = isinstance(values, Sequence) and not isinstance(values, str)
        if not texts or not all(isinstance(value, str) for value in values):
            raise TermsRefused(f"filter.{dimension}"[:100], "a list of texts")
    return cast("Mapping[str, Sequence[str]]", wanted)


def _text(said: Mapping[str, Any], field: str) -> str:
    value = said.get(field)
    if not isinstance(value, str):
        raise TermsRefused(field, "a text")
    return value


def _setting(field: str, said: object, setting: Setting) -> Value:
    if setting.type == "whole":
        return whole(said, field, setting.least, setting.most)
    if setting.type == "number":
        return number(shortest(said) if isinstance(said, Decimal) else said, field)
    if not isinstance(said, str):
        raise TermsRefused(field, "a text")
    if setting.type == "choice" and said not in setting.choices:
        raise TermsRefused(field, f"{quoted(said)} is not {listed(setting.choices)}")
    if setting.type == "currency" and said not in CODES:
        raise TermsRefused(field, f"{quoted(said)} is no currency code of ISO 4217")
    if setting.type == "timezone":
        return _timezone(field, said)
    return said if said == "" else one_line(said, field, LONGEST_VALUE)


def _timezone(field: str, said: str) -> str:
    try:
        return zone_named(said).key
    except ValueError as unknown:
        raise TermsRefused(field, str(unknown)) from None
