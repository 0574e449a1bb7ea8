"""An export adds up to the ledger in every currency and cost, and FOCUS tools take it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import focus_month
import pytest
from filled_ledger import at
from focus_data_toolkit import lint_focus_1_4_structure, validate_dataset_bundle
from focus_month import (
    ADS,
    CLAUDE,
    GPT,
    NOBODYS,
    OCTOBER,
    OWNERS,
    PLATFORM,
    PRICES,
    ROUTES,
    SEARCH,
    Table,
    added_up,
    badly_priced,
    booked,
    covered,
    exported,
    moved,
    of_bill,
    of_commitment,
    pool_hour,
    spread,
    used,
)

from store.sessions import Database

pytestmark = pytest.mark.one_server

NAMES = {
    "cost-and-usage": "Cost and Usage",
    "billing-period": "Billing Period",
    "invoice-detail": "Invoice Detail",
    "contract-commitment": "Contract Commitment",
}
CLAIMED = ("SupportsMultiplePricingCategories", "SupportsUnitPricing")
LATE = at("2026-10-01")

Lines = list[dict[str, Any]]


def faults(bundle: dict[str, Table]) -> list[str]:
    """What FOCUS's rules have against a bundle, with price times quantity checked exactly."""
    named = {NAMES[dataset]: rows for dataset, rows in bundle.items()}
    found = [f"price times quantity: {row}" for row in badly_priced(bundle["cost-and-usage"])]
    for name, rows in named.items():
        if rows:
            found += lint_focus_1_4_structure(name, rows, supported_conditions=CLAIMED).messages()
    report = validate_dataset_bundle(named, invoice_detail_authoritative=True)
    return found + [each.format() for each in (*report.errors, *report.warnings)]


def a_month(pool: int, credits_: int) -> Lines:
    """Lines of all kinds, of October's books and of those beside them."""
    day, closed = at("2026-10-05T10:00"), at("2026-09-20T07:15")
    by_the_credits = [
        used(SEARCH, GPT, day, PRICES[0], 1_234_567),
        used(SEARCH, GPT, day, PRICES[1], 98_765),
    ]
    partly = used(ADS, GPT, at("2026-10-06T00:00"), PRICES[1], 700_001)
    given_away = used(PLATFORM, CLAUDE, at("2026-10-31T23:45"), PRICES[2], 10**12)
    halfs, worth = Decimal("0.5"), Decimal("0.8")
    return [
        *by_the_credits,
        *(covered(each, credits_, Decimal(1), worth) for each in by_the_credits),
        partly,
        covered(partly, credits_, halfs, worth),
        of_commitment(credits_, "commitment", at("2026-10-01"), "800"),
        of_commitment(credits_, "unused", at("2026-10-31T23:45"), "123.456789012345"[:16]),
        *(
            used(owner, route, day, price, 1000 + price.price_id)
            for owner in OWNERS
            for route in ROUTES
            for price in PRICES
        ),
        given_away,
        *moved(given_away, SEARCH),
        # The same quarter hour, priced again at another price.
        used(ADS, NOBODYS, day, PRICES[1], 5000),
        used(ADS, NOBODYS, day, PRICES[1], -5000, kind="correction"),
        used(ADS, NOBODYS, day, PRICES[3], 5000, kind="correction"),
        # What came to light of a closed month.
        used(SEARCH, CLAUDE, closed, PRICES[0], 40_000, kind="correction", booked_slot=LATE),
        used(SEARCH, CLAUDE, closed, PRICES[3], -40_000, kind="correction", booked_slot=LATE),
        *pool_hour(pool, closed, Decimal("12.31"), [1, 2, 0, 9], booked_slot=LATE),
        *pool_hour(pool, day, Decimal("49.24"), [900, 1500, 200, 3000]),
        *pool_hour(pool, day + focus_month.HOUR, Decimal("49.24"), [0, 0, 7, 1]),
        *spread(day, Decimal("33.000000000001"), Decimal(40), [2, 1]),
        *spread(day + timedelta(days=1), Decimal(7), None, [1, 1]),
        of_bill("true-up", at("2026-10-31T23:45"), "-3.21", 5),
        of_bill("credit", at("2026-10-15"), "-50", 5),
        of_bill("tax", at("2026-10-31"), "19.5", 5, currency="EUR"),
        # Of other months.
        used(SEARCH, GPT, at("2026-09-30T23:45"), PRICES[0], 10),
        used(SEARCH, GPT, at("2026-11-01"), PRICES[0], 10),
        used(SEARCH, GPT, day, PRICES[0], 10, booked_slot=at("2026-11-01")),
    ]


def posted(database: Database) -> Lines:
    with database.write() as session:
        lines = a_month(*focus_month.declare(session))
        focus_month.post(session, lines)
    return lines


@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_a_month_of_everything_passes_the_rules_of_focus_and_adds_up(
    database: Database, shape: str
) -> None:
    lines = posted(database)
    bundle = exported(database, shape)
    assert faults(bundle) == []
    assert added_up(bundle["cost-and-usage"]) == booked(lines, *OCTOBER)
    kinds = {(row["ChargeCategory"], row["ChargeClass"]) for row in bundle["cost-and-usage"]}
    assert kinds == {
        *((name, "") for name in ("Usage", "Purchase", "Tax", "Credit", "Adjustment")),
        ("Usage", "Correction"),
    }
    for dataset in NAMES:
        assert bundle[dataset], dataset
