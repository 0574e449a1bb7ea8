"""What is taken out of content before anybody keeps it."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spend.contents.redaction import Redaction, redacted
from spend.secret_shapes import has_secret, without_secrets
from store.contents.linear_patterns import rules_of
from store.contents.linear_patterns import without_secrets as linear

ALL = Redaction(ips=True, own=rules_of((r"ACME-\d+", "[a-f]xx+")), secrets=linear)
FOUND = {
    "ann@example.org": "[email]",
    "ann.o'hara+x@mail.example.co.uk": "[email]",
    "4111 1111 1111 1111": "[card]",
    "4111111111111111": "[card]",
    "5500-0000-0000-0004": "[card]",
    "3782 822463 10005": "[card]",
    "DE89 3704 0044 0532 0130 00": "[iban]",
    "gb82west12345698765432": "[iban]",
    "+49 30 1234567": "[phone]",
    "(030) 1234567": "[phone]",
    "555-123-4567": "[phone]",
    "10.0.0.1": "[ip]",
    "fe80::1": "[ip]",
    "sk-ant-api03-abcdefghijklmnop": "[secret]",
    "ACME-12345": "[redacted]",
}
"""What is found -> its mark."""
HARMLESS = [
    "4111 1111 1111 1112",  # Luhn's sum is wrong
    "GB82 WEST 1234 5698 7654 33",  # mod 97 is wrong
    "1763872800000000000",  # nanoseconds
    "2026-11-23 04:50:12",
    "09-11-2026",
    "v1.2.3",
    "0.4111111111111111",
    "12,345 tokens at 0.000125",
    "risk-assessment-team",
    "basic information",
    "max_tokens: 1234567",
]


@pytest.mark.parametrize("said", FOUND)
def test_it_is_found_among_words(said: str) -> None:
    assert redacted(f"see {said}, please", ALL) == f"see {FOUND[said]}, please"


@pytest.mark.parametrize("said", FOUND)
def test_an_escape_in_json_hides_nothing(said: str) -> None:
    hidden = "".join(f"\\u{ord(char):04x}" for char in said)
    told = redacted(f'{{"a": ["{hidden}"], "{said}": 1}}', ALL)
    assert json.loads(told) == {"a": [FOUND[said]], FOUND[said]: 1}
    # Also where the rest of it was cut off.
    assert said not in redacted(f'{{"a": ["{hidden}", ', ALL)


@pytest.mark.parametrize("said", FOUND)
def test_json_within_json_hides_nothing(said: str) -> None:
    inner = json.dumps({"to": said})
    told = redacted(json.dumps([{"arguments": inner}]), ALL)
    assert json.loads(json.loads(told)[0]["arguments"]) == {"to": FOUND[said]}


@pytest.mark.parametrize("said", HARMLESS)
def test_what_only_looks_like_it_stays(said: str) -> None:
    assert redacted(f"see {said}, please", ALL) == f"see {said}, please"


def test_of_two_members_with_one_name_both_are_looked_at() -> None:
    told = redacted('{"a": "ann@example.org", "a": "bob@example.org"}', ALL)
    assert "example.org" not in told


def test_the_name_of_a_member_may_say_that_it_is_a_secret() -> None:
    assert json.loads(redacted('{"password": "hunter2hunter"}', ALL)) == {"password": "[secret]"}


def test_a_number_may_be_a_card() -> None:
    assert json.loads(redacted('{"n": 4111111111111111, "x": 1.5}', ALL)) == {
        "n": "[card]",
        "x": 1.5,
    }


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u200d", "\u2066", "\ufe0f", "\U000e0041"])
def test_letters_that_nobody_sees_hide_nothing(unseen: str) -> None:
    assert redacted(f"ann{unseen}@exa{unseen}\u2060mple.org", ALL) == "[email]"


def test_wide_letters_and_narrow_gaps_hide_nothing() -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) for char in "ann@example.org")
    assert redacted(f"{wide} 4111\u202f1111\u202f1111\u202f1111", ALL) == "[email] [card]"


def test_what_joins_letters_stays_among_them() -> None:
    said = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f468\u200d\U0001f4bb"
    assert redacted(said, ALL) == said


def test_no_text_takes_for_ever_or_grows_without_bound() -> None:
    """A number that can be taken apart in too many ways; a name that is given 5,000 times."""
    long = "01 " + "2" * 2_000 + "x"
    assert redacted(long, ALL) == long
    said = "{" + ",".join(['"password":"hunter2hunter"'] * 5_000) + "}"
    told = redacted(said, ALL)
    assert len(told) < 2 * len(said)
    assert set(json.loads(told).values()) == {"[secret]"}


def test_an_escape_in_json_within_json_that_was_cut_hides_nothing() -> None:
    inner = json.dumps('{"to": "ann@example.org"}'.replace("@", "\\u0040"))
    assert "example.org" not in redacted(f'{{"arguments": {inner}, "x', ALL)


PIECES = st.sampled_from(
    [
        *FOUND,
        *FOUND.values(),
        *HARMLESS,
        "[",
        "]",
        '"',
        "{",
        "}",
        "\\",
        "\\u0040",
        "@",
        ".",
        " ",
        "+",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6) | st.text(string.digits + " -./", max_size=9)).map(
    "".join
)


@given(TEXTS)
def test_to_redact_twice_changes_nothing(said: str) -> None:
    once = redacted(said, ALL)
    assert redacted(once, ALL) == once


@given(TEXTS)
def test_what_is_left_is_bounded(said: str) -> None:
    assert len(redacted(said, ALL)) <= 12 * len(said)


@given(st.text(string.ascii_letters + " ,", max_size=30), st.sampled_from(sorted(FOUND)))
def test_what_is_redacted_is_nowhere_in_what_is_left(around: str, said: str) -> None:
    assert said not in redacted(f"{around} {said} {around}", ALL)


@given(TEXTS)
def test_to_scrub_twice_changes_nothing(said: str) -> None:
    once = without_secrets(said)
    assert without_secrets(once) == once
    assert not has_secret(once)
