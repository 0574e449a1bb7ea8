"""Whoever tries to be somebody else at the provider's door is nobody here."""

import hmac
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from identity_provider import CLIENT_ID, OTHERS, public_key, unsigned
from joserfc import jwt
from signing_in import Trip, known, of, trip_over

from api.oidc.provider import AT_ONCE
from api.oidc.provider import Provider as KnownProvider
from app import sign_on
from app.sign_on import asking as asking_provider
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server


@pytest.fixture
def trip(database: Database) -> Iterator[Trip]:
    with trip_over(database) as made:
        yield made


def hs256(header: dict[str, Any], claims: dict[str, Any]) -> str:
    header = header | {"alg": "HS256"}
    text = unsigned(header, claims).rstrip(".")
    signature = hmac.digest(public_key(), text.encode(), "sha256")
    return unsigned(header, claims, signature)


REFUSED: list[tuple[str, dict[str, Any], Callable[..., str] | None]] = [
    ("another nonce", {"nonce": "x"}, None),
    ("no nonce", {"nonce": None}, None),
    ("for somebody else", {"aud": "another"}, None),
    ("for several, said by nobody", {"aud": [CLIENT_ID, "another"]}, None),
    ("said by another party", {"azp": "another"}, None),
    ("of another issuer", {"iss": "https://evil.example"}, None),
    ("expired", {"exp": 1_000_000_000}, None),
    ("without an end", {"exp": None}, None),
    ("without end at all", {"exp": 1e400}, None),
    ("ends later than any number", {"exp": 10**400}, None),
    ("ends at a word", {"exp": "tomorrow"}, None),
    ("made tomorrow", {"iat": 2_000_000_000, "exp": 2_000_000_300}, None),
    ("made long ago", {"iat": 1_000_000_000}, None),
    ("not yet", {"nbf": 2_000_000_000}, None),
    ("of nobody", {"sub": ""}, None),
    ("of a number", {"sub": 7}, None),
    ("without an audience", {"aud": None}, None),
    ("unsigned", {}, lambda _h, c: unsigned({"alg": "none"}, c)),
    ("unsigned, with the key's name", {}, lambda h, c: unsigned(h | {"alg": "none"}, c)),
    ("signed with the public key as secret", {}, hs256),
    ("signed by another", {}, lambda h, c: jwt.encode(h, c, OTHERS, algorithms=["RS256"])),
    ("of an unknown key", {}, lambda h, c: jwt.encode(h | {"kid": "?"}, c, OTHERS)),
    ("of a key in itself", {}, lambda h, c: jwt.encode(h | {"jwk": OTHERS.as_dict()}, c, OTHERS)),
    ("cut", {}, lambda h, c: jwt.encode(h, c, OTHERS)[:-5]),
    ("no token", {}, lambda _h, _c: "a.b.c"),
    ("much too long", {}, lambda _h, _c: "a" * 100_000),
]


def test_a_token_of_which_anything_is_wrong_signs_nobody_in(trip: Trip) -> None:
    browser = trip.browser()
    for what, claims, write in REFUSED:
        trip.provider.claims, trip.provider.write = of("ops") | claims, write
        refused = trip.sign_in(browser)
        assert refused.status_code == 502, what
        assert "did not work" in refused.text
        assert "claims" not in refused.text, "why, the log says"
        assert "spanledger_session" not in browser.cookies
    assert known(trip.database) == []


def test_an_answer_of_another_issuer_is_not_taken(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    for changed in (r"iss=https%3A%2F%2Fevil.example", "x=y"):
        browser = trip.browser()
        back = re.sub(r"iss=[^&]+", changed, trip.there(browser))
        assert browser.get(back, follow_redirects=False).status_code == 502
    for ending in ("error=access_denied", "error=<script>", ""):
        browser = trip.browser()
        back = re.sub(r"code=[^&]+", ending, trip.there(browser))
        refused = browser.get(back, follow_redirects=False)
        assert refused.status_code == 502
        assert "script>" not in refused.text.partition("<main")[2]


def test_a_provider_in_trouble_is_told_and_nothing_hangs(
    trip: Trip, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[tuple[int, bytes]] = [
        (500, b"{}"),
        (302, b""),
        (200, b"no json"),
        (200, b"[]"),
        (200, b'{"keys": 7}'),
        (200, b"[" * 100_000),
        (200, b'{"a": "' + b"x" * 600_000 + b'"}'),
    ]
    for path in ("/.well-known/openid-configuration", "/keys"):
        for answer in wrong:
            trip.provider.answers = {path: answer}
            with pytest.raises(sign_on.ProviderFailed):
                KnownProvider(trip.client()).keys("rsa")
    trip.provider.answers, trip.provider.slow = {}, 0.05
    asked = KnownProvider(trip.client())
    with monkeypatch.context() as hurried:
        hurried.setattr(sign_on, "_SECONDS", 0.2)
        for _ in range(2):
            with pytest.raises(sign_on.ProviderFailed):
                asked.metadata()
    assert trip.provider.asked[-1:] == ["/.well-known/openid-configuration"]
    trip.provider.slow = 0
    browser = trip.browser()
    back = trip.there(browser)
    trip.provider.answers = {"/token": (500, b"<b>trouble</b>")}
    refused = browser.get(back, follow_redirects=False)
    assert (refused.status_code, "trouble" in refused.text) == (502, False)


def test_who_waits_for_a_slow_provider_leaves_threads_for_everybody_else(trip: Trip) -> None:
    browser = trip.browser()
    provider = browser.app.state.provider  # type: ignore[attr-defined]  # Starlette's
    with ExitStack() as waiting:
        for _ in range(AT_ONCE):
            waiting.enter_context(provider.turn())
        refused = browser.get("/sign-in/provider", follow_redirects=False)
        assert refused.status_code == 502, "at once"
        assert trip.provider.asked == []
    assert trip.sign_in(browser).status_code == 303


def test_a_provider_that_is_another_or_in_the_open_is_not_believed(trip: Trip) -> None:
    for said in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ):
        trip.provider.metadata = said
        with pytest.raises(sign_on.ProviderFailed):
            KnownProvider(trip.client()).metadata()


def test_keys_are_read_once_and_for_unknown_ones_once_a_minute(trip: Trip) -> None:
    trip.provider.claims = of("ops")
    browser = trip.browser()
    for _ in range(3):
        trip.sign_in(browser)
    asked = trip.provider.asked
    assert {path: asked.count(path) // 2 for path in set(asked)} == {
        "/.well-known/openid-configuration": 1,
        "/keys": 1,
        "/token": 3,
    }


def test_only_the_issuer_s_own_door_may_be_inside() -> None:
    ask = asking_provider("https://127.0.0.1:1", allow_private=False)
    for url, why in (
        ("http://127.0.0.1:1/x", "over https"),
        ("https://127.0.0.1:2/x", "may not be asked"),
        ("https://169.254.169.254/latest", "may not be asked"),
        ("https://localhost/x", "may not be asked"),
        ("https://127.0.0.1:1/x", "does not answer"),
    ):
        with pytest.raises(sign_on.ProviderFailed, match=why):
            ask(sign_on.Asked(url))
