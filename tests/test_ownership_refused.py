"""Rules that make no sense are refused whole, with their place, field and reason."""

import json
from typing import Any

import pytest
from filled_ledger import SEARCH, asking, at
from owned import moved, price, rules, run, use

from spend.ownership.ownership_files import (
    Ownership,
    OwnershipRefusedError,
    fields_of,
    ownership_of_fields,
    ownership_of_file,
)
from store.postgres.sessions import Database

RULE: dict[str, Any] = {"name": "one", "match": {"team": ["a"]}, "gives": {"team": "b"}}
SPLIT: dict[str, Any] = {"name": "one", "match": {"team": ["shared"]}, "shares": {"a": 60, "b": 40}}
ALSO: dict[str, Any] = {"name": "two", "match": {"team": ["s*"]}, "by": "calls"}


@pytest.mark.parametrize(
    ("said", "where", "reason"),
    [
        ({"rules": [RULE, RULE]}, "rules 2, name", "another 'one' at the same time"),
        ({"rules": [RULE | {"match": {}}]}, "rules 1, match", "name at least one of"),
        ({"rules": [RULE | {"match": {"colour": ["red"]}}]}, "match.colour", "unknown dimension"),
        ({"rules": [RULE | {"match": {"team": ["a*b"]}}]}, "match.team", "at the end only"),
        ({"rules": [RULE | {"match": {"team": ["idle"]}}]}, "match.team", "is a view"),
        ({"rules": [RULE | {"gives": {}}]}, "rules 1, gives.team", "is missing"),
        ({"rules": [RULE | {"gives": {"team": "Idle "}}]}, "gives.team", "is reserved"),
        ({"rules": [RULE | {"gives": {"team": "unallocated"}}]}, "gives.team", "is reserved"),
        ({"rules": [RULE | {"gives": {"service": "x"}}]}, "gives.service", "cannot be given"),
        ({"rules": [RULE | {"from": "2026-10-17", "to": "2026-10-17"}]}, "to", "after from"),
        ({"rules": [RULE | {"from": "2026-10-17T08:01:00Z"}]}, "from", "on a quarter hour"),
        ({"rules": [RULE | {"from": "17.10.2026"}]}, "from", "must be a date or time"),
        ({"rules": [RULE | {"until": "x"}]}, "rules 1, until", "unknown field"),
        ({"rules": [{}]}, "rules 1, name", "must be 1 to 200 characters"),
        ({"rules": {}}, "rules", "must be a list"),
        ({"timezone": "UTC"}, "rules", "rules = []"),
        ({"rules": [], "timezone": "Mars/Olympus"}, "timezone", "is not a time zone"),
        ({"splits": [SPLIT | {"shares": {"a": 60, "b": 41}}]}, "shares", "they are 101"),
        ({"splits": [SPLIT | {"shares": {"a": 100, "b": 0}}]}, "shares.b", "more than 0"),
        ({"splits": [SPLIT | {"shares": {"a": 60.0, "b": 40}}]}, "shares.a", "must be a number"),
        ({"splits": [SPLIT | {"shares": {"a": "6e1", "b": 40}}]}, "shares.a", "must be a number"),
        ({"splits": [SPLIT | {"shares": {"a": 60, "idle": 40}}]}, "shares.idle", "is reserved"),
        ({"splits": [SPLIT | {"by": "tokens"}]}, "splits 1, by", "one of shares, weights and by"),
        ({"splits": [ALSO | {"by": "mood"}]}, "by", "must be one of tokens, calls, cost"),
        ({"splits": [ALSO | {"match": {"service": ["x"]}}]}, "match.team", "whose cost"),
        ({"splits": [ALSO | {"match": {"team": ["idle"]}}]}, "match.team", "is a view"),
        ({"splits": [SPLIT | {"shares": {"shared": 100}}]}, "shares.shared", "is itself split"),
        ({"splits": [ALSO | {"teams": ["search"]}]}, "splits 1, teams", "is itself split"),
        ({"splits": [SPLIT | {"shares": {"sales": 100}}, ALSO]}, "shares.sales", "by 'two'"),
        ({"splits": [SPLIT, SPLIT | {"from": "2026-10-17"}]}, "splits 2, name", "same time"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, Any], where: str, reason: str) -> None:
    with pytest.raises(OwnershipRefusedError) as refused:
        ownership_of_fields(said, timezone="UTC")
    assert where in refused.value.where
    assert reason in refused.value.reason


def test_what_is_written_is_read_back() -> None:
    said = rules(
        RULE | {"from": "2026-10-17T00:00", "match": {"team": ["a*", "b"], "project": ""}},
        RULE | {"to": "2026-10-17"},
        splits=(SPLIT, ALSO | {"match": {"team": "t"}, "teams": ["a"]}),
        timezone="Asia/Kathmandu",
    )
    assert said.rules[0].valid_from == at("2026-10-16T18:15")
    assert ownership_of_fields(fields_of(said), timezone="UTC") == said
    as_json = ownership_of_file(json.dumps(fields_of(said)), toml=False, timezone="UTC")
    assert as_json == said
    assert ownership_of_file("rules = []", toml=True, timezone="UTC") == Ownership("UTC")


def test_numbers_of_a_file_are_exact() -> None:
    toml = """
        [[splits]]
        name = "platform"
        match = { team = "platform" }
        shares = { a = 33.3, b = 66.7 }
    """
    assert f"{ownership_of_file(toml, toml=True, timezone='UTC').splits[0].shares['a']:f}" == (
        "33.300000"
    )


@pytest.mark.one_server
def test_a_refused_request_leaves_what_is_in_force(database: Database) -> None:
    with asking(database) as client:
        assert client.get("/v1/ownership").json()["version"] == 0
        kept = client.put("/v1/ownership", json={"rules": [RULE]})
        assert (kept.status_code, kept.json()["version"]) == (200, 1)
        refused = client.put("/v1/ownership", json={"rules": [RULE, RULE | {"gives": {}}]})
        assert (refused.status_code, refused.json()["field"]) == (422, "rules.1.gives.team")
        assert client.put("/v1/ownership", json={"rules": [{"name": 1}]}).status_code == 422
        assert client.get("/v1/ownership?version=2").status_code == 404
        assert client.get("/v1/ownership").json()["rules"][0]["gives"] == {"team": "b"}
        told = client.get("/v1/ownership/versions").json()["versions"]
        assert [(each["version"], each["entered_by"]) for each in told] == [
            (1, "anybody on this machine")
        ]


@pytest.mark.one_server
def test_a_preview_tells_teams_and_rules_and_writes_nothing(database: Database) -> None:
    price(database)
    use(database, "2026-10-17", SEARCH, 7)
    run(database)
    body = {"rules": [moved("search", "discovery", from_="2026-10-17"), moved("x", "y")]}
    with asking(database) as client:
        told = client.post("/v1/ownership/preview?from=2026-10-01&to=2026-11-01", json=body).json()
        assert client.post("/v1/ownership/preview?from=x", json=body).json()["field"] == "from"
        assert client.get("/v1/ownership").json()["version"] == 0
    assert told["teams"] == [
        {
            "team": team,
            "before": before,
            "after": after,
            "difference": change,
            "calls_before": calls,
            "calls_after": then,
        }
        for team, before, after, change, calls, then in (
            ("discovery", "0.00", "7.00", "7.00", 0, 1),
            ("search", "7.00", "0.00", "-7.00", 1, 0),
        )
    ]
    assert [(each["rule"], each["calls"]) for each in told["rules"]] == [
        ("search to discovery", 1),
        ("x to y", 0),
    ]
