"""What a rule tells follows from what was measured: each thing once, whatever the order."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from filled_ledger import at
from hypothesis import given
from hypothesis import strategies as st

from spend.alerts.alert_rules import Measured, RuleTerms
from spend.alerts.rule_states import Open, State, gone, step
from spend.alerts.rule_terms import rule_of_fields

START = at("2026-10-20T12:00")


def terms(**fields: object) -> RuleTerms:
    return rule_of_fields(
        {"name": "r", "kind": "error-rate", "warning": "5", "over": "10"} | fields
    )


def found(value: int | None, end: datetime) -> Measured:
    decimal = None if value is None else Decimal(value)
    return Measured("", decimal, "percent", end - timedelta(hours=1), end)


@dataclass
class Watched:
    """One subject, as the job and the store would keep it."""

    terms: RuleTerms
    state: State | None = None
    open: list[Open] = field(default_factory=list)
    messages: list[tuple[str, int]] = field(default_factory=list)
    ids: int = 0

    def see(self, value: int | None, minute: int, *, missing: bool = False) -> str:
        now = START + timedelta(minutes=minute)
        if missing and self.state is not None:
            next_ = gone(self.state, self.open, now)
        else:
            next_ = step(self.terms, self.state, self.open, found(value, now), now)
        self.state = next_.state
        if next_.recovers and next_.tells:
            self.messages.append(("recovered", next_.recovers[0].id))
        recovered = {each.id for each in next_.recovers}
        self.open = [each for each in self.open if each.id not in recovered]
        if next_.opens is not None:
            self.ids += 1
            self.open.append(Open(self.ids, next_.opens, now))
            self.messages.append((next_.opens, self.ids))
        if next_.reminds is not None:
            at_ = self.open.index(next_.reminds)
            self.open[at_] = replace(next_.reminds, reminded_at=now)
            self.messages.append(("reminder", next_.reminds.id))
        return self.state.state if self.state else "forgotten"

    def see_all(self, values: Sequence[int | None]) -> list[str]:
        return [self.see(value, minute) for minute, value in enumerate(values)]


def test_a_bound_that_is_passed_is_told_once_until_it_has_recovered() -> None:
    watched = Watched(terms())
    states = watched.see_all([0, 5, 7, 9, 4, 4, 4, 4, 6])
    assert watched.messages == [("warning", 1), ("recovered", 1), ("warning", 2)]
    assert states == [
        *("ok", "warning", "warning", "warning", "warning", "warning"),
        *("recovered", "recovered", "warning"),
    ]


def test_worse_is_told_again_and_a_little_better_is_not() -> None:
    watched = Watched(terms(recover_minutes=0))
    states = watched.see_all([6, 12, 6, 12, 1, 12])
    assert watched.messages == [("warning", 1), ("over", 2), ("recovered", 2), ("over", 3)]
    assert states == ["warning", "over", "warning", "over", "recovered", "over"]


def test_one_good_measuring_among_bad_ones_is_no_recovery() -> None:
    watched = Watched(terms())
    watched.see_all([12, 0, 12, 0, 0, 12, 0, None, 12])
    # The same time measured twice is one measuring.
    watched.see(0, 9)
    watched.see(0, 9)
    assert watched.messages == [("over", 1)]
    # What was good before there was no data is still so after it.
    watched.see(None, 10)
    watched.see(0, 11)
    assert watched.messages == [("over", 1), ("recovered", 1)]


def test_no_data_neither_opens_nor_recovers() -> None:
    watched = Watched(terms())
    assert watched.see_all([None, 12, None, None, None, None])[-1] == "no data"
    assert watched.messages == [("over", 1)]
    assert watched.see(None, 2 + 7 * 24 * 60) == "forgotten"
    assert (watched.open, watched.messages) == ([], [("over", 1)])


def test_who_does_not_acknowledge_is_reminded() -> None:
    watched = Watched(terms(remind_hours=2))
    for minute in range(0, 6 * 60 + 1, 10):
        watched.see(12, minute)
    assert watched.messages == [("over", 1), *[("reminder", 1)] * 3]
    watched.open = [replace(watched.open[0], acknowledged=True)]
    watched.see(12, 20 * 60)
    assert len(watched.messages) == 4


def test_what_is_negligible_is_good() -> None:
    one = replace(found(90, START), negligible=True)
    assert step(terms(), None, (), one, START) == step(terms(), None, (), found(0, START), START)


VALUES = st.one_of(st.none(), st.sampled_from([0, 4, 5, 9, 10, 50]))


@given(
    st.lists(st.tuples(VALUES, st.integers(0, 9000), st.booleans()), max_size=40),
    st.sampled_from([0, 2, 30]),
    st.sampled_from([{"warning": "5", "over": "10"}, {"over": "10"}, {"warning": "5"}]),
)
def test_of_any_measures_each_crossing_is_told_once_and_recovers_once_at_most(
    seen: list[tuple[int | None, int, bool]], recover: int, bounds: dict[str, str]
) -> None:
    watched = Watched(rule_of_fields({"name": "r", "kind": "error-rate"} | bounds))
    watched.terms = replace(watched.terms, recover_minutes=recover)
    minute = 0
    for value, later, missing in seen:
        minute += later
        before, told = list(watched.open), len(watched.messages)
        watched.see(value, minute, missing=missing)
        for message, _ in watched.messages[told:]:
            if message == "recovered":
                # All that was open has, and is told together.
                assert before
                assert watched.open == []
            else:
                # Only what is worse than what is open.
                assert message not in {each.level for each in before}
                assert not any(each.level == "over" for each in before)
        assert len(watched.messages) - told <= 1
    for id_ in range(1, watched.ids + 1):
        of_it = [message for message, told in watched.messages if told == id_]
        assert of_it[0] in ("warning", "over")
        assert of_it[1:] in ([], ["recovered"])
