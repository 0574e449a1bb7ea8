"""An alert rule as it is said to the API, and as the API shows it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr
from pydantic.config import JsonDict

from api.shapes import instant
from spend.alerts.alert_rules import Measured, Rule, level_of
from spend.alerts.rule_kinds import KINDS, unit_of
from spend.alerts.rule_states import Open
from spend.alerts.rule_words import said
from store.alerts.rule_fields import rule_fields
from store.alerts.rule_states import Kept

_NUMBER: JsonDict = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}


class RuleChange(BaseModel):
    """What is to be changed; what is left out stays as it is.

    What a kind has of its own stands beside these fields (docs/alert-rules.md).
    """

    # Fields of kinds; others are refused when the rule is made.
    model_config = ConfigDict(extra="allow")

    name: StrictStr | None = Field(None, description="What people call it; no two the same.")
    kind: StrictStr | None = Field(None, description="One of " + ", ".join(KINDS) + ".")
    filter: dict[StrictStr, list[StrictStr]] | None = Field(
        None,
        description="Dimension to values, as of budgets; `{}` is everything.",
        examples=[{"team": ["search"]}],
    )
    by: list[StrictStr] | None = Field(
        None, description="Dimensions that split it into subjects.", examples=[["model"]]
    )
    window_minutes: StrictInt | None = Field(None, description="How much time is looked at.")
    # Anything, so that a number with a point is refused for what it is: not exact.
    warning: Any = Field(
        None, description="From this value on it is a warning.", json_schema_extra=_NUMBER
    )
    over: Any = Field(None, description="From this value on it is over.", json_schema_extra=_NUMBER)
    minimum: Any = Field(
        None, description="With less nothing is concluded.", json_schema_extra=_NUMBER
    )
    recover_minutes: StrictInt | None = Field(
        None, description="So long it must be good to have recovered."
    )
    owner: StrictStr | None = Field(None, description="Whom to ask about it.")
    channels: list[StrictStr] | None = Field(
        None, description="Names of where to tell it; none: where its team's, or all, messages go."
    )
    remind_hours: StrictInt | None = Field(
        None, description="Who is still over is reminded after so many hours; null: never."
    )


class NewRule(RuleChange):
    """A rule to be set."""

    name: StrictStr = Field(description="What people call it; no two the same.")
    kind: StrictStr = Field(description="One of " + ", ".join(KINDS) + ".")


class RuleAnswer(BaseModel):
    """A rule as it holds now. What its kind has of its own stands beside these fields."""

    model_config = ConfigDict(extra="allow")

    id: int
    version: int = Field(description="Counts changes, from 1.")
    name: str
    kind: str
    filter: dict[str, list[str]]
    by: list[str]
    window_minutes: int
    unit: str = Field(description="Of the bounds.")
    warning: str | None
    over: str | None
    minimum: str
    recover_minutes: int
    owner: str | None
    channels: list[str]
    remind_hours: int | None
    created_at: str = Field(description="When this version came into force.")


class RulesAnswer(BaseModel):
    """All rules in force."""

    rules: list[RuleAnswer]


class FactAnswer(BaseModel):
    """What a message says beside the value."""

    label: str
    text: str


class FoundAnswer(BaseModel):
    """What was measured of a subject."""

    subject: str = Field(description="Such as `team=search`; empty: all of it.")
    value: str | None = Field(description="Exact; null: there is no data, or too little.")
    unit: str
    start: str = Field(description="Of the time that was looked at. Inclusive.")
    end: str = Field(description="Everything heard before is in it.")
    facts: list[FactAnswer]


class OpenAnswer(BaseModel):
    """A crossing that has not recovered."""

    alert_id: int
    level: str
    crossed_at: str
    acknowledged: bool


class StateAnswer(BaseModel):
    """Where a subject stands."""

    subject: str = Field(description="Such as `team=search`; empty: all of it, or the rule itself.")
    state: str = Field(
        description="`ok`, `warning`, `over`, `recovered`, `no data`, or `failing`: it could not be"
        " measured."
    )
    since: str
    evaluated_at: str
    last_error: str | None = Field(description="Why it could not be measured.")
    found: FoundAnswer | None = Field(description="What was measured last.")
    open: list[OpenAnswer]


class StatesAnswer(BaseModel):
    """Where a rule's subjects stand."""

    rule: RuleAnswer
    states: list[StateAnswer]


class TriedAnswer(FoundAnswer):
    """What was measured of a subject, and what would be told of it."""

    level: str = Field(description="`ok`, `warning`, `over` or `no data`.")
    says: str


class TrialAnswer(BaseModel):
    """What a rule would find now."""

    error: str | None = Field(description="Why it could not be measured.")
    found: list[TriedAnswer] = Field(description="What is worst first.")


def rule_answer(rule: Rule, channels: dict[int, str]) -> RuleAnswer:
    """A rule as the API shows it."""
    return RuleAnswer.model_validate(
        rule_fields(rule.terms, channels)
        | {
            "id": rule.id,
            "version": rule.version,
            "unit": unit_of(rule.terms.kind, rule.terms.settings),
            "created_at": instant(rule.created_at),
        }
    )


def state_answer(kept: Kept, opened: list[Open]) -> StateAnswer:
    """Where a subject stands, as the API shows it."""
    return StateAnswer(
        subject=kept.subject,
        state=kept.state.state,
        since=str(instant(kept.state.since)),
        evaluated_at=str(instant(kept.evaluated_at)),
        last_error=kept.last_error,
        found=None
        if kept.found is None
        else FoundAnswer(subject=kept.subject, **_found(kept.found)),
        open=[
            OpenAnswer(
                alert_id=each.id,
                level=each.level,
                crossed_at=str(instant(each.crossed_at)),
                acknowledged=each.acknowledged,
            )
            for each in opened
        ],
    )


def tried_answer(rule: Rule, measured: Measured) -> TriedAnswer:
    """What was measured, as the API shows it."""
    return TriedAnswer(
        subject=measured.subject,
        level=level_of(rule.terms, measured),
        says=said(rule.terms, measured),
        **_found(measured),
    )


def _found(measured: Measured) -> dict[str, Any]:
    return {
        "value": None if measured.value is None else format(measured.value, "f"),
        "unit": measured.unit,
        "start": str(instant(measured.start)),
        "end": str(instant(measured.end)),
        "facts": [FactAnswer(label=label, text=text) for label, text in measured.facts],
    }
