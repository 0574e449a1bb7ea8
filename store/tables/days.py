"""What the ledger's lines of a day and of a month come to, so that books are read in a moment.

Sums of lines in the books of their slot; what is booked later than its slot is few, and read line
by line. They say nothing that the lines don't: emptied, with ``ledgers`` set back to 0, they are
filled again.
"""

from sqlalchemy import BigInteger, Column, Date, DateTime, Numeric, Table, Text

from spend.meters import METER_NAMES
from store.tables.base import AMOUNT, METADATA, tenant


def _charges(name: str) -> Table:
    return Table(
        name,
        METADATA,
        tenant(),
        # Of the slot, UTC: of a month, its first.
        Column("day", Date, primary_key=True),
        Column("payer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("route_id", BigInteger, primary_key=True, autoincrement=False),
        Column("currency", Text, primary_key=True),
        # As of Booked (spend/booked.py).
        Column("kind", Text, primary_key=True),
        # Of a pool or a commitment, else 0; then the meter tells what of it, else it is empty.
        Column("pool_id", BigInteger, primary_key=True, autoincrement=False),
        Column("commitment_id", BigInteger, primary_key=True, autoincrement=False),
        Column("meter", Text, primary_key=True),
        Column("lines", BigInteger, nullable=False),
        Column("amount", AMOUNT, nullable=False),
        # Of lines that have one.
        Column("list_amount", AMOUNT, nullable=False),
        Column("contracted_amount", AMOUNT, nullable=False),
        Column("billed_amount", AMOUNT, nullable=False),
        # Quantity of lines without a list price: 0 again where they were taken back.
        Column("unlisted", Numeric(38, 6), nullable=False),
    )


def _usage(name: str) -> Table:
    return Table(
        name,
        METADATA,
        tenant(),
        Column("day", Date, primary_key=True),
        Column("payer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("route_id", BigInteger, primary_key=True, autoincrement=False),
        Column("lines", BigInteger, nullable=False),
        Column("calls", BigInteger, nullable=False),
        # Calls that did not end well.
        Column("errors", BigInteger, nullable=False),
        Column("unmetered_calls", BigInteger, nullable=False),
        Column("unpriced_calls", BigInteger, nullable=False),
        Column("unpriced_tokens", BigInteger, nullable=False),
        *(Column(name, BigInteger, nullable=False) for name in METER_NAMES),
    )


charge_days = _charges("charge_days")
charge_months = _charges("charge_months")
usage_days = _usage("usage_days")
usage_months = _usage("usage_months")

# When the first usage of a route was taken in: what a name stood for at a moment goes by the routes
# that the ledger knew then (store/shown_routes.py).
known_routes = Table(
    "known_routes",
    METADATA,
    tenant(),
    Column("route_id", BigInteger, primary_key=True, autoincrement=False),
    Column("known_at", DateTime(timezone=True), nullable=False),
)
