"""The terms of an alert rule make sense, or are refused by field."""

from decimal import Decimal
from typing import Any

import pytest

from spend.alerts.rule_kinds import KINDS
from spend.alerts.rule_terms import fields_of_rule, rule_of_fields
from spend.checked_fields import TermsRefused

RULE = {"name": "errors", "kind": "error-rate", "by": ["team"], "warning": "2.5", "over": 10}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "mood"}, "kind"),
        ({"name": " "}, "name"),
        ({"filter": {"mood": ["good"]}}, "filter.mood"),
        ({"filter": {"team": []}}, "filter.team"),
        ({"by": ["mood"]}, "by"),
        ({"by": ["team", "model", "provider", "feature"]}, "by"),
        ({"warning": None, "over": None}, "over"),
        ({"warning": "10"}, "warning"),
        ({"over": 2.5}, "over"),
        ({"over": "-1"}, "over"),
        ({"minimum": "a few"}, "minimum"),
        ({"window_minutes": 5}, "window_minutes"),
        ({"window_minutes": None}, "window_minutes"),
        ({"recover_minutes": -1}, "recover_minutes"),
        ({"remind_hours": 0}, "remind_hours"),
        ({"owner": ""}, "owner"),
        ({"percentile": "p95"}, "percentile"),
        ({"kind": "latency", "percentile": "p42"}, "percentile"),
        ({"kind": "anomaly", "by": [], "currency": "QQQ"}, "currency"),
        ({"kind": "idle-capacity", "filter": {"team": ["a"]}, "by": []}, "filter.team"),
    ],
)
def test_a_mistake_is_told_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(TermsRefused) as refused:
        rule_of_fields(RULE | changes)
    assert refused.value.field == field


def test_what_is_left_out_has_the_kinds_default() -> None:
    for name, kind in KINDS.items():
        bounds = {} if kind.over or kind.warning else {"over": "1"}
        made = rule_of_fields({"name": "a", "kind": name} | bounds)
        assert (made.by, made.window_minutes) == (kind.by, kind.window_minutes)
        assert made.settings.keys() == kind.settings.keys()
        # What is said in full says the same.
        assert rule_of_fields(fields_of_rule(made)) == made


def test_who_says_one_bound_means_that_one_alone() -> None:
    made = rule_of_fields({"name": "a", "kind": "error-rate", "warning": "2"})
    assert (made.warning, made.over) == (Decimal(2), None)
    for kind in ("latency", "time-to-first-token"):
        with pytest.raises(TermsRefused, match="from how many ms on"):
            rule_of_fields({"name": "a", "kind": kind})


def test_no_kind_is_without_words_or_room() -> None:
    for kind in KINDS.values():
        settings = {name: str(setting.default) for name, setting in kind.settings.items()}
        said = kind.told.format(of=" of team=a", value="5", **settings)
        assert "5" in said
        assert kind.shortest <= kind.window_minutes <= kind.longest
