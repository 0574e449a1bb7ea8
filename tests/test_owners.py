"""The first claim that holds decides who pays, and the owner remembers which it was."""

import pytest
from spans import call, heard, only, request

from spend.owners import clean_name, owner_of


def owned(
    span: dict[str, object], resource: dict[str, object], key_team: str | None = None
) -> tuple[str, str]:
    owner = only(heard(request(call(attributes=span), resource=resource), key_team=key_team)).owner
    return owner.team, owner.rule


CHAIN: list[tuple[str, dict[str, object], str]] = [
    ("span", {"spanledger.team": "a"}, "span attribute spanledger.team"),
    ("span", {"team": "b"}, "span attribute team"),
    ("resource", {"spanledger.team": "c"}, "resource attribute spanledger.team"),
    ("resource", {"team": "d"}, "resource attribute team"),
    (
        "span",
        {"metadata.user_api_key_team_alias": "e"},
        "span attribute metadata.user_api_key_team_alias",
    ),
    ("resource", {"team.id": "f"}, "resource attribute team.id"),
    ("key", {"team": "g"}, "the key it came with"),
    ("span", {"service.namespace": "h"}, "span attribute service.namespace"),
    ("resource", {"service.namespace": "i"}, "resource attribute service.namespace"),
]


@pytest.mark.parametrize("first", range(len(CHAIN)))
def test_the_first_claim_of_the_chain_wins(first: int) -> None:
    said: dict[str, dict[str, object]] = {"span": {}, "resource": {}, "key": {}}
    for level, claim, _ in CHAIN[first:]:
        said[level] |= claim
    key_team = str(said["key"]["team"]) if said["key"] else None
    expected = next(iter(CHAIN[first][1].values())), CHAIN[first][2]
    assert owned(said["span"], said["resource"], key_team) == expected


def test_what_nobody_claims_is_unallocated() -> None:
    assert owned({}, {}) == ("unallocated", "nobody claimed it")


@pytest.mark.parametrize(
    "reserved",
    [
        "unallocated",
        "idle",
        "IDLE",
        " idle ",
        "Unallocated",
        "unallocated\u200b",
        "un\u00adallocated",
        "\uff49\uff44\uff4c\uff45",
        "idle\u200d",
    ],
)
def test_a_reserved_name_claims_nothing(reserved: str) -> None:
    assert owned({"team": reserved}, {"team": "search"}) == ("search", "resource attribute team")
    assert owned({"team": reserved}, {}) == ("unallocated", "nobody claimed it")


@pytest.mark.parametrize("blank", ["", "  ", "\x00", "\n"])
def test_a_blank_name_claims_nothing(blank: str) -> None:
    assert owned({"team": blank}, {"team": "search"})[0] == "search"


def test_a_team_may_be_a_number() -> None:
    assert owned({"team": 42}, {})[0] == "42"
    assert owned({}, {"team": 42})[0] == "42"


def test_names_are_cut_and_freed_of_what_cannot_be_shown() -> None:
    assert clean_name(" a\x00b\x1fc\u2028 ") == "abc"
    assert clean_name("x" * 500) == "x" * 200
    assert clean_name("\x07") is None
    assert clean_name("pay\u202eroll\u2066") == "payroll"
    assert clean_name("e\u0301quipe") == "\u00e9quipe"
    assert clean_name("a" + "\u0301" * 10**6) is not None


def test_all_dimensions_come_from_the_span_or_else_the_resource() -> None:
    owner = only(
        heard(
            request(
                call(
                    attributes={
                        "spanledger.feature": "rerank",
                        "customer": "acme",
                        "deployment.environment": "staging",
                    }
                ),
                resource={
                    "service.name": "search-api",
                    "deployment.environment.name": "prod",
                    "openinference.project.name": "p1",
                    "spanledger.customer": "other",
                },
            )
        )
    ).owner
    assert (owner.feature, owner.customer) == ("rerank", "acme")
    assert (owner.service, owner.environment, owner.project) == ("search-api", "staging", "p1")


def test_our_own_project_wins_over_an_emitters() -> None:
    owner = owner_of(span={}, resource={"project": "ours"}, project="theirs")
    assert owner.project == "ours"
