"""An export adds up to the ledger in every currency and cost, and FOCUS tools take it."""

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import focus_month
import pytest
from filled_ledger import at
from focus_data_toolkit import lint_focus_1_4_structure, validate_dataset_bundle
from focus_month import (
    ADS,
    BASES,
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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.focus.focus_files import folded
from spend.fiscal import Calendar, FiscalYear
from store.postgres.sessions import Database

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


quarters = st.integers(0, 44 * 96).map(lambda number: at("2026-09-20") + number * focus_month.SLOT)
OPENED = [None, LATE, at("2026-10-20T12:00"), at("2026-11-01")]


@st.composite
def some_usage(draw: st.DrawFn) -> Lines:
    slot = draw(st.one_of(quarters, st.just(at("2026-10-05T10:00"))))
    opened = [None, *(each for each in OPENED if each is not None and each > slot)]
    usage = used(
        draw(st.sampled_from(OWNERS)),
        draw(st.sampled_from(ROUTES)),
        slot,
        draw(st.sampled_from(PRICES)),
        draw(st.integers(-(10**6), 10**9)),
        booked_slot=draw(st.sampled_from(opened)),
        band=draw(st.integers(0, 1)),
    )
    lines = [usage]
    if usage["contracted_amount"] > 0:
        share = draw(st.sampled_from([None, None, Decimal(1), Decimal("0.3")]))
        worth = draw(st.sampled_from([Decimal(0), Decimal("0.777777"), Decimal(1)]))
        lines += [] if share is None else [covered(usage, 1, share, worth)]
    return lines + (moved(usage, draw(st.sampled_from(OWNERS))) if draw(st.booleans()) else [])


costs = st.decimals("0.000001", 1000, places=6, allow_nan=False)
weights = st.lists(st.integers(0, 1000), min_size=4, max_size=4)
some_lines = st.lists(
    st.one_of(
        some_usage(),
        st.builds(lambda *said: pool_hour(1, *said), quarters, costs, weights),
        st.builds(
            lambda slot, cost, more, shares: spread(slot, cost, more and cost + more, shares[:2]),
            quarters,
            costs,
            st.one_of(st.none(), costs),
            weights.filter(lambda shares: all(shares[:2])),
        ),
        st.builds(
            lambda kind, slot, money: [of_bill(kind, slot, str(money), 7)],
            st.sampled_from(["true-up", "credit", "tax"]),
            quarters,
            costs,
        ),
    ),
    max_size=12,
).map(lambda parts: [each for part in parts for each in part])


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=some_lines, shape=st.sampled_from(["csv", "parquet"]))
def test_any_export_adds_up_to_the_ledger_and_passes(
    database: Database, lines: Lines, shape: str
) -> None:
    with database.write() as session:
        focus_month.post(session, lines)
    bundle = exported(database, shape)
    assert added_up(bundle["cost-and-usage"]) == booked(lines, *OCTOBER)
    assert faults(bundle) == []


FORGED = [
    ("cost-and-usage", "ContractedUnitPrice", "1.01"),
    ("cost-and-usage", "ListCost", "1.000000000001"),
    ("cost-and-usage", "BilledCost", "17.00"),
    ("cost-and-usage", "InvoiceDetailId", "openai/nowhere"),
    ("cost-and-usage", "BillingPeriodEnd", "2026-11-02T00:00:00Z"),
    ("cost-and-usage", "ChargePeriodStart", "2026-10-05 00:00:00"),
    ("cost-and-usage", "x_SplitOriginCost", "1.00"),
    ("billing-period", "InvoiceIssuerName", "Nobody"),
    ("invoice-detail", "BilledCost", "3.14"),
    ("contract-commitment", "ContractCommitmentId", "commitment-0"),
]


def test_what_is_forged_in_an_export_is_found(database: Database) -> None:
    posted(database)
    bundle = exported(database)
    for dataset, column, value in FORGED:
        changed = deepcopy(bundle)
        row = next(each for each in changed[dataset] if each.get(column))
        assert row[column] != value
        row[column] = value
        assert faults(changed), (dataset, column)


def found(rows: Table, **said: str) -> Table:
    return [row for row in rows if all(row[name] == value for name, value in said.items())]


def test_what_a_commitment_covers_is_billed_at_nothing_and_costs_its_share(
    database: Database,
) -> None:
    with database.write() as session:
        pool, credits_ = focus_month.declare(session)
        usage = [used(SEARCH, GPT, at("2026-10-05"), price, 10**7) for price in PRICES[:2]]
        left = Decimal(800) - sum(each["contracted_amount"] for each in usage) * 8 / 10
        focus_month.post(
            session,
            [
                *usage,
                *(covered(each, credits_, Decimal(1), Decimal("0.8")) for each in usage),
                of_commitment(credits_, "commitment", at("2026-10-01"), "800"),
                of_commitment(credits_, "unused", at("2026-10-31T23:45"), str(left)),
                *pool_hour(pool, at("2026-10-05"), Decimal(5), [1, 1, 1, 1]),
            ],
        )
    rows = found(exported(database)["cost-and-usage"], CommitmentDiscountName="credits")
    told = [
        (row["SkuMeter"], row["CommitmentDiscountStatus"], *(Decimal(row[name]) for name in BASES))
        for row in rows
    ]
    costs_ = [each["contracted_amount"] for each in usage]
    assert sorted(told, key=str) == sorted(
        [
            ("commitment", "", Decimal(800), 0, 0, 0),
            ("unused", "Unused", 0, left, 0, 0),
            *(
                (each["meter"], "Used", 0, cost * 8 / 10, cost, each["list_amount"])
                for each, cost in zip(usage, costs_, strict=True)
            ),
        ],
        key=str,
    )
    assert sum(each[3] for each in told) == 800


def test_a_pools_day_and_a_split_say_what_they_were_divided_from(database: Database) -> None:
    posted(database)
    rows = exported(database)["cost-and-usage"]
    days = {row["x_SplitOriginId"] for row in rows if row["x_SplitOriginId"]}
    assert len(days) == 4
    for day in days:
        parts = found(rows, x_SplitOriginId=day)
        billed = sum(Decimal(row["BilledCost"]) for row in parts)
        assert {Decimal(row["x_SplitOriginCost"]) for row in parts} == {billed}
    (idle,) = found(rows, SkuMeter="idle", ChargeClass="")
    assert (idle["ResourceName"], idle["SubAccountId"]) == ("llama, für alle", "idle")
    assert '"team":"idle"' in idle["AllocatedTags"]


def test_what_mends_a_closed_month_is_a_correction_in_the_open_one(database: Database) -> None:
    posted(database)
    rows = found(exported(database)["cost-and-usage"], ChargeClass="Correction")
    assert {row["BillingPeriodStart"] for row in rows} == {"2026-10-01T00:00:00Z"}
    assert {row["ChargePeriodStart"] for row in rows} == {"2026-09-20T00:00:00Z"}
    assert {row["ChargePeriodEnd"] for row in rows} == {"2026-09-21T00:00:00Z"}
    assert Decimal(-40_000) in [Decimal(row["ConsumedQuantity"]) for row in rows]


def test_what_changed_hands_is_shown_once_at_who_pays(database: Database) -> None:
    posted(database)
    rows = found(exported(database)["cost-and-usage"], ConsumedQuantity="1000000000000.00")
    assert [row["SubAccountId"] for row in rows] == ["search"]


def test_days_are_the_ledgers_own_in_any_calendar(database: Database) -> None:
    lines = posted(database)
    for zone, name in (("Asia/Kathmandu", "2026-10"), ("Australia/Lord_Howe", "FY2027-P09")):
        calendar = Calendar(ZoneInfo(zone), FiscalYear("4-4-5", 2))
        month = calendar.named(name)
        rows = exported(database, calendar=calendar, month=name)["cost-and-usage"]
        assert added_up(rows) == booked(lines, month.start, month.end)
        for row in found(rows, ChargeClass=""):
            assert row["BillingPeriodStart"] <= row["ChargePeriodStart"]
            assert row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]


def test_the_older_version_is_what_its_validator_takes(database: Database) -> None:
    # bench/focus_official.py asks the validator itself.
    posted(database)
    (rows,) = exported(database, version="1.2", ascii_only=True).values()
    prices: dict[str, set[str]] = {}
    for row in rows:
        assert all(value.isascii() for value in row.values())
        assert row["ProviderName"] == row["PublisherName"] == row["InvoiceIssuerName"]
        assert row["InvoiceId"]
        assert row["PricingCurrency"] == row["BillingCurrency"]
        assert all("." in row[name] for name in (*BASES, "PricingCurrencyEffectiveCost"))
        assert row["ChargePeriodEnd"].endswith("T00:00:00Z")
        prices.setdefault(row["SkuPriceId"], set()).add(row["SkuId"])
    assert all(len(skus) == 1 for price, skus in prices.items() if price)


def test_text_in_ascii_stays_json_and_no_formula() -> None:
    assert folded("Müller & Söhne") == "Muller & Sohne"
    assert folded("株 \U0001f600 ＂x＼") == "\\u682a \\ud83d\\ude00 \\uff02x\\uff3c"  # noqa: RUF001  # wide ones are meant
