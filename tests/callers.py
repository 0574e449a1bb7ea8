"""Everybody who may come to a door, and what they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi.testclient import TestClient
from filled_ledger import at
from sqlalchemy import select
from test_pages_frame import OURS
from test_pages_preferences import token
from two_teams import NOW, PEPPER, TwoTeams

from spend.access.roles import Role
from store.access import people, sign_ins
from store.access.keys import create_key
from store.tables.access import keys
from store.tenants import TENANT

EVERYTHING: Final = ("money", "budgets", "views", "settings", "audit", "content")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody, and what they ask with."""

    name: str
    shows: dict[str, str]
    """Headers that say who they are."""
    reads: bool = False
    team: str | None = None
    may: tuple[str, ...] = ()

    def let_in_by(self, word: str, team: str) -> bool:
        """Whether a door of docs/routes.md lets them in; ``team`` is the one in its address."""
        return {
            "anyone": True,
            "reader": self.reads,
            "team": self.reads and self.team in {None, team},
            "whole": self.reads and self.team is None,
        }.get(word, word in self.may)

    def ask(self, browser: "Browser", method: str, address: str, body: Any) -> int:
        """The status that they are answered with; 401 where they are led to sign in."""
        cookies = [browser.cookie, *filter(None, [self.shows.get("Cookie")])]
        headers = {**OURS, **self.shows, "Cookie": "; ".join(cookies), "Accept": "text/html"}
        if method == "GET":
            answer = browser.client.get(address, headers=headers)
        elif address.startswith("/v1/"):
            answer = browser.client.request(method, address, json=body, headers=headers)
        else:
            fields = {"form_token": browser.form}
            answer = browser.client.request(method, address, data=fields, headers=headers)
        browser.client.cookies.clear()
        to = answer.headers.get("location", "")
        return 401 if to.startswith("/sign-in?") else answer.status_code


@dataclass(frozen=True, slots=True)
class Browser:
    """What all of them use, one after the other: it keeps nothing but the cookie of its forms."""

    client: TestClient
    cookie: str
    form: str
    """The token of a form."""


@contextmanager
def browser(made: TwoTeams) -> Iterator[Browser]:
    """One of them."""
    app = made.asking().app
    # Its loop runs until the end, where each request would start one of its own.
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        form = token(client, "/sign-in")
        cookie = f"spanledger_form={client.cookies['spanledger_form']}"
        client.cookies.clear()
        yield Browser(client, cookie, form)


ROLES: Final = {
    "finance": (Role("finance"), ("money", "budgets", "views", "audit")),
    "administrator": (Role("admin"), EVERYTHING),
    "lead of search": (Role("lead", "search"), ("budgets",)),
    "lead of support": (Role("lead", "support"), ("budgets",)),
    "viewer": (Role("viewer"), ()),
    "viewer of search": (Role("viewer", "search"), ()),
    "viewer of support": (Role("viewer", "support"), ()),
}


def everybody(made: TwoTeams) -> list[Caller]:
    """One of each kind."""
    found = []

    def comes(name: str, key: str | None = None, cookie: str | None = None, **is_: Any) -> None:
        shows = {}
        if key:
            shows["Authorization"] = f"Bearer {key}"
        if cookie:
            shows["Cookie"] = f"spanledger_session={cookie}"
        found.append(Caller(name, shows, **is_))

    comes("nobody")
    comes("with a key of nothing", "sl_read_" + "a" * 60)
    comes("with a word", "' OR 1=1 --")
    comes("with an ingest key", made.keys["ingest"])
    comes("with a revoked key", made.keys["revoked"])
    comes("with an expired key", _expired(made))
    comes("with the hash of a key", hash_of_a_key(made))
    comes("with the cookie of nobody", cookie=hash_of_a_key(made))
    comes("with a key as a cookie", cookie=made.keys["admin"])
    comes("with a read key", made.keys["read"], reads=True)
    for team in ("search", "support"):
        comes(f"with a key of {team}", made.keys[f"read {team}"], reads=True, team=team)
    comes("with an admin key", made.keys["admin"], reads=True, may=EVERYTHING)
    for name, (role, may) in ROLES.items():
        cookie = _signed_in(made, name, role)
        comes(f"as {name}", cookie=cookie, reads=True, team=role.team, may=may)
    comes("as somebody without a role", cookie=_signed_in(made, "nobody yet", None))
    comes("as somebody who is barred", cookie=_barred(made))
    return found


def _expired(made: TwoTeams) -> str:
    with made.database.write() as session:
        return create_key(
            session,
            tenant=TENANT,
            kind="admin",
            name="expired",
            team=None,
            pepper=PEPPER,
            now=at("2026-10-01"),
            expires_at=at(NOW) - timedelta(seconds=1),
        )


def hash_of_a_key(made: TwoTeams) -> str:
    """What the database keeps of an admin's key, in hexadecimal."""
    with made.database.read() as session:
        digest = session.execute(select(keys.c.digest).where(keys.c.kind == "admin")).first()
    assert digest is not None
    return str(digest[0].hex())


def _signed_in(made: TwoTeams, name: str, role: Role | None) -> str:
    with made.database.write() as session:
        person = people.signed_in(
            session,
            TENANT,
            issuer="https://idp.example",
            subject=name,
            email=None,
            name=name,
            claimed=[role] if role else [],
            now=at(NOW),
        )
        return sign_ins.begin(
            session,
            TENANT,
            person_id=person.id,
            pepper=PEPPER,
            lasts=timedelta(hours=8),
            now=at(NOW),
        )


def _barred(made: TwoTeams) -> str:
    cookie = _signed_in(made, "barred", Role("admin"))
    with made.database.write() as session:
        person = next(each for each in people.all_people(session, TENANT) if each.name == "barred")
        people.bar(session, person, tenant=TENANT, now=at(NOW))
    return cookie
