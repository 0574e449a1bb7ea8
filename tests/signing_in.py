"""A browser, the API and an identity provider, between which people sign in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient
from filled_ledger import asking, at
from httpx2 import Response
from identity_provider import CLIENT_ID, CLIENT_SECRET, Provider, identity_provider

from api.oidc.client import Client
from app.sign_on import asking as asking_provider
from spend.access.group_roles import group_roles
from store.access import people
from store.postgres.sessions import Database
from store.tenants import TENANT

PEPPER = b"sixteen bytes and more"
NOW = "2026-10-20T12:00"
RULES = "ops=admin, finops=finance, search-leads=lead:search"


@dataclass
class Trip:
    """A browser, and the provider that it signs in at."""

    database: Database
    provider: Provider
    at: dict[str, TestClient] = field(default_factory=dict)
    """The API at a moment."""

    def client(self) -> Client:
        return Client(
            issuer=self.provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            ask=asking_provider(self.provider.issuer, allow_private=True),
            rules=group_roles(RULES),
        )

    def browser(self, *, now: str = NOW) -> TestClient:
        """One that kept nothing yet."""
        if now not in self.at:
            self.at[now] = asking(
                self.database,
                now=now,
                key_pepper=PEPPER,
                oidc=self.client(),
                open_without_keys=False,
                pages_url="http://testserver",
            )
        made = TestClient(self.at[now].app, raise_server_exceptions=False)
        made.headers["Accept"] = "text/html"
        return made

    def there(self, browser: TestClient, back: str = "/settings") -> str:
        """The address that a browser is sent back to once somebody signed in there."""
        left = browser.get("/sign-in/provider", params={"back": back}, follow_redirects=False)
        assert left.status_code == 303
        return self.provider.authorize(left.headers["location"])

    def sign_in(self, browser: TestClient, back: str = "/settings") -> Response:
        return browser.get(self.there(browser, back), follow_redirects=False)


@contextmanager
def trip_over(database: Database) -> Iterator[Trip]:
    """To a provider that runs until the end of the block."""
    with identity_provider() as provider:
        provider.now = at(NOW).timestamp()
        yield Trip(database, provider)


def known(database: Database) -> list[people.Person]:
    with database.read() as session:
        return people.all_people(session, TENANT)


def of(*groups: str) -> dict[str, Any]:
    return {"groups": list(groups)}
