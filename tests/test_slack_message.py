"""A message says what happened, and nothing else that a name might smuggle in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest
from budgeted import said
from filled_ledger import at
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.budgets.budget_notices import Warned, notice
from jobs.delivery.slack import Message, escaped
from jobs.delivery.slack import message as slack_message
from spend.budgets.budget_states import ACTUAL, Change
from spend.channels.notices import notice_of
from spend.money import shown
from spend.periods import Period


def message(said: Warned, api_url: str | None = None) -> Message:
    return slack_message(notice(said, api_url))


What = Literal["crossed", "again", "recovered", "reminder"]


def warned(spent: str = "84.25", noticed: str = "2026-11-15T12:00", **terms: object) -> Warned:
    return Warned(
        alert_id=17,
        budget_id=3,
        terms=said(**terms),
        period=Period(at("2026-11-01"), at("2026-12-01")),
        change=Change("crossed", ACTUAL, 80),
        spent=Decimal(spent),
        as_of=at("2026-11-15T11:58"),
        noticed_at=at(noticed),
    )


def texts(part: Any) -> Iterator[str]:
    """Every string that Slack shows."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(part, list):
        for each in part:
            yield from texts(each)


def test_a_message_says_who_spent_how_much_of_what_by_when() -> None:
    sent = message(warned())
    fallback, *shown_in_blocks = texts(sent)
    assert fallback == (
        "84.25 % of budget search is spent: 84.25 of 100.00 USD in month 2026-11, 2026-11-01 to"
        " 2026-11-30 (UTC), as of 2026-11-15 11:58 UTC. Threshold 80 %. Alert 17."
    )
    assert shown_in_blocks == [
        "Warning: 84.25 % of budget search is spent",
        "Spent: 84.25 of 100.00 USD (84.25 %)",
        "Threshold: 80 %",
        "Period: month 2026-11, 2026-11-01 to 2026-11-30",
        "Zone: UTC",
        "as of 2026-11-15 11:58 UTC · alert 17",
    ]
    assert [block["type"] for block in sent["blocks"]] == ["header", "section", "context"]


def test_of_thresholds_that_were_reached_at_once_each_title_says_which_it_is() -> None:
    lower = warned("120")
    upper = replace(lower, change=Change("crossed", ACTUAL, 100))
    assert [notice(each).title for each in (lower, upper)] == [
        "120 % of budget search is spent, past 80 %",
        "120 % of budget search is spent",
    ]


def test_a_budget_of_nothing_has_no_percentage() -> None:
    text = message(warned(amount=0, spent="0.0015"))["text"]
    assert text.startswith("Budget search is 0, and something was spent: 0.0015 of 0.00 USD in")


def test_a_percentage_is_never_rounded_up_to_a_threshold() -> None:
    assert "99.99 % of" in message(warned("99.999999"))["text"]


def test_amounts_are_for_people() -> None:
    assert shown(Decimal("1234567.891"), "USD") == "1,234,567.89"
    assert shown(Decimal("1234567.891"), "JPY") == "1,234,568"
    assert shown(Decimal("0.000123"), "USD") == "0.000123"
    assert shown(Decimal(0), "USD") == "0.00"


def test_a_crossing_of_a_past_period_says_so() -> None:
    assert "This period has ended" in message(warned(noticed="2026-12-02"))["text"]
    assert "This period has ended" not in message(warned())["text"]


@pytest.mark.parametrize(
    ("what", "link"),
    [
        ("crossed", "alerts/17|See it, acknowledge it"),
        ("reminder", "alerts/17|See it, acknowledge it"),
        ("recovered", "budgets/3|Where it stands now"),
    ],
)
def test_a_link_leads_to_the_page_where_something_can_be_done(what: What, link: str) -> None:
    sent = message(replace(warned(), change=Change(what, ACTUAL, 80)), "http://127.0.0.1:8321/")
    text = f"<http://127.0.0.1:8321/{link}>"
    assert sent["blocks"][-1]["elements"][-1] == {"type": "mrkdwn", "text": text}


def test_hostile_names_are_inert() -> None:
    for name in ("<!channel>", "<@U1>", "<http://evil|finance>", "a & b", "&lt;!here&gt;"):
        sent = message(warned(name=name))
        for text in texts(sent):
            assert "<" not in text
            assert ">" not in text
        assert escaped(name) in sent["text"]
    names = [escaped(each) for each in ("&lt;", "a\nb\u202ec")]
    assert names == ["&amp;lt;", "a b c"]


def test_a_sender_of_before_that_posts_what_is_kept_rings_nobody() -> None:
    name = "<!channel> & <https://evil.example|x>"
    kept = notice(warned(name=name)).as_json()
    assert "&lt;!channel&gt; &amp; &lt;https" in kept["text"]
    assert name in notice_of(kept).summary


@given(st.text(min_size=1, max_size=100).filter(lambda name: name.strip().isprintable()))
@settings(max_examples=100, deadline=None)
def test_any_name_fits_into_its_block(name: str) -> None:
    if not name.strip():
        return
    sent = message(warned(name=name))
    assert len(sent["blocks"][0]["text"]["text"]) <= 150
    for text in texts(sent):
        assert "<" not in text
        assert ">" not in text
        assert "\n" not in text
        assert "&" not in text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
        assert len(text) <= 2_000
    json.dumps(sent, ensure_ascii=False).encode()
