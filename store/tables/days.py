"""What the ledger's lines of a day and of a month come to, so that books are read in a moment.

Sums of lines in the books of their slot; what is booked later than its slot is few, and read line
by line. They say nothing that the lines don't: emptied, with ``ledgers`` set back to 0, they are
filled again.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Numeric, Table, Text

from store.tables.base import AMOUNT, METADATA, meters, tenant


def _of_what() -> list[Column[Any]]:
    return [
        tenant(),
        Column("day", Date, primary_key=True, doc="Of the slot, UTC; of a month its first."),
        Column(
            "payer_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="Who pays: `owners.id`.",
        ),
        Column(
            "route_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="What was called, and where: `routes.id`.",
        ),
        Column("currency", Text, primary_key=True, doc="ISO 4217 code."),
        Column(
            "kind",
            Text,
            primary_key=True,
            doc="usage (originals, corrections, allocations), true-up, credit or tax.",
        ),
        Column(
            "pool_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="`pools.id`; 0: of no pool.",
        ),
        Column(
            "commitment_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="`commitments.id`; 0: of none.",
        ),
        Column(
            "meter",
            Text,
            primary_key=True,
            doc="Of a pool's or commitment's lines what of it they are for; else empty.",
        ),
    ]


def _charges(name: str, says: str) -> Table:
    return Table(
        name,
        METADATA,
        *_of_what(),
        Column("lines", BigInteger, nullable=False, doc="How many lines."),
        Column("amount", AMOUNT, nullable=False, doc="Effective cost, exact."),
        Column(
            "list_amount", AMOUNT, nullable=False, doc="At list prices, of lines that have one."
        ),
        Column("contracted_amount", AMOUNT, nullable=False, doc="As contracted."),
        Column("billed_amount", AMOUNT, nullable=False, doc="As billed."),
        Column(
            "unlisted",
            Numeric(38, 6),
            nullable=False,
            doc=("Quantity of lines without a list price; 0 again where they were taken back."),
        ),
        info={"doc": says},
    )


def _usage(name: str, says: str) -> Table:
    return Table(
        name,
        METADATA,
        tenant(),
        Column("day", Date, primary_key=True, doc="Of the slot, UTC; of a month its first."),
        Column(
            "payer_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="Who pays: `owners.id`.",
        ),
        Column(
            "route_id",
            BigInteger,
            primary_key=True,
            autoincrement=False,
            doc="What was called, and where: `routes.id`.",
        ),
        Column("lines", BigInteger, nullable=False, doc="How many lines."),
        Column("calls", BigInteger, nullable=False, doc="How many calls."),
        Column("errors", BigInteger, nullable=False, doc="Calls that did not end well."),
        Column(
            "unmetered_calls",
            BigInteger,
            nullable=False,
            doc="Calls that ended well without saying what they used.",
        ),
        Column("unpriced_calls", BigInteger, nullable=False, doc="Calls whose cost is not known."),
        Column(
            "unpriced_tokens", BigInteger, nullable=False, doc="Tokens whose cost is not known."
        ),
        *meters(BigInteger, "The sum of the lines.", nullable=False),
        info={"doc": says},
    )


charge_days = _charges(
    "charge_days",
    "What the lines of `charges` of a UTC day come to, so that a month is read in a moment. "
    "Emptied, they are filled again. What is booked later than its slot is not in them.",
)
charge_months = _charges(
    "charge_months",
    "What the lines of `charges` of a UTC month come to. As of `charge_days`.",
)
usage_days = _usage(
    "usage_days",
    "What the lines of `usage_lines` of a UTC day come to. As of `charge_days`.",
)
usage_months = _usage(
    "usage_months",
    "What the lines of `usage_lines` of a UTC month come to. As of `charge_days`.",
)

known_routes = Table(
    "known_routes",
    METADATA,
    tenant(),
    Column(
        "route_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="What was called, and where: `routes.id`.",
    ),
    Column(
        "known_at",
        DateTime(timezone=True),
        nullable=False,
        doc="When the first usage of it was taken in, UTC.",
    ),
    info={
        "doc": (
            "When the ledger first took in usage of a route: what a model's name "
            "stood for at a moment goes by the routes that were known then."
        )
    },
)
