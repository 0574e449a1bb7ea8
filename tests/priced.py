"""A price of a model, for what was used since a week ago."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from spend.prices.prices import CONTRACT, PriceLine
from store.postgres.sessions import Database
from store.prices import books
from store.tenants import TENANT


def price_of(database: Database, model: str, meters: Iterable[str]) -> None:
    """A dollar a thousand, for each of these meters."""
    since = datetime.now(UTC) - timedelta(days=7)
    lines = [
        PriceLine(
            book=CONTRACT,
            provider="openai",
            model=model,
            meter=meter,
            unit_price=Decimal(1000),
            currency="USD",
            valid_from=since,
            source="test",
        )
        for meter in meters
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, lines, now=since)
